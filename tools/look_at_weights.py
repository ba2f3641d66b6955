"""Draw what weights see: a sheet of frames with tracks, to be looked at.

    python tools/look_at_weights.py fairmot-nano SHEET.png VIDEO_OR_SEQUENCE ... [--frames 4]

One row a source. A figure says how many people were missed; a sheet says which.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jsonargparse import auto_cli

from centertrack.app.pipeline import FrameResult, Pipeline
from centertrack.predictor import Predictor
from tracker import DEFAULT_TRACKER, make_tracker
from tracker.draw import draw_tracks
from tracker.io.atomic import atomic_path
from tracker.io.images import write_image
from tracker.io.video import open_source

TILE = (640, 400)  # width and height


def look_at_weights(
    weights: str,
    sheet: Path,
    sources: list[str],
    frames: int = 4,
    tracker: str = DEFAULT_TRACKER,
    max_frames: int = 400,
) -> None:
    """Track every source and draw evenly spread frames of it.

    Args:
        weights: Name of shipped weights, or a file.
        sheet: PNG to write.
        sources: Videos, folders of images, or MOTChallenge sequences.
        frames: Tiles a row.
        tracker: Name of a tracker.
        max_frames: Of each source.
    """
    predictor = Predictor(weights)
    rows = [np.hstack(_row(predictor, source, frames, tracker, max_frames)) for source in sources]
    with atomic_path(sheet) as temporary:
        write_image(temporary, np.vstack(rows))


def _row(predictor: Predictor, source: str, frames: int, tracker: str, max_frames: int) -> list[np.ndarray]:
    with open_source(source) as opened:
        count = min(opened.frame_count or max_frames, max_frames)
        wanted = set(np.linspace(1, count, frames + 1).astype(int)[1:].tolist())
        tiles: list[np.ndarray] = []

        def keep(result: FrameResult) -> None:
            if result.frame.number in wanted and result.tracks is not None:
                tiles.append(_fit(draw_tracks(result.frame.image, result.tracks)))

        follower = make_tracker(tracker, frame_rate=opened.frame_rate)
        Pipeline(opened, predictor, follower, max_frames=max_frames).run(keep)
    return tiles + [np.zeros((TILE[1], TILE[0], 3), np.uint8)] * (frames - len(tiles))


def _fit(image: np.ndarray) -> np.ndarray:
    factor = min(TILE[0] / image.shape[1], TILE[1] / image.shape[0])
    small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    bottom, right = TILE[1] - small.shape[0], TILE[0] - small.shape[1]
    return cv2.copyMakeBorder(small, 0, bottom, 0, right, cv2.BORDER_CONSTANT)


if __name__ == "__main__":
    auto_cli(look_at_weights)
