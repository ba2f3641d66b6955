"""What goes into a tracker and what comes out of it: validated arrays, one row an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tracker.arrays import Array, Mask
from tracker.errors import InputError
from tracker.supervision_columns import make_supervision
from tracker.wording import agreed, counted


@dataclass(frozen=True, slots=True, eq=False, init=False, repr=False)
class Detections:
    """The objects that a detector found in one frame.

    Anything array-like is accepted and converted; what cannot be a box, a score, a label or an embedding is an error.

    Attributes:
        boxes: (N, 4) float32, xyxy in source pixels, 0-based, continuous.
        scores: (N,) float32, confidence, usually in [0, 1].
        labels: (N,) int64, class of each box; all 0 if not given.
        embeddings: (N, D) float32 appearance, rows of unit length (normalised here if they are not), or None.

    Raises:
        InputError: A shape does not fit, a value is not finite, or a box ends before it starts.

    >>> detections = Detections([[10, 20, 30, 60], [40, 20, 60, 60]], [0.9, 0.4])
    >>> len(detections), detections[detections.scores > 0.5].boxes.tolist()
    (2, [[10.0, 20.0, 30.0, 60.0]])
    """

    boxes: Array
    scores: Array
    labels: Array
    embeddings: Array | None

    def __init__(
        self,
        boxes: ArrayLike,
        scores: ArrayLike,
        labels: ArrayLike | None = None,
        embeddings: ArrayLike | None = None,
    ) -> None:
        boxes = _boxes(boxes)
        count = len(boxes)
        _set(self, "boxes", boxes)
        _set(self, "scores", _column("scores", scores, count, np.float32))
        _set(
            self, "labels", np.zeros(count, np.int64) if labels is None else _column("labels", labels, count, np.int64)
        )
        _set(self, "embeddings", None if embeddings is None else _unit_rows(embeddings, count))

    @classmethod
    def empty(cls, embedding_dim: int | None = None) -> Detections:
        """Return no detections: a frame in which nothing was found still moves a tracker's time on."""
        embeddings = None if embedding_dim is None else np.zeros((0, embedding_dim), np.float32)
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), None, embeddings)

    @classmethod
    def from_xyxy(
        cls,
        boxes: ArrayLike,
        scores: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        embeddings: ArrayLike | None = None,
    ) -> Detections:
        """Take boxes as their corners.

        Args:
            boxes: (N, 4), x1 y1 x2 y2 in pixels.
            scores: (N,); 1 if not given.
            labels: (N,) whole numbers; 0 if not given.
            embeddings: (N, D) appearance of each box, or None.
        """
        boxes = _boxes(boxes)
        return cls(boxes, np.ones(len(boxes), np.float32) if scores is None else scores, labels, embeddings)

    @classmethod
    def from_xywh(
        cls,
        boxes: ArrayLike,
        scores: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        embeddings: ArrayLike | None = None,
    ) -> Detections:
        """Take boxes as a corner and their size (COCO, MOTChallenge less 1).

        Args:
            boxes: (N, 4), left, top, width, height in pixels.
            scores: (N,); 1 if not given.
            labels: (N,) whole numbers; 0 if not given.
            embeddings: (N, D) appearance of each box, or None.

        >>> Detections.from_xywh([[10, 20, 30, 40]]).boxes.tolist()
        [[10.0, 20.0, 40.0, 60.0]]
        """
        boxes = _as_array("boxes", boxes, np.float32)
        if boxes.size and (boxes.ndim != 2 or boxes.shape[1] != 4):
            raise InputError(f"boxes must have shape (N, 4) as x y width height, got {boxes.shape}")
        boxes = boxes.reshape(-1, 4)
        corners = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)
        return cls.from_xyxy(corners, scores, labels, embeddings)

    @classmethod
    def from_rows(cls, rows: ArrayLike, embeddings: ArrayLike | None = None) -> Detections:
        """Take an array whose columns are boxes, and perhaps their scores and classes.

        Args:
            rows: (N, 4 to 6), columns x1 y1 x2 y2 [score [class]]; scores are 1 and labels 0 if missing.
            embeddings: (N, D) appearance of each box, or None.

        Raises:
            InputError: It has another shape, or a class that is no whole number.

        >>> Detections.from_rows([[10, 20, 30, 60, 0.9, 2]])
        Detections(1 box, score 0.9, label 2)
        """
        rows = _as_array("boxes", rows, np.float64)
        if not rows.size:
            return cls.empty()
        if rows.ndim != 2 or rows.shape[1] not in (4, 5, 6):
            raise InputError(
                f"boxes must have shape (N, 4 to 6), columns x1 y1 x2 y2 [score [class]], got {rows.shape}"
            )
        labels = rows[:, 5] if rows.shape[1] == 6 else None
        if labels is not None and (labels % 1 != 0).any():  # not where it is not finite either
            row = int(np.flatnonzero(labels % 1 != 0)[0])
            raise InputError(
                f"column 6 of boxes must be the class, a whole number, row {row} has {labels[row]:g}; the columns are "
                "x1 y1 x2 y2 score class"
            )
        return cls.from_xyxy(rows[:, :4], rows[:, 4] if rows.shape[1] > 4 else None, labels, embeddings)

    @classmethod
    def from_supervision(cls, detections: Any, embeddings: ArrayLike | None = None) -> Detections:
        """Take a `supervision.Detections`.

        Args:
            detections: What it does not have gets score 1 and label 0.
            embeddings: (N, D) appearance of each box, or None.
        """
        scores = np.ones(len(detections.xyxy), np.float32) if detections.confidence is None else detections.confidence
        return cls(detections.xyxy, scores, detections.class_id, embeddings)

    @classmethod
    def from_ultralytics(cls, results: Any, embeddings: ArrayLike | None = None) -> Detections:
        """Take what an ultralytics model has found in one image.

        Args:
            results: One `Results`, on any device.
            embeddings: (N, D) appearance of each box, or None.
        """
        boxes = results.boxes
        return cls(_to_numpy(boxes.xyxy), _to_numpy(boxes.conf), _to_numpy(boxes.cls), embeddings)

    @classmethod
    def from_torchvision(cls, output: Mapping[str, Any], embeddings: ArrayLike | None = None) -> Detections:
        """Take what a torchvision detector has found in one image.

        Args:
            output: The dictionary with boxes, scores and labels, on any device.
            embeddings: (N, D) appearance of each box, or None.
        """
        return cls(_to_numpy(output["boxes"]), _to_numpy(output["scores"]), _to_numpy(output["labels"]), embeddings)

    def __repr__(self) -> str:
        """Return one line: how many boxes, the range of their scores, their labels, the length of the embeddings."""
        if not len(self):
            return "Detections(no boxes)"
        length = "" if self.embeddings is None else f", embeddings of length {self.embeddings.shape[1]}"
        low, high = f"{self.scores.min():.3g}", f"{self.scores.max():.3g}"
        scores = f"score {low}" if len(self) == 1 else f"scores {low}" + (f" to {high}" if high != low else "")
        return f"Detections({counted(len(self), 'box', 'boxes')}, {scores}, {_listed('label', self.labels)}{length})"

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Any) -> Detections:
        """Return the chosen rows (boolean mask, index array or slice), without validating them again."""
        chosen = object.__new__(Detections)
        _set(chosen, "boxes", _rows_of(self.boxes, rows))
        _set(chosen, "scores", self.scores[rows])
        _set(chosen, "labels", self.labels[rows])
        _set(chosen, "embeddings", None if self.embeddings is None else _rows_of(self.embeddings, rows))
        return chosen

    def clipped(self, size: tuple[int, int]) -> Detections:
        """Return the detections with boxes cut to an image of this (width, height), less those outside of it."""
        boxes = self.boxes.clip(0, np.array([*size, *size], np.float32))
        inside = (boxes[:, 2:] > boxes[:, :2]).all(axis=1).nonzero()[0]
        chosen = self[inside]
        _set(chosen, "boxes", boxes[inside])
        return chosen


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Tracks:
    """The objects that a tracker follows in one frame, as its `update` returns them.

    Attributes:
        ids: (N,) int64, positive, given by the tracker object from 1; the same object keeps its id.
        boxes: (N, 4) float32, xyxy in the frame's pixels.
        scores: (N,) float32, score of the detection each track was last matched to.
        labels: (N,) int64, class of each track.
        indices: (N,) int64, row in this update's detections that the track was matched to; -1 where it was not.
        source: The `supervision.Detections` that `update` was given, to which `indices` point as well; else None.

    Boxes are those of the tracks, not cut to the image: of somebody who leaves it, they go on beyond its edges.
    """

    ids: Array
    boxes: Array
    scores: Array
    labels: Array
    indices: Array
    source: Any = None

    @classmethod
    def empty(cls) -> Tracks:
        """Return no tracks."""
        none = np.zeros(0, np.int64)
        return cls(none, np.zeros((0, 4), np.float32), np.zeros(0, np.float32), none, none)

    @property
    def seen(self) -> Mask:
        """(N,) bool, whether a track was detected in this frame; if not, its motion says where it is (coasting)."""
        return np.asarray(self.indices >= 0)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, rows: Any) -> Tracks:
        """Return the chosen rows (boolean mask, index array or slice)."""
        return Tracks(
            self.ids[rows],
            self.boxes[rows],
            self.scores[rows],
            self.labels[rows],
            self.indices[rows],
            self.source,
        )

    def clipped(self, size: tuple[int, int]) -> Tracks:
        """Return the tracks with boxes cut to an image of this (width, height), without those that lie outside of it.

        >>> tracks = Tracks(np.array([1, 2]), np.array([[-5, 2, 8, 30], [50, 2, 60, 30]]), *np.zeros((3, 2), int))
        >>> tracks.clipped((20, 20)).boxes.tolist()
        [[0, 2, 8, 20]]
        """
        boxes = self.boxes.clip(0, np.array([*size, *size], self.boxes.dtype))
        return replace(self, boxes=boxes)[(boxes[:, 2:] > boxes[:, :2]).all(axis=1)]

    def __repr__(self) -> str:
        """Return one line: how many there are, their ids, and how many of them are coasting."""
        if not len(self):
            return "Tracks(none)"
        coasting = int((self.indices < 0).sum())
        rest = f", {coasting} coasting" if coasting else ""
        return f"Tracks({len(self)}, {_listed('id', self.ids)}{rest})"

    def to_supervision(self, detections: Any = None) -> Any:
        """Return a `supervision.Detections` with tracker ids, for its annotators and zones.

        What the `supervision.Detections` of this update know besides, masks and `data` such as class names, goes with
        the track that each was matched to. A coasting track gets an empty mask, and in `data` "" for text, nan for
        fractions and None for everything else.

        Args:
            detections: The `supervision.Detections` of this update; those that `update` was given if left out.

        Raises:
            ImportError: supervision is not installed.
            InputError: The tracks were matched to other detections, of which there were more.
        """
        source = self.source if detections is None else detections
        return make_supervision(self.boxes, self.scores, self.labels, self.ids, self.indices, source)


