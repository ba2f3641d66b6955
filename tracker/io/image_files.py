"""Image files as a source of frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource
from tracker.io.frames import IMAGE_EXTENSIONS, frame_files
from tracker.io.images import read_image
from tracker.io.mot import DEFAULT_FRAME_RATE, read_sequence_info
from tracker.io.part import Chooser, Part
from tracker.io.reading import is_folder


class ImageFiles(FrameSource):
    """Images in the given order; each keeps its own size.

    Args:
        paths: At least one image file.
        name: What to call them.
        frame_rate: Frames per second they stand for; None assumes `DEFAULT_FRAME_RATE`.
        numbers: Frame number of each image; counted from 1 when None.
        first: Number of the frame at 0 s; that of the first image when None.

    Raises:
        InputError: The first image cannot be read; while iterating, any other.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        name: str,
        frame_rate: float | None = None,
        numbers: Sequence[int] | None = None,
        first: int | None = None,
    ) -> None:
        self.paths, self.name, self.frame_rate = list(paths), name, frame_rate or DEFAULT_FRAME_RATE
        self.is_rate_guessed = frame_rate is None and len(self.paths) > 1
        self.frame_count = len(self.paths)
        self._numbers = list(numbers) if numbers is not None else list(range(1, len(self.paths) + 1))
        self._first = self._numbers[0] if first is None else first
        height, width = read_image(self.paths[0]).shape[:2]
        self.size = width, height

    def numbered(self) -> dict[int, Path]:
        """Return frame number -> file."""
        return dict(zip(self._numbers, self.paths, strict=True))

    def __iter__(self) -> Iterator[Frame]:
        for number, path in zip(self._numbers, self.paths, strict=True):
            yield Frame(number, (number - self._first) / self.frame_rate, read_image(path))

    def choose(self, part: Part) -> ImageFiles | None:
        """Return the images of a part, with their numbers and times in the whole; None if there are none."""
        chooser = Chooser(part)
        chosen = []
        for number, path in zip(self._numbers, self.paths, strict=True):
            time = (number - self._first) / self.frame_rate
            if not part.is_over(number, time) and chooser.takes(number, time):
                chosen.append((number, path))
        if not chosen:
            return None
        numbers, paths = zip(*chosen, strict=True)
        part_of = ImageFiles(paths, self.name, self.frame_rate, numbers, self._first)
        part_of.is_rate_guessed = self.is_rate_guessed
        return part_of


def folder_of_images(folder: Path, frame_rate: float | None = None) -> ImageFiles:
    """Open all images of a folder, with the numbers of `frame_files`.

    Args:
        folder: Its images are the frames, in natural order (2 before 10).
        frame_rate: Frames per second; None guesses.

    Raises:
        InputError: The folder has no images.
    """
    files = _frame_files(folder)
    return ImageFiles(list(files.values()), folder.resolve().name, frame_rate, list(files))


def mot_sequence(folder: Path, frame_rate: float | None = None) -> ImageFiles:
    """Open a MOTChallenge sequence folder: name and frame rate of seqinfo.ini, numbers of `frame_files`.

    Args:
        folder: Of the sequence.
        frame_rate: Instead of that of seqinfo.ini.
    """
    info = read_sequence_info(folder)
    if not is_folder(info.image_folder):
        raise InputError(f"{folder}: expected the images in {info.image_folder}, found no such folder")
    files = _frame_files(info.image_folder, info.extension)
    known = info.frame_rate if info.tells_frame_rate else None
    return ImageFiles(list(files.values()), info.name, frame_rate or known, list(files))


def _frame_files(folder: Path, extension: str | None = None) -> dict[int, Path]:
    files = frame_files(folder, extension)
    if not files:
        raise InputError(f"{folder}: expected images ({', '.join(IMAGE_EXTENSIONS)}), found none in this folder")
    return files
