"""Results with the corrections of an edit list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracker.editing.edit_list import EditList
from tracker.errors import InputError
from tracker.io.track_formats import read_tracks
from tracker.io.track_writer import TrackedSource
from tracker.io.track_writers import open_tracks
from tracker.postprocess import Trajectories


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """Corrected tracks, and what they were made of.

    Attributes:
        tracks: After the edits; where the file does not say which boxes were seen, all count as such.
        edit_count: Edits in force.
        ids_before: Number of ids before them.
        names: Class number, from 1, -> name, where the results name them.
        has_classes: Whether there are classes; tracks of which none was told are then of class 1.
    """

    tracks: Trajectories
    edit_count: int
    ids_before: int
    names: Mapping[int, str]
    has_classes: bool

    @property
    def class_names(self) -> list[str]:
        """Name of each label, from 0."""
        return [self.names.get(number, str(number)) for number in range(1, max(self.names, default=0) + 1)]

    def write(self, path: Path, source: TrackedSource) -> None:
        """Write the tracks in the format of the suffix.

        Raises:
            InputError: There is no such format, or the file cannot be written.
        """
        writer = open_tracks(path, source)
        try:
            for number, tracks in self.tracks:
                writer.write(number, tracks)
        except BaseException:
            writer.abandon()
            raise
        writer.close()


def read_edited(results: Path, edits: Path) -> Edited:
    """Return corrected tracks.

    Args:
        results: As a tracker wrote them, in any format that `evaluate` reads.
        edits: The list of the corrections.

    Raises:
        InputError: A file cannot be read, the list is of other results, or an edit does not fit.
    """
    if not edits.is_file():
        raise InputError(f"{edits}: no such edit list; centertrack review makes one")
    table = read_tracks(results)
    before, found = table.results(), EditList(edits, results)
    after = found.apply(before)
    order = np.lexsort((after.frames, after.ids))
    tracks = Trajectories(
        frames=after.frames[order],
        ids=after.ids[order],
        boxes=after.boxes_xyxy[order].astype(np.float64),
        scores=after.scores[order],
        labels=np.maximum(after.classes[order], 1) - 1,
        indices=np.zeros(len(after), np.int64) if after.seen is None else after.seen[order].astype(np.int64) - 1,
        embeddings={},
    )
    has_classes = bool((after.classes > 0).any())
    return Edited(tracks, len(found.edits), len(np.unique(before.ids)), table.names, has_classes)
