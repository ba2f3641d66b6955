"""`centertrack evaluate-detections`: detections against labels, whatever their identities."""

from __future__ import annotations

import argparse

from centertrack.commands.shared.options import read_names
from centertrack.commands.shared.outputs import check_suffix
from centertrack.commands.shared.terminal import say

SUMMARY = "score detections: AP at several overlaps and sizes"
DESCRIPTION = """Score detections against labels as COCO does, with room for crowds: average precision (AP) over
overlaps from 0.50 to 0.95, at 0.50 and 0.75, for small (below 32 x 32 pixels), medium and large (above 96 x 96)
objects, and recall (AR). Ratios are printed in percent, and written as fractions; a dash means that no object has
that size.

Of MOTChallenge labels pedestrians count; whom the benchmark ignores is ignored."""
EPILOG = """examples:
  centertrack detect photos --results found.json --min-score 0.05
  centertrack evaluate-detections --gt photos.json --results found.json
  centertrack evaluate-detections --gt MOT17/train --results MOT17/train --sequences MOT17-02-SDP --json ap.json"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--gt", required=True, metavar="PATH", help="COCO .json, or MOTChallenge folders or a gt file")
    parser.add_argument(
        "--results",
        required=True,
        metavar="PATH",
        help="COCO .json; for MOTChallenge labels also a folder of SEQUENCE.txt, sequence folders with det/det.txt, or "
        "one file",
    )
    parser.add_argument(
        "--sequences", type=read_names, metavar="A,B", help="only these sequences of MOTChallenge labels"
    )
    parser.add_argument("--json", metavar="FILE", help="write all scores as JSON")


def run(options: argparse.Namespace) -> int:
    """Evaluate and print the table."""
    check_suffix("--json", options.json, ".json")
    from centertrack.average_precision.detection_metrics import evaluate_detections

    scores = evaluate_detections(options.gt, options.results, options.sequences)
    say(scores.table())
    if options.json:
        scores.write_json(options.json)
    return 0
