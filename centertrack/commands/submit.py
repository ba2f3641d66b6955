"""`centertrack submit`: results -> the zip that a benchmark's server wants."""

from __future__ import annotations

import argparse

from centertrack.commands.shared.terminal import say
from tracker.errors import InputError

SUMMARY = "pack the results on a test set for its server"
DESCRIPTION = """Pack the results on a benchmark's test set into the zip that its server wants, after checking that no
sequence is missing and no row breaks the format. MOT17 has three names for each of its 7 videos: a result under one
name only (MOT17-01.txt, or MOT17-01-FRCNN.txt alone) is packed under all three."""
EPILOG = """example:
  centertrack track MOT17/test/*-FRCNN --results results
  centertrack submit results submission.zip --benchmark MOT17"""
BENCHMARKS = ("MOT15", "MOT16", "MOT17", "MOT20", "DanceTrack")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("results", metavar="RESULTS", help="folder of SEQUENCE.txt")
    parser.add_argument("output", metavar="OUT.zip", help="file to write")
    parser.add_argument("--benchmark", choices=BENCHMARKS, required=True, help="whose test set it is")


def run(options: argparse.Namespace) -> int:
    """Pack one submission."""
    from tracker.evaluation.submission import pack_submission

    if not options.output.lower().endswith(".zip"):
        raise InputError(f"the output must end with .zip, got {options.output}")
    say(pack_submission(options.results, options.output, options.benchmark).summary())
    return 0
