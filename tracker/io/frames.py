"""Which image file is which frame: the one rule for tracking, training, validation and pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

from tracker.io.reading import MAX_FRAMES, is_folder

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")


def is_image(path: Path) -> bool:
    """Tell by its name whether a file is an image; hidden files are none."""
    return path.suffix.lower() in IMAGE_EXTENSIONS and not path.name.startswith(".")


def frame_files(folder: Path, extension: str | None = None) -> dict[int, Path]:
    """Return the images of a folder by frame number, in order; empty if there are none.

    Args:
        folder: Of the images.
        extension: Only images of this one, such as `.jpg`, in any case; all images where none has it.
    """
    images = [path for path in folder.iterdir() if is_image(path)] if is_folder(folder) else []
    wanted = [path for path in images if path.suffix.lower() == (extension or "").lower()]
    return number_frames(wanted or images)


def number_frames(paths: Iterable[Path]) -> dict[int, Path]:
    """Give images their frame numbers.

    The number is the name where all names are whole numbers from 1, as in MOTChallenge; otherwise images are counted
    from 1 in natural order.

    >>> {number: path.name for number, path in number_frames([Path("10.jpg"), Path("2.JPG")]).items()}
    {2: '2.JPG', 10: '10.jpg'}
    >>> [path.name for path in number_frames([Path("a10.png"), Path("a9.png")]).values()]
    ['a9.png', 'a10.png']
    """
    files = sort_naturally(paths)
    if files and all(path.stem.isdecimal() for path in files):
        numbers = [int(path.stem) for path in files]
        rising = all(first < second for first, second in pairwise(numbers))
        if rising and numbers[0] >= 1 and numbers[-1] <= MAX_FRAMES:  # else they are times, say
            return dict(zip(numbers, files, strict=True))
    return dict(enumerate(files, start=1))


def sort_naturally(paths: Iterable[Path]) -> list[Path]:
    """Sort files as people count.

    >>> [path.name for path in sort_naturally([Path("10.png"), Path("9.png"), Path("a.png")])]
    ['9.png', '10.png', 'a.png']
    """
    return sorted(paths, key=lambda path: [(int(part), "") if part.isdecimal() else (-1, part)
                                           for part in re.split(r"(\d+)", str(path).lower())])  # fmt: skip
