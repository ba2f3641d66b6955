"""`centertrack`: the command line. Every command is a module of `centertrack.commands`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from centertrack.commands import (
    associate,
    bench,
    convert,
    data,
    demo,
    detect,
    evaluate,
    evaluate_detections,
    export,
    models,
    submit,
    track,
    train,
    validate,
)
from centertrack.version import __version__
from tracker.errors import InputError

COMMANDS = {
    "demo": demo,
    "track": track,
    "detect": detect,
    "associate": associate,
    "evaluate": evaluate,
    "evaluate-detections": evaluate_detections,
    "validate": validate,
    "submit": submit,
    "train": train,
    "data": data,
    "models": models,
    "export": export,
    "convert": convert,
    "bench": bench,
}
BAD_INPUT, INTERRUPTED = 2, 130
DESCRIPTION = "Detect and track objects in video, and measure how well."
EPILOG = """examples:
  centertrack demo                                      a street scene, tracked and scored
  centertrack track street.mp4                          boxes and ids, as rows and as a video, under runs/
  centertrack track MOT17/train/* --results results     one file a sequence
  centertrack evaluate --gt MOT17/train --results results

centertrack COMMAND --help tells more."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: As on the command line; those of this process by default.

    Returns:
        Exit code: 0, 2 after bad input, 130 after Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    logging.basicConfig(level=logging.WARNING, format="warning: %(message)s")
    try:
        if given[:1] == ["train"]:  # Lightning parses its own arguments, also --help
            return train.run(given[1:])
        options = build_parser().parse_args(given)
        return int(options.run(options))
    except InputError as error:
        return _fail(str(error))
    except OSError as error:  # a full disk, a folder that vanished: not for a traceback either
        where = f": {error.filename}" if error.filename else ""
        return _fail(f"{error.strerror or error}{where}")
    except KeyboardInterrupt:
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; it imports nothing heavy."""
    parser = argparse.ArgumentParser(
        "centertrack", description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--version", action="version", version=f"centertrack {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=module.SUMMARY,
            description=module.DESCRIPTION,
            epilog=module.EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {' '.join(message.split())}\n")
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
