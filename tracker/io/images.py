"""Images to and from files."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tracker.arrays import Image
from tracker.errors import InputError
from tracker.io.reading import read_bytes

MAX_PIXELS = 150_000_000  # of an image; decoded it takes 450 MB
_NO_PICTURE = (
    "an image must be an array (H, W, 3) RGB, (H, W, 4) or (H, W) of uint8, a picture of Pillow or a path, got {}"
)
_EXIF_ORIENTATION, _LYING = 274, (5, 6, 7, 8)


def read_image(path: Path, mode: int = cv2.IMREAD_COLOR) -> Image:
    """Read an image file, turned upright by its EXIF orientation.

    Args:
        path: Of any image format that opencv knows, under any file name.
        mode: Of opencv, in colour; `cv2.IMREAD_REDUCED_COLOR_2` decodes a JPEG at half its size.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: It is missing, empty, cut short, too large or no image.
    """
    try:
        content = read_bytes(path)  # unlike imread, opens any file name on every system
    except InputError as error:
        raise InputError(f"cannot read the image {path}: {str(error).partition(f'{path}: ')[2]}") from error
    if not content:
        raise InputError(f"cannot read the image {path}: the file is empty")
    _size_in_header(content, path)  # too large?
    # opencv fills the missing part of a JPEG with grey: the end marker must come after the last start of a scan
    cut_short = content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")
    image = None if cut_short else decode_image(content, mode)
    if image is None:
        problem = "it is cut short" if cut_short else "it is damaged or no image"
        raise InputError(f"cannot read the image {path}: {problem}; replace or remove it")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)


def as_rgb(image: Any, bgr: bool = False) -> Image:
    """Return what may be given as a picture as (H, W, 3) uint8 RGB; an array in RGB is returned as it is.

    Args:
        image: An array of uint8, (H, W, 3) in RGB, (H, W, 4) with opacity, which is left out, or (H, W) or (H, W, 1)
            grey; a picture of Pillow, in its own orientation; or the path of a file, see `read_image`.
        bgr: An array with colours has them in opencv's order.

    Raises:
        InputError: It is nothing of this, or has no pixels.

    >>> as_rgb(np.array([[[1, 2, 3, 255]]], np.uint8), bgr=True).tolist(), as_rgb(np.array([[7]], np.uint8)).tolist()
    ([[[3, 2, 1]]], [[[7, 7, 7]]])
    """
    if isinstance(image, str | Path):
        return read_image(Path(image))
    pixels = image
    if not isinstance(image, np.ndarray) and hasattr(image, "getbands") and hasattr(image, "convert"):
        if image.mode.startswith(("I", "F")):
            raise InputError(
                f"a picture of Pillow in mode {image.mode} has more than 8 bits a pixel; scale it to 0 to 255 and "
                "convert it to RGB"
            )
        pixels, bgr = np.asarray(image.convert("RGB")), False
    is_array = isinstance(pixels, np.ndarray)
    if not is_array or pixels.dtype != np.uint8 or not pixels.size or pixels.ndim not in (2, 3):
        raise InputError(_NO_PICTURE.format(_kind_of(pixels)))
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_GRAY2RGB), np.uint8)
    if pixels.shape[2] not in (3, 4):
        raise InputError(_NO_PICTURE.format(_kind_of(pixels)))
    if pixels.shape[2] == 3 and not bgr:
        return np.asarray(pixels, np.uint8)
    return np.ascontiguousarray(pixels[..., 2::-1] if bgr else pixels[..., :3])


def _kind_of(value: Any) -> str:
    return f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__


def decode_image(content: bytes, mode: int) -> Image | None:
    """Decode the bytes of an image file as OpenCV does.

    Args:
        content: The whole file.
        mode: One of OpenCV's `IMREAD_...`.

    Returns:
        What OpenCV gives, BGR where it has colours; None where it cannot read it.
    """
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), mode)
    except cv2.error:
        return None
    return None if image is None else np.asarray(image, np.uint8)


def read_size(path: Path) -> tuple[int, int]:
    """Return width and height of an image, from its header alone; as `read_image` turns it.

    Raises:
        InputError: The file is missing, too large or no image.
    """
    size = _size_in_header(path, path)
    if size is None:
        raise InputError(f"cannot read the image {path}: it is damaged or no image; replace or remove it")
    return size


def _size_in_header(source: Path | bytes, path: Path) -> tuple[int, int] | None:
    """Return width and height as shown; None where the header cannot be read."""
    from PIL import Image as Header

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Header.DecompressionBombWarning)
            with Header.open(BytesIO(source) if isinstance(source, bytes) else source) as image:
                width, height = image.size
                turned = _is_lying(image)
    except Header.DecompressionBombError as error:
        raise _too_large(path, "") from error
    except OSError as error:
        if error.strerror:
            raise InputError(f"cannot read the image {path}: {error.strerror}") from error
        return None
    except Exception:  # whatever its readers raise of a broken header
        return None
    if width * height > MAX_PIXELS:
        raise _too_large(path, f"{width} x {height} are ")
    return (height, width) if turned else (width, height)


def _is_lying(image: Any) -> bool:
    try:
        return image.getexif().get(_EXIF_ORIENTATION) in _LYING
    except Exception:  # broken EXIF says nothing
        return False


def _too_large(path: Path, size: str) -> InputError:
    return InputError(f"cannot read the image {path}: {size}more than {MAX_PIXELS // 10**6} million pixels; cut it up")


def write_image(path: Path, image: Image, quality: int = 95) -> None:
    """Write an image file under any name, unlike opencv's own writer on Windows.

    Args:
        path: Its suffix says the format.
        image: (H, W, 3) uint8 RGB, or (H, W) uint8 grey.
        quality: Of a JPEG, 0 to 100.

    Raises:
        InputError: The format is unknown, or the file cannot be written.
    """
    pixels = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8) if image.ndim == 3 else image
    content = encode_image(pixels, path.suffix, quality)
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(f"cannot write the image {path}: {error.strerror or error}") from error


def encode_image(pixels: Image, suffix: str, quality: int = 95) -> bytes:
    """Return the bytes of an image file.

    Args:
        pixels: (H, W, 3) uint8 in opencv's order, BGR, or (H, W) uint8 grey.
        suffix: Says the format, such as `.jpg`.
        quality: Of a JPEG, 0 to 100.

    Raises:
        InputError: The format is unknown, or cannot hold the image.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix.lower() in (".jpg", ".jpeg") else []
    try:
        written, content = cv2.imencode(suffix, pixels, options)
    except cv2.error as error:
        raise InputError(f"cannot write an image as {suffix or 'a file without suffix'}: {error.err}") from error
    if not written:
        raise InputError(f"cannot write an image of {pixels.shape[1]} x {pixels.shape[0]} pixels as {suffix}")
    return content.tobytes()
