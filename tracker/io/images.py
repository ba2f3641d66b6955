"""Image files as a source of frames."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource, Image
from tracker.io.mot import DEFAULT_FRAME_RATE, IMAGE_EXTENSIONS, read_sequence_info


class ImageFiles(FrameSource):
    """Images in the given order; each keeps its own size.

    Args:
        paths: At least one image file.
        name: What to call them.
        frame_rate: Frames per second they stand for.
        numbers: Frame number of each image; counted from 1 when None.

    Raises:
        InputError: The first image cannot be read; while iterating, any other.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        name: str,
        frame_rate: float = DEFAULT_FRAME_RATE,
        numbers: Sequence[int] | None = None,
    ) -> None:
        self.paths, self.name, self.frame_rate = list(paths), name, frame_rate
        self.frame_count = len(self.paths)
        self._numbers = list(numbers) if numbers is not None else list(range(1, len(self.paths) + 1))
        height, width = read_image(self.paths[0]).shape[:2]
        self.size = width, height

    def __iter__(self) -> Iterator[Frame]:
        for number, path in zip(self._numbers, self.paths, strict=True):
            yield Frame(number, (number - self._numbers[0]) / self.frame_rate, read_image(path))


def folder_of_images(folder: Path, frame_rate: float = DEFAULT_FRAME_RATE) -> ImageFiles:
    """Open all images of a folder, in natural order."""
    paths = sort_naturally(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_EXTENSIONS)
    if not paths:
        raise InputError(f"{folder}: expected images ({', '.join(IMAGE_EXTENSIONS)}), found none in this folder")
    return ImageFiles(paths, folder.resolve().name, frame_rate)


def mot_sequence(folder: Path) -> ImageFiles:
    """Open a MOTChallenge sequence folder: name and frame rate of seqinfo.ini, frame numbers of the file names."""
    info = read_sequence_info(folder)
    if not info.image_folder.is_dir():
        raise InputError(f"{folder}: expected the images in {info.image_folder}, found no such folder")
    images = folder_of_images(info.image_folder)
    stems = [path.stem for path in images.paths]
    numbers = [int(stem) for stem in stems] if all(stem.isdecimal() for stem in stems) else None
    if numbers is not None and (numbers[0] < 1 or len(set(numbers)) < len(numbers)):
        numbers = None
    return ImageFiles(images.paths, info.name, info.frame_rate, numbers)


def sort_naturally(paths: Iterable[Path]) -> list[Path]:
    """Sort files as people count.

    >>> [path.name for path in sort_naturally([Path("10.png"), Path("9.png"), Path("a.png")])]
    ['9.png', '10.png', 'a.png']
    """
    return sorted(paths, key=lambda path: [(int(part), "") if part.isdecimal() else (-1, part)
                                           for part in re.split(r"(\d+)", str(path).lower())])  # fmt: skip


def read_image(path: Path, mode: int = cv2.IMREAD_COLOR) -> Image:
    """Read an image file, turned upright by its EXIF orientation.

    Args:
        path: Of any image format that opencv knows, under any file name.
        mode: Of opencv, in colour; `cv2.IMREAD_REDUCED_COLOR_2` decodes a JPEG at half its size.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        InputError: It is missing, empty, cut short or no image.
    """
    try:
        data = np.fromfile(path, np.uint8)  # unlike imread, opens any file name on every system
    except OSError as error:
        raise InputError(f"cannot read the image {path}: {error.strerror or error}") from error
    if len(data) == 0:
        raise InputError(f"cannot read the image {path}: the file is empty")
    content = data.tobytes()
    # opencv fills the missing part of a JPEG with grey: the end marker must come after the last start of a scan
    cut_short = content.startswith(b"\xff\xd8") and content.rfind(b"\xff\xd9") < content.rfind(b"\xff\xda")
    image = None if cut_short else cv2.imdecode(data, mode)
    if image is None:
        problem = "it is cut short" if cut_short else "it is damaged or no image"
        raise InputError(f"cannot read the image {path}: {problem}; replace or remove it")
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
