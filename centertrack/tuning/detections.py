"""Detections that every trial needs, found once and kept."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from centertrack.runtime.openvino_cache import cache_folder
from centertrack.runtime.weights import find_weights
from tracker.arrays import Array, Integers
from tracker.detections import Detections
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.detected_mot import read_sequence_detections
from tracker.io.video import open_source

if TYPE_CHECKING:
    from centertrack.predictor import Predictor

_FIELDS = ("boxes", "scores", "labels", "starts")


@dataclass(frozen=True, slots=True, eq=False)
class SequenceDetections:
    """All detections of one sequence.

    Attributes:
        everything: Of all frames, one after the other.
        starts: (F + 1,) int64, where each frame begins.
        has_classes: Whether the labels say classes.
    """

    everything: Detections
    starts: Integers
    has_classes: bool

    def frames(self) -> Iterator[tuple[int, Detections]]:
        """Give frame number, from 1, and detections of every frame, also of those without any."""
        for number, (start, end) in enumerate(pairwise(self.starts.tolist()), start=1):
            yield number, self.everything[start:end]

    def digest(self) -> str:
        """Return what is different for other detections."""
        parts = (self.everything.boxes, self.everything.scores, self.everything.labels, self.starts)
        return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()


def public_sequence(folder: Path) -> SequenceDetections:
    """Return the detections of det/det.txt.

    Raises:
        InputError: As `read_sequence_detections`.
    """
    found = read_sequence_detections(folder)
    starts = np.searchsorted(found.frames, np.arange(1, found.length + 2))
    return SequenceDetections(found.detections, starts, found.has_classes)


def cached_file(folder: Path, weights: str, image_size: tuple[int, int] | None, min_score: float) -> Path:
    """Return the npz file that belongs to the frames of a folder and to weights, by their digest.

    Raises:
        InputError: There are no such weights.
    """
    content = hashlib.sha256(find_weights(weights).read_bytes()).hexdigest()
    words = (content, str(folder.resolve()), str(image_size), f"{min_score:g}")
    name = hashlib.sha256("\n".join(words).encode()).hexdigest()[:24]
    return cache_folder() / "detections" / f"{folder.name}-{name}.npz"


def detect_once(folder: Path, file: Path, predictor: Callable[[], Predictor], advance: Callable[[], None]) -> None:
    """Detect in all frames of a sequence and keep the result, unless it is there.

    Args:
        folder: With frames.
        file: As `cached_file` names it.
        predictor: Makes the detector, if it is needed.
        advance: Called after each frame.

    Raises:
        InputError: The frames cannot be read.
    """
    if file.is_file():
        return
    network = predictor()
    found: list[Detections] = []
    with open_source(str(folder)) as source:
        for frame in source:
            found += network([frame.image])
            advance()
    counts = [len(one) for one in found]
    arrays: dict[str, Array] = {
        "boxes": np.concatenate([one.boxes for one in found] or [np.zeros((0, 4), np.float32)]),
        "scores": np.concatenate([one.scores for one in found] or [np.zeros(0, np.float32)]),
        "labels": np.concatenate([one.labels for one in found] or [np.zeros(0, np.int64)]),
        "starts": np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]),
        "has_classes": np.array(len(network.class_names) != 1),
    }
    embeddings = [one.embeddings for one in found if len(one) and one.embeddings is not None]
    if embeddings:
        arrays["embeddings"] = np.concatenate(embeddings)
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as temporary, temporary.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]


def read_cached(file: Path) -> SequenceDetections:
    """Read what `detect_once` kept.

    Raises:
        InputError: The file is damaged.
    """
    try:
        with np.load(file) as stored:
            boxes, scores, labels, starts = (stored[name] for name in _FIELDS)
            embeddings = stored.get("embeddings")
            has_classes = bool(stored["has_classes"])
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"cannot read {file}: {error}; remove it, and it is made again") from error
    return SequenceDetections(Detections(boxes, scores, labels, embeddings), starts, has_classes)
