"""`centertrack associate`: ids for boxes that somebody else detected."""

from __future__ import annotations

import argparse

from centertrack.commands.shared.options import add_tracker_option, read_steps, read_tracker_options
from centertrack.commands.shared.terminal import say
from tracker.errors import InputError

SUMMARY = "run a tracker over the boxes of another detector"
DESCRIPTION = """Run a tracker over det/det.txt of MOTChallenge sequence folders and write one SEQUENCE.txt each, which
`centertrack evaluate` reads. No network runs and no frames are needed, so the tracker has to do with boxes: fairmot,
jde, deepsort and the -reid trackers compare appearance and cannot; botsort takes the camera for still."""
EPILOG = """examples:
  centertrack associate MOT17/train/*-SDP --results results
  centertrack associate MOT17/train/* --tracker bytetrack --option max_lost_seconds=2 --results results
  centertrack associate MOT17/train/* --postprocess interpolate,smooth --results offline
  centertrack evaluate --gt MOT17/train --results results --compare offline"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "sequences", nargs="+", metavar="SEQ_FOLDER", help="folder with det/det.txt, and seqinfo.ini or images"
    )
    add_tracker_option(parser)
    parser.add_argument("--results", required=True, metavar="FOLDER", help="where to write SEQUENCE.txt")
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
    from tracker.io.mot import read_sequence_info
    from tracker.io.names import clean_name

    changes = read_tracker_options(options.tracker, options.option)
    if hasattr(tracker_options(options.tracker), "camera_motion"):
        changes.setdefault("camera_motion", "none")  # there are no frames to measure it in
    steps = read_steps(options.postprocess)
    names = [clean_name(read_sequence_info(folder).name) for folder in options.sequences]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise InputError(f"several folders hold sequence {twice[0]}, and their results would have the same name")
    for folder in options.sequences:
        for name, path in associate([folder], options.tracker, options.results, steps, **changes).items():
            say(f"{name}: {path}")
    return 0
