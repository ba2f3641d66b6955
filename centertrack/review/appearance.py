"""What the objects at suspicious places look like."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

import numpy as np

from centertrack.runtime.embedder import Embedder
from tracker.arrays import Floats
from tracker.editing.suspicions import BoxAt, Suspicion
from tracker.io.frame import FrameSource


def embed_places(
    frames: FrameSource,
    suspicions: Iterable[Suspicion],
    embedder: Embedder,
    on_frame: Callable[[], None] = lambda: None,
) -> dict[BoxAt, Floats]:
    """Return the embeddings (D,) of all boxes whose likeness matters.

    Args:
        frames: What the tracks lie on; read to the last frame that is needed.
        suspicions: Of `find_suspicions`.
        embedder: Describes boxes.
        on_frame: Called after each frame.
    """
    wanted: dict[int, set[BoxAt]] = defaultdict(set)
    for place in suspicions:
        for like in place.likenesses:
            for box in (like.before, like.after):
                wanted[box.frame].add(box)
    found: dict[BoxAt, Floats] = {}
    last = max(wanted, default=0)
    for frame in frames if wanted else ():
        boxes = sorted(wanted.get(frame.number, ()))
        if boxes:
            corners = np.array([box[1:] for box in boxes], np.float32) - 1
            found.update(zip(boxes, np.asarray(embedder(frame.image, corners), np.float64), strict=True))
        on_frame()
        if frame.number >= last:
            break
    return found
