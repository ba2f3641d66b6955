"""`centertrack associate`: ids for boxes that somebody else detected."""

from __future__ import annotations

import argparse

from centertrack.commands.shared.options import add_tracker_option, read_size_option, read_steps, read_tracker_options
from centertrack.commands.shared.output_options import RESULTS_HELP, add_classes_option, add_coasting_option
from centertrack.commands.shared.terminal import say
from tracker.io.names import STANDARD_OUTPUT

SUMMARY = "run a tracker over the boxes of another detector"
DESCRIPTION = """Run a tracker over the boxes that another program has found, and write a SEQUENCE.txt each, which
`centertrack evaluate` reads. Sources are MOTChallenge sequence folders with det/det.txt, .txt files in its format, COCO
JSON (a list of results, or what `centertrack detect` writes), folders of YOLO labels (class xc yc w h [score]), and
what `centertrack track` writes, whose ids do not matter. Where boxes have several classes, tracks keep to theirs, and
the rows tell it. No network runs and no frames are needed, so the tracker has to do with boxes: fairmot, jde, deepsort
and the -reid trackers compare appearance and cannot; botsort takes the camera for still."""
EPILOG = """examples:
  centertrack associate MOT17/train/*-SDP --results results
  centertrack associate found.json --tracker bytetrack --option frame_rate=25 --results results
  centertrack associate runs/labels --image-size 1920x1080 --results results
  centertrack associate MOT17/train/* --postprocess interpolate,smooth --results offline
  centertrack evaluate --gt MOT17/train --results results --compare offline"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="sequence folder with det/det.txt, and seqinfo.ini or images; .txt file in its format; COCO .json; folder "
        "of YOLO labels",
    )
    add_tracker_option(parser)
    parser.add_argument("--results", required=True, metavar="FILE|FOLDER", help=RESULTS_HELP)
    add_classes_option(parser, "follow")
    add_coasting_option(parser)
    parser.add_argument(
        "--image-size", metavar="WxH", help="of the images of YOLO labels (default: of the images, or of seqinfo.ini)"
    )
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the tracker, such as max_lost_seconds=2; may be given several times",
    )
    parser.add_argument(
        "--postprocess",
        default="",
        metavar="STEPS",
        help="offline, once a sequence has ended: interpolate, smooth, or both with a comma between",
    )


def run(options: argparse.Namespace) -> int:
    """Associate all sequences."""
    from tracker.associate import associate
    from tracker.factory import tracker_options

    changes = read_tracker_options(options.tracker, options.option)
    if hasattr(tracker_options(options.tracker), "camera_motion"):
        changes.setdefault("camera_motion", "none")  # there are no frames to measure it in
    steps = read_steps(options.postprocess)
    size = read_size_option(options.image_size)
    written = associate(
        options.sources, options.tracker, options.results, steps, size, options.classes, options.coasting, **changes
    )
    for name, path in written.items():
        if str(path) != STANDARD_OUTPUT:
            say(f"{name}: {path}")
    return 0
