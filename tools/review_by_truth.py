"""Decide the first places of the review page as somebody would who knows the truth, and write the edit list.

    python tools/review_by_truth.py GROUND_TRUTH RESULTS.txt EDITS.jsonl [--places 50]
    centertrack evaluate --gt GROUND_TRUTH --results RESULTS.txt --edits EDITS.jsonl

It stands for ten minutes of a person, and shows what they are worth. At each place the alternative is taken that gives
the higher IDF1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jsonargparse import auto_cli

from tracker.editing.edit_list import EditList
from tracker.editing.edits import apply_edits
from tracker.editing.suspicions import Suspicion, find_suspicions
from tracker.errors import InputError
from tracker.evaluation.evaluator import Protocol, prepare
from tracker.evaluation.identity import measure_identity
from tracker.evaluation.sequences import find_sequences
from tracker.io.mot import DEFAULT_FRAME_RATE, GroundTruthRows, MotRows, ResultRows, read_results
from tracker.io.sequence_table import SequenceTable
from tracker.io.track_formats import read_truth


def review_by_truth(gt: Path, results: Path, edits: Path, places: int = 50) -> None:
    """Write an edit list.

    Args:
        gt: Ground truth of the sequence, as of `evaluate`.
        results: A file of MOTChallenge rows.
        edits: The list to write; it must not exist.
        places: How many places are looked at.
    """
    if edits.exists():
        raise InputError(f"{edits} exists; choose another name, or delete it")
    (files,) = find_sequences(gt, results)
    truth = read_truth(files.gt_format, files.ground_truth, files.name, files.top)

    def idf1(rows: ResultRows) -> float:
        ones = np.ones(len(rows), np.int64)
        columns = rows.path, rows.lines, rows.frames, rows.ids, rows.boxes_xywh
        found = GroundTruthRows(*columns, ones, rows.classes, np.ones(len(rows)), True)
        none = MotRows(rows.path, *(column[:0] for column in columns[1:]))
        return measure_identity(prepare(files, Protocol(), truth, SequenceTable(found, rows.scores, none)).only()).idf1

    rows, decided, taken = read_results(results), set(), 0
    listed = EditList(edits, results)
    best = idf1(rows)
    for _ in range(places):
        place = next((one for one in find_suspicions(rows, DEFAULT_FRAME_RATE) if _key(one) not in decided), None)
        if place is None:
            break
        decided.add(_key(place))
        alternative = place.alternatives[1]
        changed = apply_edits(rows, alternative.edits)
        if (score := idf1(changed)) > best:
            best, rows, taken = score, changed, taken + 1
            for edit in alternative.edits:
                listed.append(edit)
    print(f"{len(decided)} places looked at, {taken} corrected, IDF1 {best:.4f}")


def _key(place: Suspicion) -> tuple[str, tuple[int, ...], int]:
    return place.kind, place.ids, place.frame


if __name__ == "__main__":
    auto_cli(review_by_truth)
