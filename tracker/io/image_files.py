"""Image files as a source of frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource
from tracker.io.frames import IMAGE_EXTENSIONS, frame_files
from tracker.io.images import read_image
from tracker.io.mot import DEFAULT_FRAME_RATE, read_sequence_info
from tracker.io.reading import is_folder


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
    """Open all images of a folder, with the numbers of `frame_files`.

    Args:
        folder: Its images are the frames, in natural order (2 before 10).
        frame_rate: Frames per second.

    Raises:
        InputError: The folder has no images.
    """
    files = _frame_files(folder)
    return ImageFiles(list(files.values()), folder.resolve().name, frame_rate, list(files))


def mot_sequence(folder: Path) -> ImageFiles:
    """Open a MOTChallenge sequence folder: name and frame rate of seqinfo.ini, numbers of `frame_files`."""
    info = read_sequence_info(folder)
    if not is_folder(info.image_folder):
        raise InputError(f"{folder}: expected the images in {info.image_folder}, found no such folder")
    files = _frame_files(info.image_folder, info.extension)
    return ImageFiles(list(files.values()), info.name, info.frame_rate, list(files))


def _frame_files(folder: Path, extension: str | None = None) -> dict[int, Path]:
    files = frame_files(folder, extension)
    if not files:
        raise InputError(f"{folder}: expected images ({', '.join(IMAGE_EXTENSIONS)}), found none in this folder")
    return files
