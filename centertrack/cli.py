"""`centertrack`: the command line. Every command is a module of `centertrack.commands`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from typing_extensions import override

from centertrack.app.termination import Terminated, terminable
from centertrack.commands import (
    app,
    associate,
    bench,
    convert,
    count,
    data,
    demo,
    detect,
    edit,
    evaluate,
    evaluate_detections,
    export,
    models,
    review,
    submit,
    track,
    train,
    tune,
    validate,
)
from centertrack.commands.shared.terminal import PrintableFormatter, complain, lost_output, sentence
from centertrack.version import __version__
from tracker.errors import InputError
from tracker.extras import named_extra

COMMANDS = {
    "demo": demo,
    "track": track,
    "detect": detect,
    "associate": associate,
    "app": app,
    "review": review,
    "edit": edit,
    "count": count,
    "evaluate": evaluate,
    "evaluate-detections": evaluate_detections,
    "tune": tune,
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


class CommandParser(argparse.ArgumentParser):
    """Answers a mistake with one sentence, not with its usage. Parsers of commands become of this class, too."""

    @override
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Refuse what is unknown here, where the command is known whose help tells more."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return options, unknown

    @override
    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and the sentence."""
        complain(f"{message}; see {self.prog} --help")
        self.exit(BAD_INPUT)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: As on the command line; those of this process by default.

    Returns:
        Exit code: 0, 2 after bad input, 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    handler = logging.StreamHandler()
    handler.setFormatter(PrintableFormatter("warning: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    try:
        if given[:1] == ["train"]:  # Lightning parses its own arguments, also --help, and takes its own signals
            with named_extra("centertrack train"):
                return train.run(given[1:])
        options = build_parser().parse_args(given)
        with terminable(), named_extra(f"this use of centertrack {options.command}"):
            code = int(options.run(options))
        return BAD_INPUT if lost_output() else code
    except InputError as error:
        return _fail(str(error))
    except OSError as error:  # a full disk, a folder that vanished: not for a traceback either
        return _fail(sentence(error))
    except Terminated as error:
        return 128 + error.number
    except KeyboardInterrupt:
        return INTERRUPTED


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; it imports nothing heavy."""
    parser = CommandParser(
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
        command.set_defaults(run=module.run, command=name)
    return parser


def _fail(message: str) -> int:
    complain(message)
    return BAD_INPUT


if __name__ == "__main__":
    sys.exit(main())
