"""`centertrack edit`: apply the corrections of an edit list."""

from __future__ import annotations

import argparse
from pathlib import Path

from centertrack.app.outputs import check_suffix
from centertrack.commands.shared.terminal import say
from tracker.wording import counted

SUMMARY = "apply an edit list of the review page to results"
DESCRIPTION = """Apply the corrections that were made with `centertrack review` to the results they were made for, and
write the corrected rows. The results and the list stay as they are. A list of other results, or of results that
changed since, is refused."""
EPILOG = """examples:
  centertrack edit street.txt street.edits.jsonl --results corrected.txt
  centertrack evaluate --gt gt.txt --results street.txt --edits street.edits.jsonl"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("tracks", metavar="RESULTS", type=Path, help="tracks as written by track")
    parser.add_argument("edits", metavar="EDITS", type=Path, help="edit list, RESULTS with the ending .edits.jsonl")
    parser.add_argument("--results", required=True, metavar="FILE", help="where the corrected rows go")


def run(options: argparse.Namespace) -> int:
    """Apply all edits."""
    from tracker.editing.edited import write_edited

    check_suffix("--results", options.results, ".txt")
    edits, before, after = write_edited(options.tracks, options.edits, Path(options.results))
    say(f"{options.results}: {counted(edits, 'edit')}, {counted(before, 'id')} before, {after} after")
    return 0
