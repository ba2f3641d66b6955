"""Tracks as a `supervision.Detections`, with what the detections that they were matched to know besides."""

from __future__ import annotations

from typing import Any

import numpy as np

from tracker.arrays import Array
from tracker.errors import InputError
from tracker.wording import counted


def make_supervision(boxes: Array, scores: Array, labels: Array, ids: Array, indices: Array, source: Any) -> Any:
    """Return a `supervision.Detections`; see `Tracks.to_supervision`.

    Args:
        boxes: (N, 4) xyxy.
        scores: (N,).
        labels: (N,).
        ids: (N,).
        indices: (N,) row of each track in `source`, -1 where it was not matched.
        source: A `supervision.Detections` with masks and data, or None.

    Raises:
        ImportError: supervision is not installed.
        InputError: An index points beyond the source.
    """
    try:
        from supervision import Detections
    except ImportError as error:
        raise ImportError("Tracks.to_supervision needs supervision; pip install supervision") from error
    more: dict[str, Any] = {}
    if source is not None:
        count = len(source.xyxy)
        if indices.max(initial=-1) >= count:
            raise InputError(
                f"the tracks belong to more detections than the {counted(count, 'box', 'boxes')} of these; give the "
                "supervision.Detections of the same update"
            )
        if getattr(source, "mask", None) is not None:
            more["mask"] = _taken(np.asarray(source.mask), indices, False)
        data = getattr(source, "data", None) or {}
        more["data"] = {name: _data_of(values, indices) for name, values in data.items()}
    return Detections(xyxy=boxes, confidence=scores, class_id=labels, tracker_id=ids, **more)


def _taken(values: Array, indices: Array, fill: Any) -> Array:
    """Return `values[indices]`, and `fill` where there is no index."""
    if not len(values):
        return np.full((len(indices), *values.shape[1:]), fill, values.dtype)
    taken: Array = values[indices]  # a copy
    taken[indices < 0] = fill
    return taken


def _data_of(values: Any, indices: Array) -> Any:
    """Return a column of supervision's `data` for the tracks; a list stays one."""
    if isinstance(values, list):
        return [None if row < 0 else values[row] for row in indices.tolist()]
    values = np.asarray(values)
    if values.dtype.kind in "US":
        return _taken(values, indices, values.dtype.type())
    if values.dtype.kind == "f":
        return _taken(values, indices, np.nan)
    return _taken(values.astype(object), indices, None) if (indices < 0).any() else values[indices]
