"""Small pictures of single boxes, cut out of the frames of a sequence."""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from tracker.arrays import Floats, Image
from tracker.errors import InputError
from tracker.io.frames import frame_files
from tracker.io.images import encode_image, read_image

_HEIGHT, _WIDTH = 128, 1024  # pixels of a crop, and at most
_MARGIN = 0.12  # of the box, on every side
_QUALITY = 80


def find_frames(folder: str | Path, sequence: str) -> dict[int, Path]:
    """Return the images of a sequence by frame number, empty if there are none.

    Args:
        folder: Of the images, of the sequence, or of sequence folders.
        sequence: Its name.
    """
    folder = Path(folder)
    for candidate in (folder / sequence / "img1", folder / sequence, folder / "img1", folder):
        if candidate.is_dir():
            images = frame_files(candidate)
            if images:
                return images
    return {}


def crop_as_data_url(image: Path, xywh: Floats) -> str | None:
    """Return a JPEG of one box as a data URL.

    Args:
        image: File of the frame.
        xywh: (4,) left, top, width, height; the first pixel is (1, 1).

    Returns:
        None if the image cannot be read or the box lies outside.
    """
    pixels = _read(image)
    if pixels is None:
        return None
    left, top, width, height = xywh
    x1, y1 = left - 1 - _MARGIN * width, top - 1 - _MARGIN * height
    x2, y2 = left - 1 + (1 + _MARGIN) * width, top - 1 + (1 + _MARGIN) * height
    part = pixels[max(0, round(y1)) : max(0, round(y2)), max(0, round(x1)) : max(0, round(x2))]
    if not part.size:
        return None
    scale = _HEIGHT / part.shape[0]
    size = (min(max(1, round(part.shape[1] * scale)), _WIDTH), _HEIGHT)
    small = cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    content = encode_image(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), np.uint8), ".jpg", _QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"


@lru_cache(maxsize=4)
def _read(image: Path) -> Image | None:
    """(H, W, 3) RGB."""
    try:
        return read_image(image)
    except InputError:
        return None
