"""Sixteen augmented samples in one picture: the quickest way to see that labels fit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from centertrack.data.mixture import Mixture
from centertrack.data.sample import Array, Sample
from tracker.draw import id_colour
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.images import write_image

COLUMNS, ROWS, GAP = 4, 4, 4
GREY = (150, 150, 150)
FONT = cv2.FONT_HERSHEY_SIMPLEX


def write_contact_sheet(mixture: Mixture, path: Path) -> Path:
    """Draw the first samples of a mixture as the training will see them, to a PNG.

    Boxes carry the colour and number of their identity, or the name of their class where it is unknown; regions to
    ignore are crossed out in grey.

    Raises:
        InputError: An image cannot be read, or the file cannot be written.
    """
    tiles = [draw_sample(mixture.sample(i), mixture.class_names) for i in range(COLUMNS * ROWS)]
    height, width = tiles[0].shape[:2]
    sheet = np.full((ROWS * (height + GAP) + GAP, COLUMNS * (width + GAP) + GAP, 3), 255, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = GAP + i // COLUMNS * (height + GAP), GAP + i % COLUMNS * (width + GAP)
        sheet[top : top + height, left : left + width] = tile
    if path.suffix.lower() != ".png":
        raise InputError(f"the contact sheet is a PNG, got the name {path}")
    with atomic_path(path) as temporary:
        write_image(temporary, sheet)
    return path


def draw_sample(sample: Sample, class_names: list[str]) -> Array:
    """Return a copy of the image with boxes, identities and regions to ignore."""
    canvas = sample.image.copy()
    for box in sample.ignore:
        (x1, y1), (x2, y2) = np.rint(box).astype(int).reshape(2, 2).tolist()
        cv2.rectangle(canvas, (x1, y1), (x2, y2), GREY, 1)
        cv2.line(canvas, (x1, y1), (x2, y2), GREY, 1, cv2.LINE_AA)
        cv2.line(canvas, (x1, y2), (x2, y1), GREY, 1, cv2.LINE_AA)
    for box, label, identity in zip(sample.boxes, sample.labels.tolist(), sample.ids.tolist(), strict=True):
        (x1, y1), (x2, y2) = np.rint(box).astype(int).reshape(2, 2).tolist()
        colour = id_colour(identity + 1)
        text = str(identity) if identity >= 0 else class_names[label]
        cv2.rectangle(canvas, (x1, y1), (x2, y2), colour, 1)
        corner = (min(max(x1 + 2, 0), canvas.shape[1] - 8 * len(text)), min(max(y1 + 11, 11), canvas.shape[0] - 2))
        cv2.putText(canvas, text, corner, FONT, 0.38, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(canvas, text, corner, FONT, 0.38, colour, 1, cv2.LINE_AA)
    return canvas
