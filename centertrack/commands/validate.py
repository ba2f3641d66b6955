"""`centertrack validate`: what is wrong with files in MOTChallenge format."""

from __future__ import annotations

import argparse

from centertrack.commands.shared.terminal import say

SUMMARY = "list every broken row of MOTChallenge files"
DESCRIPTION = """Read ground truth, detections or results in MOTChallenge format and list every row that breaks it: an
id twice in a frame, a frame out of range, a non-positive id, a wrong number of columns, NaN, a box of no size. Which of
the three a file is, and how long its sequence, is told by its name, its folder and seqinfo.ini.

The exit code is 1 if anything is wrong."""
EPILOG = """examples:
  centertrack validate results
  centertrack validate MOT17/train
  centertrack validate results/MOT17-02-SDP.txt --fix"""
OK, VIOLATIONS = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", metavar="PATH", help="txt file, folder of SEQUENCE.txt, or of sequence folders")
    parser.add_argument(
        "--fix",
        action="store_true",
        help="write a cleaned copy beside it, named PATH_fixed: columns filled up or cut, frames and ids from 1, and "
        "rows left out that are wrong even so",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for each violation, and one about all."""
    from tracker.evaluation.format_check import validate

    report = validate(options.path, fix=options.fix)
    for violation in report.violations:
        say(str(violation))
    say(report.summary())
    for remark in report.remarks:
        say(remark)
    return OK if report.is_valid else VIOLATIONS
