"""`centertrack data`: look at labelled data, and convert them."""

from __future__ import annotations

import argparse
from pathlib import Path

from centertrack.commands.shared.options import read_assignments
from centertrack.commands.shared.terminal import say
from tracker.wording import counted

SUMMARY = "check labelled data, or convert them to another format"
DESCRIPTION = "Look through labelled data before a training does, or convert them to another format."
EPILOG = """examples:
  centertrack data check own_data --sheet check.png
  centertrack data check MOT17/train --option frames=half-train
  centertrack data convert cvat_export --to mot --output MY/train

Formats: coco, crowdhuman, cvat, jde, kitti, mot, voc, yolo; and to read only cvat-video, scalabel (BDD100K), visdrone.
They are told by the files where --from or --format is left out."""
OK, BAD_INPUT = 0, 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the two commands and their options."""
    actions = parser.add_subparsers(title="commands", metavar="check|convert", required=True, dest="action")
    check = actions.add_parser("check", help="count, find broken labels, draw sixteen augmented samples")
    check.add_argument("source", metavar="CONFIG|PATH", help="training configuration, or a file or folder of labels")
    check.add_argument("--format", metavar="NAME", help="of a folder of labels")
    check.add_argument("--root", metavar="FOLDER", help="where the paths of a configuration start")
    check.add_argument("--sheet", type=Path, metavar="FILE.png", default=Path("runs/data_check.png"),
                       help="where to draw the samples (default: %(default)s)")  # fmt: skip
    convert = actions.add_parser("convert", help="write labels and images in another format")
    convert.add_argument("source", metavar="PATH", help="file or folder of labels")
    convert.add_argument("--to", required=True, metavar="FORMAT", help="format to write")
    convert.add_argument("--from", dest="from_format", metavar="FORMAT", help="format of the source")
    convert.add_argument("--output", required=True, type=Path, metavar="FOLDER", help="new folder")
    convert.add_argument("--copy", action="store_true", help="copy images instead of linking them")
    convert.add_argument("--frame-rate", type=_rate, metavar="N",
                         help="images a second (default: what the source says, or 30)")  # fmt: skip
    for action in (check, convert):
        action.add_argument("--option", action="append", default=[], metavar="NAME=VALUE",
                            help="an option of the format, such as step=5; may be given several times")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Check or convert."""
    return _check(options) if options.action == "check" else _convert(options)


def _check(options: argparse.Namespace) -> int:
    from centertrack.data.check import check_data

    report = check_data(options.source, options.format, options.root, options.sheet, **read_assignments(options.option))
    say(report.text())
    if report.sheet:
        say(f"samples as the training sees them: {report.sheet}")
    return BAD_INPUT if report.problems else OK


def _convert(options: argparse.Namespace) -> int:
    from centertrack.data.convert import convert_data

    done = convert_data(
        options.source,
        options.output,
        options.to,
        options.from_format,
        options.copy,
        options.frame_rate,
        **read_assignments(options.option),
    )
    say(
        f"{done.target}: {counted(done.images, 'image')}, {counted(done.boxes, 'box', 'boxes')}, "
        f"{counted(done.identities, 'identity', 'identities')}"
    )
    for sentence in done.lost:
        say(sentence)
    return OK


def _rate(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected images a second, such as 25, got {text!r}")
    return value
