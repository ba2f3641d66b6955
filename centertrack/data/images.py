"""Reading training images, with one clear sentence where it fails."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2

from centertrack.data.sample import Array, shrink_to
from tracker.errors import InputError
from tracker.io.images import read_image
from tracker.io.mot import IMAGE_EXTENSIONS

_REDUCED = {8: cv2.IMREAD_REDUCED_COLOR_8, 4: cv2.IMREAD_REDUCED_COLOR_4, 2: cv2.IMREAD_REDUCED_COLOR_2}
_EXIF_ORIENTATION, _LYING = 274, (5, 6, 7, 8)


def read_shrunk(path: Path, longest_side: int | None) -> tuple[Array, float]:
    """Read an image file as (H, W, 3) uint8 RGB, its longer side at most `longest_side`, with the factor.

    A JPEG is decoded at a half, a quarter or an eighth of its size where that is enough, which takes a fraction of
    the time.

    Raises:
        InputError: The file is missing, cut short or no image.
    """
    if longest_side is None or path.suffix.lower() not in (".jpg", ".jpeg"):
        return shrink_to(read_image(path), longest_side)
    width, height = read_size(path)
    factor = min(1.0, longest_side / max(width, height))
    mode = next((mode for scale, mode in _REDUCED.items() if factor * scale <= 1), cv2.IMREAD_COLOR)
    image, size = read_image(path, mode), (round(width * factor), round(height * factor))
    return image if image.shape[1::-1] == size else cv2.resize(image, size, interpolation=cv2.INTER_AREA), factor


def read_size(path: Path) -> tuple[int, int]:
    """Return width and height of an image, from its header alone; as `read_image` turns it.

    Raises:
        InputError: The file is missing or no image.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_EXIF_ORIENTATION) in _LYING
    except OSError as error:
        raise InputError(f"cannot read image {path}: {error.strerror or 'not an image'}") from error
    return (height, width) if turned else (width, height)


def find_images(folder: Path) -> list[Path]:
    """Return all images of a folder and below, sorted.

    Raises:
        InputError: No such folder, or no image in it.
    """
    found = sorted(path for path in _walk(folder) if path.suffix.lower() in IMAGE_EXTENSIONS)
    if not found:
        raise InputError(f"expected images in {folder}, found {'none' if folder.is_dir() else 'no such folder'}")
    return found


def find_image(folder: Path, stem: str) -> Path:
    """Return `folder/stem` with whichever image extension exists, as `.jpg` or `.JPG`; the first one's name if none."""
    candidates = [folder / f"{stem}{case}" for suffix in IMAGE_EXTENSIONS for case in (suffix, suffix.upper())]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _walk(folder: Path) -> Iterable[Path]:
    return folder.rglob("*") if folder.is_dir() else ()
