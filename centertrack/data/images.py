"""Reading training images, with one clear sentence where it fails."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

import cv2

from centertrack.data.sample import Array
from tracker.errors import InputError
from tracker.io.frames import IMAGE_EXTENSIONS, is_image, sort_naturally
from tracker.io.images import read_image, read_size
from tracker.io.reading import is_file

__all__ = ["find_image", "find_images", "read_shrunk", "read_size"]

_MODES = {
    8: cv2.IMREAD_REDUCED_COLOR_8,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    1: cv2.IMREAD_COLOR,
}
REDUCTIONS = tuple(_MODES)  # by which JPEGs are divided while they are decoded


def read_shrunk(path: Path, longest_side: int | None = None, reduction: int = 1) -> tuple[Array, float]:
    """Read an image file as (H, W, 3) uint8 RGB, made smaller, with the factor.

    A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough, which takes a fraction of
    the time.

    Args:
        path: Image file.
        longest_side: Pixels that its longer side has at most. None: as many as there are.
        reduction: Its sides are divided by this at least, and rounded up: 1, 2, 4 or 8.

    Raises:
        InputError: The file is missing, cut short or no image.
    """
    if path.suffix.lower() in (".jpg", ".jpeg"):
        width, height = read_size(path)
        factor = _factor(max(width, height), longest_side, reduction)
        scale = spare_reduction(factor)
        image = read_image(path, _MODES[scale])
    else:
        image, scale = read_image(path), 1
        height, width = image.shape[:2]
        factor = _factor(max(width, height), longest_side, reduction)
    if factor * scale == 1:
        return image, factor
    to_size = math.ceil if factor == 1 / reduction else round
    size = (to_size(width * factor), to_size(height * factor))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA), factor


def spare_reduction(factor: float) -> int:
    """Return the largest of `REDUCTIONS` that leaves an image no smaller than `factor` makes it; 1 where none does.

    >>> [spare_reduction(factor) for factor in (2.0, 1.0, 0.6, 0.5, 0.3, 0.01)]
    [1, 1, 1, 2, 2, 8]
    """
    return next((reduction for reduction in REDUCTIONS if reduction * factor <= 1), 1)


def _factor(side: int, longest_side: int | None, reduction: int) -> float:
    return min(1 / reduction, longest_side / side if longest_side else 1.0)


def find_images(folder: Path) -> list[Path]:
    """Return all images of a folder and below, in natural order.

    Raises:
        InputError: No such folder, or no image in it.
    """
    found = sort_naturally(path for path in _walk(folder) if is_image(path))
    if not found:
        raise InputError(f"expected images in {folder}, found {'none' if folder.is_dir() else 'no such folder'}")
    return found


def find_image(folder: Path, stem: str) -> Path:
    """Return `folder/stem` with whichever image extension exists, as `.jpg` or `.JPG`; the first one's name if none."""
    candidates = [folder / f"{stem}{case}" for suffix in IMAGE_EXTENSIONS for case in (suffix, suffix.upper())]
    return next((path for path in candidates if is_file(path)), candidates[0])


def _walk(folder: Path) -> Iterable[Path]:
    return folder.rglob("*") if folder.is_dir() else ()
