"""Results with the corrections of an edit list, as a file of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.editing.edit_list import EditList
from tracker.errors import InputError
from tracker.io.mot import ResultRows
from tracker.io.track_formats import guess_track_format, read_found
from tracker.postprocess import Trajectories


def edited_rows(results: Path, edits: Path) -> tuple[ResultRows, ResultRows, int]:
    """Return the rows of a file of results, the same corrected, and how many edits did it.

    Raises:
        InputError: A file cannot be read, the list is of other results, or an edit does not fit.
    """
    if not edits.is_file():
        raise InputError(f"{edits}: no such edit list; centertrack review makes one")
    rows = read_found(guess_track_format(results), results, results.stem, results).results()
    found = EditList(edits, results)
    return rows, found.apply(rows), len(found.edits)


def write_edited(results: Path, edits: Path, output: Path) -> tuple[int, int, int]:
    """Write corrected MOTChallenge rows.

    Args:
        results: As a tracker wrote them.
        edits: The list of the corrections.
        output: The file to write.

    Returns:
        The number of edits, and of ids before and after.

    Raises:
        InputError: As `edited_rows`, `output` is one of the two, or cannot be written.
    """
    if output.exists() and any(output.samefile(path) for path in (results, edits) if path.exists()):
        raise InputError(
            f"--results {output} is what the edits are about and would be overwritten; choose another file"
        )
    before, after, count = edited_rows(results, edits)
    order = np.lexsort((after.frames, after.ids))
    has_classes = bool((after.classes > 0).any())
    corrected = Trajectories(
        frames=after.frames[order],
        ids=after.ids[order],
        boxes=after.boxes_xyxy[order].astype(np.float64),
        scores=after.scores[order],
        labels=after.classes[order] - 1,
        embeddings={},
    )
    corrected.write(output, has_classes)
    return count, len(np.unique(before.ids)), len(np.unique(after.ids))
