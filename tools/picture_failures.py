"""Show where weights fail: frames of the demonstration's street with what was missed and what was invented.

    python tools/picture_failures.py fairmot-nano docs/images/fairmot-nano-failures.jpg

The truth of that street is known to the pixel, and its pictures belong to this project, so that they can be shown.
"""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jsonargparse import auto_cli

from centertrack.app.demo import run_demo
from centertrack.predictor import Predictor
from tracker.assignment import match
from tracker.boxes import iou_matrix
from tracker.io.atomic import atomic_path
from tracker.io.images import write_image
from tracker.io.mot import read_ground_truth, read_results
from tracker.io.video import open_source

FOUND, MISSED, INVENTED = (60, 200, 60), (235, 40, 40), (255, 160, 0)  # RGB
MIN_IOU = 0.5
APART = 25  # frames from one picture to the next, at least


class Verdict(NamedTuple):
    """What became of one frame: xyxy boxes."""

    found: np.ndarray
    missed: np.ndarray
    invented: np.ndarray

    @property
    def mistakes(self) -> int:
        """Return how many boxes are wrong or lacking."""
        return len(self.missed) + len(self.invented)


def picture_failures(weights: str, picture: Path, frames: int = 2, quality: int = 80) -> None:
    """Write the frames with the most mistakes side by side: green found, red missed, orange invented.

    Args:
        weights: Name of shipped weights, or a file.
        picture: JPEG to write.
        frames: How many.
        quality: Of the JPEG, 1 to 100.
    """
    with tempfile.TemporaryDirectory() as folder:
        files, _, result = run_demo(Path(folder), Predictor(weights), lambda *_: nullcontext(lambda: None))
        truth, tracks = read_ground_truth(files.ground_truth / "gt" / "gt.txt"), read_results(files.results)
        verdicts = {
            number: judge(tracks.boxes_xyxy[tracks.frames == number], truth.boxes_xyxy[truth.frames == number])
            for number in np.unique(truth.frames).tolist()
        }
        chosen = worst(verdicts, frames)
        with open_source(files.video) as source:
            images = {frame.number: frame.image for frame in islice(source, max(chosen)) if frame.number in chosen}
    sheet = np.hstack([_draw(images[number], verdicts[number]) for number in chosen])
    with atomic_path(picture) as temporary:
        write_image(temporary, sheet, quality)
    total = {name: sum(len(getattr(verdict, name)) for verdict in verdicts.values()) for name in Verdict._fields}
    print(f"{total}; frames {chosen}; MOTA {result.combined.to_dict()['MOTA']:.3f}")


def judge(boxes: np.ndarray, truth: np.ndarray) -> Verdict:
    """Pair tracked with true boxes of one frame at an IoU of half or more."""
    rows, columns = match(1 - iou_matrix(boxes, truth), 1 - MIN_IOU).T
    missed, invented = np.ones(len(truth), bool), np.ones(len(boxes), bool)
    missed[columns], invented[rows] = False, False
    return Verdict(boxes[~invented], truth[missed], boxes[invented])


def worst(verdicts: dict[int, Verdict], count: int) -> list[int]:
    """Return the numbers of the frames with the most mistakes, rising, none near another."""
    chosen: list[int] = []
    for number in sorted(verdicts, key=lambda number: -verdicts[number].mistakes):
        if len(chosen) < count and all(abs(number - other) >= APART for other in chosen):
            chosen.append(number)
    return sorted(chosen)


def _draw(image: np.ndarray, verdict: Verdict) -> np.ndarray:
    canvas = image.copy()
    for boxes, colour in zip(verdict, (FOUND, MISSED, INVENTED), strict=True):
        for x1, y1, x2, y2 in boxes.round().astype(int).tolist():
            cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, 2, cv2.LINE_AA)
    return canvas


if __name__ == "__main__":
    auto_cli(picture_failures)
