"""Reading training images, with one clear sentence where it fails."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from centertrack.data.sample import Array
from tracker.errors import InputError


def read_rgb(path: Path) -> Array:
    """Read an image file as (H, W, 3) uint8 RGB.

    Raises:
        InputError: The file is missing or cannot be decoded.
    """
    try:
        encoded = np.fromfile(path, np.uint8)  # unlike imread, opens any file name on every system
    except OSError as error:
        raise InputError(f"cannot read image {path}: {error.strerror or error}") from error
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if len(encoded) else None
    if image is None:
        raise InputError(f"cannot decode image {path} ({len(encoded)} bytes); replace or remove it")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