def as_detections(value: Any) -> Detections:
    """Return what a tracker is given as `Detections`: those, boxes in rows, or a `supervision.Detections`.

    Raises:
        InputError: It is none of them, or holds what cannot be a box.
    """
    if isinstance(value, Detections):
        return value
    if hasattr(value, "xyxy") and hasattr(value, "confidence") and hasattr(value, "class_id"):
        return Detections.from_supervision(value)
    value = _to_numpy(value)
    if isinstance(value, np.ndarray):
        return Detections.from_rows(value)
    raise InputError(
        "update takes tracker.Detections, an array (N, 4 to 6) of x1 y1 x2 y2 [score [class]], or "
        f"supervision.Detections, got {type(value).__name__}; Detections.from_... make the first of other things"
    )


_SHOWN = 6  # ids or labels in a line
_FARTHEST = 1e12  # pixels; float32 keeps products of areas finite
_set = object.__setattr__  # the only way to fill a frozen instance


def _rows_of(matrix: Array, rows: Any) -> Array:
    """Return `matrix[rows]`; for an index array by `take`, which is several times quicker."""
    if isinstance(rows, np.ndarray) and rows.dtype == np.int64:
        return matrix.take(rows, axis=0)
    chosen: Array = matrix[rows]
    return chosen


def _boxes(values: ArrayLike) -> Array:
    boxes = _as_array("boxes", values, np.float32)
    if boxes.size == 0:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise InputError(f"boxes must have shape (N, 4) as x1 y1 x2 y2, got {boxes.shape}")
    usable = np.abs(boxes) <= _FARTHEST  # not where they are not finite
    if not usable.all():
        row = int(np.flatnonzero(~usable.all(axis=1))[0])
        limit = "finite numbers" if not np.isfinite(boxes[row]).all() else f"numbers within {_FARTHEST:.0e}"
        raise InputError(f"boxes must be {limit}, row {row} is {boxes[row].tolist()}; drop it before tracking")
    if (boxes[:, 2:] < boxes[:, :2]).any():
        row = int(np.flatnonzero((boxes[:, 2:] < boxes[:, :2]).any(axis=1))[0])
        raise InputError(
            f"boxes must be x1 y1 x2 y2 with x2 >= x1 and y2 >= y1, row {row} is {boxes[row].tolist()}; "
            "for x y width height use Detections.from_xywh"
        )
    return boxes


