"""`centertrack evaluate`: tracking results against ground truth."""

from __future__ import annotations

import argparse

from centertrack.commands.terminal import say

SUMMARY = "score tracking results: HOTA, MOTA, IDF1 and more"
DESCRIPTION = """Score tracking results against ground truth with HOTA, CLEAR and Identity, under the official
preprocessing of the MOTChallenge benchmarks. Ratios are printed in percent, and written as fractions."""
EPILOG = """examples:
  centertrack evaluate --gt MOT17/train --results results
  centertrack evaluate --gt MOT17/train --results results --sequences MOT17-02-SDP,MOT17-04-SDP --json scores.json"""
BENCHMARKS = ("MOT15", "MOT16", "MOT17", "MOT20", "DanceTrack", "none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--gt", required=True, metavar="PATH", help="folder of sequence folders, one sequence folder, or one gt file"
    )
    parser.add_argument("--results", required=True, metavar="PATH", help="folder of SEQUENCE.txt, or one file")
    parser.add_argument(
        "--benchmark",
        choices=BENCHMARKS,
        help="whose rules to apply; none ignores classes (default: by the name of each sequence)",
    )
    parser.add_argument("--sequences", metavar="A,B", help="only these sequences")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write all scores as JSON")
    parser.add_argument("--csv", metavar="FILE", help="write all scores as CSV")


def run(options: argparse.Namespace) -> int:
    """Evaluate and print the table."""
    from tracker.evaluation import evaluate

    names = [name.strip() for name in options.sequences.split(",")] if options.sequences else None
    result = evaluate(options.gt, options.results, options.benchmark, names, options.workers)
    say(result.table())
    if options.json:
        result.write_json(options.json)
    if options.csv:
        result.write_csv(options.csv)
    return 0
