"""`centertrack demo`: everything once, without a video of one's own."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from centertrack.commands.shared.options import add_network_options, build_predictor
from centertrack.commands.shared.terminal import progress_bar, say, summary
from tracker.text_table import text_table

if TYPE_CHECKING:
    from centertrack.app.pipeline import Report
    from tracker.evaluation import EvaluationResult

SUMMARY = "draw a street scene, track it and score the tracks"
DESCRIPTION = """Draw a street scene of which the truth is known exactly, write it as a video, track the video and score
the tracks. Needs neither data nor a network connection, and always gives the same scene."""
EPILOG = """example:
  centertrack demo --output demo"""
METRICS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--output", type=Path, default=Path("runs/demo"), metavar="FOLDER", help="where to write (default: %(default)s)"
    )
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    add_network_options(parser)


def run(options: argparse.Namespace) -> int:
    """Run the demonstration and print its scores and files."""
    from centertrack.app.demo import run_demo

    predictor = build_predictor(options, min_score=0.1)
    files, report, result = run_demo(
        options.output, predictor, lambda title, total: progress_bar(title, total, options.quiet)
    )
    say(_table(report, result))
    say("")
    say(summary(files.video.name, report, predictor.runtime))
    for title, path in (
        ("tracked video", files.annotated),
        ("source video", files.video),
        ("tracks", files.results),
        ("ground truth", files.ground_truth / "gt" / "gt.txt"),
        ("scores", files.scores),
    ):
        say(f"  {title + ':':<15}{path}")
    return 0


def _table(report: Report, result: EvaluationResult) -> str:
    """Return the scores in percent and the speed."""
    values = result.rows(METRICS)[-1][1:]
    return text_table([[*METRICS, "frames/s"], [*values, f"{report.frame_rate:.1f}"]], text_columns=0, has_rule=False)
