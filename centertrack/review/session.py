"""The tracks under review: those of the file, and what the edits have made of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from centertrack.review.appearance import embed_places
from centertrack.review.media import Media
from centertrack.runtime.embedder import Embedder
from tracker.arrays import Floats
from tracker.editing.edit_list import EditList
from tracker.editing.edits import Edit
from tracker.editing.suspicions import BoxAt, find_suspicions, weigh_appearance
from tracker.errors import InputError
from tracker.io.frame import FrameSource
from tracker.io.mot import ResultRows
from tracker.io.track_formats import read_tracks

_LOG = logging.getLogger(__name__)
MAX_ID = 2**31 - 1  # of a page: ids travel as int32
WORDS_PER_ROW = 8  # of four bytes: frame, id, class as int32; score, left, top, width, height as float32
MAX_OUTSIDE = 0.1  # share of boxes whose centre lies outside of the image
MIN_COVERED = 0.55  # of either side of the image that boxes of the same video reach
_MANY = 100  # boxes that say something about where others would be


class ReviewSession:
    """One file of results with its edits, for one video. All methods may be called from several threads.

    Args:
        media: What the tracks lie on.
        results: A tracker's output, in any format that `evaluate` reads.
        edits: The list; it need not exist.

    Attributes:
        media: As given.
        names: Class number -> name, where the results name them.

    Raises:
        InputError: A file cannot be read, the results are not of this video, or the edits not of these results.
    """

    def __init__(self, media: Media, results: Path, edits: Path) -> None:
        table = read_tracks(results)
        self.media, self.names, self.results = media, dict(table.names), results
        self._original = table.results()
        self._refuse_others()
        self._edits = EditList(edits, results)
        self._rows = self._edits.apply(self._original)
        self._lock = Lock()
        self._suspicions: list[dict[str, Any]] | None = None
        self._embeddings: dict[BoxAt, Floats] = {}

    def _refuse_others(self) -> None:
        rows, media = self._original, self.media
        if not len(rows):
            return
        if rows.frames.max() > media.numbers[-1]:
            raise InputError(
                f"{self.results} has boxes up to frame {rows.frames.max()}, {media.name} ends with frame "
                f"{media.numbers[-1]}: they do not belong together"
            )
        if not 0 <= rows.ids.min() <= rows.ids.max() <= MAX_ID:
            raise InputError(
                f"{self.results}: expected ids from 0 to {MAX_ID}, found {rows.ids.min()} to {rows.ids.max()}"
            )
        order = np.lexsort((rows.ids, rows.frames))
        again = (np.diff(rows.frames[order]) == 0) & (np.diff(rows.ids[order]) == 0)
        if again.any():
            twice = int(order[again.argmax() + 1])
            raise rows.row_error(
                twice, f"id {rows.ids[twice]} is twice in frame {rows.frames[twice]}; run centertrack validate"
            )
        width, height = media.size
        centres = rows.boxes_xywh[:, :2] - 1 + rows.boxes_xywh[:, 2:] / 2
        outside = ((centres < 0) | (centres > (width, height))).any(axis=1)
        reach = np.percentile(rows.boxes_xywh[:, :2] + rows.boxes_xywh[:, 2:], 99, axis=0)
        if outside.mean() > MAX_OUTSIDE:
            raise InputError(
                f"{self.results} has boxes up to ({reach[0]:.0f}, {reach[1]:.0f}), {media.name} is {width}x{height}: "
                "they do not belong together"
            )
        if len(rows) >= _MANY and (reach < MIN_COVERED * np.array(media.size)).all():
            _LOG.warning(
                "%s: all boxes lie left of %.0f and above %.0f, though %s is %dx%d: are they of a smaller copy?",
                self.results,
                *reach,
                media.name,
                width,
                height,
            )

    def about(self) -> dict[str, Any]:
        """Return what the page needs to know before the tracks."""
        media = self.media
        with self._lock:
            return {
                "name": media.name,
                "results": str(self.results),
                "edits": str(self._edits.path),
                "edit_count": len(self._edits.edits),
                "digest": self._edits.digest,
                "size": media.size,
                "frame_rate": media.frame_rate,
                "first": int(media.numbers[0]),
                "last": int(media.numbers[-1]),
                "is_video": media.video is not None,
                "names": self.names,
                "has_classes": bool((self._original.classes > 0).any()),
            }

    def tracks(self, ids: Collection[int] | None = None, original: bool = False) -> bytes:
        """Return boxes sorted by id, then frame, as columns one after the other.

        Args:
            ids: Only these; all by default.
            original: As in the file, without the edits.

        Returns:
            Little-endian: frames, ids and classes as int32 (N,) each, then scores, lefts, tops (from 0), widths and
            heights as float32 (N,) each.
        """
        with self._lock:
            rows = self._original if original else self._rows
        if ids is not None:
            rows = rows.where(np.isin(rows.ids, np.array(list(ids), np.int64)))
        return _packed(rows)

    def edit(self, edit: Edit | None) -> dict[str, Any]:
        """Add an edit to the list, or take the last one back.

        Args:
            edit: None takes back.

        Returns:
            `changed`, the ids whose boxes are others now; `edit_count`; and `was`, the edit that was taken back.

        Raises:
            InputError: It does not fit, or cannot be written; then all is as it was.
        """
        with self._lock:
            if edit is None:
                last = self._edits.edits[-1:]
                self._edits.append(None)
                self._rows = self._edits.apply(self._original)
                changed = last[0].touches()
            else:
                if max(edit.touches()) > MAX_ID:
                    raise InputError(f"expected ids up to {MAX_ID}, got {max(edit.touches())}")
                self._refuse_beyond(edit)
                rows = edit.apply(self._rows)
                self._edits.append(edit)
                self._rows, last, changed = rows, [], edit.touches()
            self._suspicions = None
            was = last[0].as_json() if last else None
            return {"changed": sorted(changed), "edit_count": len(self._edits.edits), "was": was}

    def _refuse_beyond(self, edit: Edit) -> None:
        keys = getattr(edit, "keys", ())
        if keys and keys[-1][0] > self.media.numbers[-1]:
            raise InputError(f"{self.media.name} ends with frame {self.media.numbers[-1]}, got a box in {keys[-1][0]}")

    def add_appearance(self, source: FrameSource, embedder: Embedder, on_frame: Callable[[], None]) -> None:
        """Let what objects look like tell at the suspicious places; `embed_places` says what the arguments are."""
        places = find_suspicions(self._rows, self.media.frame_rate)
        self._embeddings = embed_places(source, places, embedder, on_frame)

    def suspicions(self) -> list[dict[str, Any]]:
        """Return the suspicious places of the tracks as they are now."""
        with self._lock:
            if self._suspicions is None:
                found = weigh_appearance(find_suspicions(self._rows, self.media.frame_rate), self._embeddings)
                self._suspicions = [one.as_json() for one in found]
            return self._suspicions


def _packed(rows: ResultRows) -> bytes:
    order = np.lexsort((rows.frames, rows.ids))
    whole = np.stack([rows.frames[order], rows.ids[order], rows.classes[order]]).astype("<i4")
    xywh = rows.boxes_xywh[order] - np.array([1, 1, 0, 0])
    return whole.tobytes() + np.concatenate([rows.scores[order][None], xywh.T]).astype("<f4").tobytes()
