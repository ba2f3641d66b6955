"""Where the process starts: `python -m centertrack` is `centertrack`."""

import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command line; Ctrl-C while it is being imported ends it as it does later.

    Returns:
        Exit code: of `centertrack.cli.main`.
    """
    try:
        from centertrack.cli import main
    except KeyboardInterrupt:
        return INTERRUPTED
    return main()


if __name__ == "__main__":
    sys.exit(main())