def _column(name: str, values: ArrayLike, count: int, dtype: type) -> Array:
    column = _as_array(name, values, dtype)
    if column.shape != (count,):
        if column.size == count == 0:
            return column.reshape(0)
        raise InputError(f"{name} must have one value per box, shape ({count},), got {column.shape}")
    if dtype is np.float32 and not np.isfinite(column).all():
        row = int(np.flatnonzero(~np.isfinite(column))[0])
        raise InputError(f"{name} must be finite numbers, row {row} is {column[row]}")
    return column


def _unit_rows(values: ArrayLike, count: int) -> Array:
    embeddings = _as_array("embeddings", values, np.float32)
    if embeddings.ndim != 2 or len(embeddings) != count:
        if embeddings.size == count == 0:
            return np.zeros((0, 0), np.float32)
        raise InputError(f"embeddings must have one row per box, shape ({count}, D), got {embeddings.shape}")
    squared = np.einsum("nd,nd->n", embeddings, embeddings)
    if not np.isfinite(squared).all():
        row = int(np.flatnonzero(~np.isfinite(squared))[0])
        raise InputError(f"embeddings must be finite numbers, row {row} is not")
    if np.abs(squared - 1.0).max(initial=0.0) < 1e-4:
        return embeddings
    return embeddings / np.sqrt(np.maximum(squared, 1e-24))[:, None]


def _listed(noun: str, values: Array) -> str:
    """Name the distinct values, and of many the first ones.

    >>> _listed("id", np.array([3, 1, 1])), _listed("label", np.array([0]))
    ('ids 1 3', 'label 0')
    """
    distinct = np.unique(values).tolist()
    shown = " ".join(map(str, distinct[:_SHOWN])) + (" ..." if len(distinct) > _SHOWN else "")
    return f"{agreed(len(distinct), noun)} {shown}"


def _to_numpy(values: Any) -> Any:
    return values.detach().cpu().numpy() if hasattr(values, "detach") else values


def _as_array(name: str, values: ArrayLike, dtype: type) -> Array:
    try:
        with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused
            return np.asarray(values, dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name} must be numbers in an array: {error}") from error
