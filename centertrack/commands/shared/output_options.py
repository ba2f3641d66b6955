"""Options about what is written: which classes, in which formats, which boxes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from centertrack.app.outputs import DEFAULT_FOLDER, OutputKind
from centertrack.commands.shared.options import read_names
from tracker.errors import InputError, near
from tracker.io.reading import read_lines

EXPORT_NAMES = ("cvat", "coco", "yolo", "label-studio", "mot")  # of `centertrack.app.exports`, which needs numpy
RESULTS_HELP = (
    "tracks, in the format of the suffix: .txt (MOTChallenge rows), .csv, .json, .jsonl, .parquet; or - for rows on "
    "standard output, as they come; a folder for several sources, or a file with * for the name of each"
)


def add_classes_option(parser: argparse._ActionsContainer, what: str) -> None:
    """Add which classes count; `what` happens to these."""
    parser.add_argument(
        "--classes",
        type=read_classes,
        metavar="A,B",
        help=f"{what} these classes only: names, or numbers from 1 as in column 8 of the rows, with commas between; or "
        "a file with one a line",
    )


def read_classes(text: str) -> list[str]:
    """Read names with commas between, or the lines of a file."""
    return [line.strip() for line in read_lines(text) if line.strip()] if Path(text).is_file() else read_names(text)


def add_export_option(parser: argparse._ActionsContainer) -> None:
    """Add labels for correction by hand."""
    parser.add_argument(
        "--export",
        action="append",
        default=[],
        metavar="FORMAT[=PATH]",
        help=f"tracks as labels to correct by hand: {', '.join(EXPORT_NAMES)}; may be given several times "
        f"(default path: {DEFAULT_FOLDER}/FORMAT/)",
    )


def add_box_options(parser: argparse._ActionsContainer, tracks: bool) -> None:
    """Add which boxes are written, and how; of `tracks` or of detections."""
    parser.add_argument("--clip", action="store_true", help="cut boxes to the image")
    if tracks:
        add_coasting_option(parser)


def add_coasting_option(parser: argparse._ActionsContainer) -> None:
    """Add whether unseen tracks are written."""
    parser.add_argument(
        "--no-coasting",
        dest="coasting",
        action="store_false",
        help="leave out the boxes of tracks that are not detected in a frame, and which are where their motion takes "
        "them",
    )


def export_kinds(texts: Sequence[str]) -> Iterator[OutputKind]:
    """Give the outputs that --export asks for.

    Raises:
        InputError: There is no such format, or it comes twice.
    """
    from centertrack.app.exports import EXPORTS

    seen: set[str] = set()
    for text in texts:
        name, _, place = text.partition("=")
        if name not in EXPORTS:
            raise InputError(f"--export {text}: there is no such format; {near(name, EXPORTS)}")
        if name in seen:
            raise InputError(f"--export {name} is given twice")
        seen.add(name)
        export = EXPORTS[name]
        folder = place or f"{DEFAULT_FOLDER / name}/"
        given = folder if export.allowed else f"{folder.rstrip('/')}/"
        yield OutputKind(f"export {name}", export.suffix, given, export.allowed, keeps=True)
