"""One label format to another."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from centertrack.data.formats.registry import FORMATS, guess_format, open_labels
from centertrack.data.labels import LabelledImages, Labels
from tracker.errors import InputError
from tracker.io.names import clean_path
from tracker.io.reading import is_file
from tracker.wording import counted


@dataclass(frozen=True)
class Conversion:
    """What was written.

    Attributes:
        target: Where.
        images, boxes, identities: How many.
        lost: What the new format does not know, and what was taken for granted, a sentence each.
    """

    target: Path
    images: int
    boxes: int
    identities: int
    lost: list[str]


def convert_data(
    source: str | Path,
    target: str | Path,
    to_format: str,
    from_format: str | None = None,
    copy: bool = False,
    frame_rate: float | None = None,
    **options: Any,
) -> Conversion:
    """Write a labelled data set in another format.

    Images appear in the new folder as hard links, which cost no space; where that is impossible they are copied.

    Args:
        source: File or folder of labels.
        target: New folder; must not exist, or be empty.
        to_format: One of `FORMATS`.
        from_format: Of the source; None: told by its files.
        copy: Copy the images in any case.
        frame_rate: Images a second, for formats that say so (mot, coco); None: what the source says, and 30 in MOT
            sequences where it says nothing.
        **options: Of the source's data set, for example `step=5`.

    Raises:
        InputError: The source is broken (with file and line), the target is not empty, or its format cannot hold what
            the source says.
    """
    source, target = Path(source), Path(target)
    writable = [name for name, known in FORMATS.items() if known.write is not None]
    write = FORMATS[to_format].write if to_format in FORMATS else None
    if write is None:
        raise InputError(f"data are written in one of the formats {', '.join(writable)}, got {to_format!r}")
    if target.is_file() or (target.is_dir() and any(target.iterdir())):
        raise InputError(f"cannot convert to {target}: it is not an empty folder; choose another output folder")
    data = open_labels(from_format or guess_format(source), source, **{"identities": "labels", **options})
    if frame_rate is not None:
        data.entries = [replace(entry, frame_rate=frame_rate) for entry in data.entries]
    places = _image_places(data.entries, FORMATS[to_format].image_place, source.stem)
    images = [target / place for place in places]
    for entry, image in zip(data.entries, images, strict=True):
        _place(entry.image, image, copy)
    write(data, images, target)
    boxes = sum(len(entry.boxes) for entry in data.entries)
    return Conversion(target, len(images), boxes, data.num_identities, list(_lost(data, to_format)))


def _lost(data: LabelledImages, name: str) -> Iterator[str]:
    yield from data.notes
    known, ignored = FORMATS[name], sum(len(entry.ignore) for entry in data.entries)
    if not known.has_classes and data.num_classes > 1:
        yield f"{name} knows one class only: {', '.join(data.class_names)} became one"
    if not known.has_identities and data.num_identities:
        yield f"{name} knows no identities: {counted(data.num_identities, 'is', 'are')} left out"
    if not known.has_ignored and ignored:
        yield f"{name} knows no regions to ignore: {counted(ignored, 'is', 'are')} left out"


def _image_places(entries: list[Labels], pattern: str, default_sequence: str) -> list[str]:
    """Fill the pattern in for every image: frames are counted anew in each sequence, names are made unique."""
    counts: dict[str, int] = defaultdict(int)
    taken: set[str] = set()
    places = []
    for entry in entries:
        place = entry.sequence or Path(entry.name).parent.as_posix().strip("./") or default_sequence
        sequence = clean_path(place).as_posix().replace("/", "_")
        counts[sequence] += 1
        name = clean_path(entry.name).as_posix().replace("/images/", "/").removeprefix("images/")
        place = pattern.format(
            sequence=sequence,
            frame=counts[sequence],
            index=counts[sequence] - 1,
            name=name,
            flat=name.replace("/", "_"),
            suffix=entry.image.suffix.lower(),
        )
        if place in taken:
            raise InputError(f"{entry.source}: the image {entry.name} occurs twice")
        taken.add(place)
        places.append(place)
    return places


def _place(image: Path, target: Path, copy: bool) -> None:
    if not is_file(image):
        raise InputError(f"cannot read the image {image}: there is no such file")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not copy:
        try:
            os.link(image.resolve(), target)
            return
        except OSError:  # another disk, or a file system without links
            pass
    shutil.copy2(image, target)
