"""Videos with identities in formats that are only read: VisDrone, Scalabel (BDD100K), CVAT for video."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from centertrack.data.labels import Classes, LabelledImages, Labels, Report, stop_at
from tracker.errors import InputError
from tracker.io.frames import frame_files
from tracker.io.sequence_table import SequenceTable
from tracker.io.track_formats import FORMATS

_IMAGES = {"visdrone": "sequences", "scalabel": "images", "cvat-video": "images"}  # beside the labels


class VideoSet(LabelledImages):
    """The labelled frames of videos.

    Labels that do not count, and regions to ignore, become regions to ignore. Images are those of a folder with the
    name of the video, or of the images' folder itself where there is one video; they are numbered as `frame_files`
    says, or in the order of the labelled frames where there are as many.

    Args:
        path: File or folder of labels.
        format_name: One of `visdrone`, `scalabel`, `cvat-video`.
        images: Folder of the images, or of a folder each video; default `sequences` (VisDrone) or `images` beside the
            labels.
        step: Take every n-th labelled frame.
        frame_rate: Of the videos, images a second; 0 where unknown.
        classes, identities, longest_side: As in `LabelledImages`.
        report: Is told of every broken video.

    Raises:
        InputError: There are no labels or images, or a label is broken; with its place.
    """

    def __init__(
        self,
        path: str | Path,
        format_name: str,
        images: str | Path | None = None,
        step: int = 1,
        frame_rate: float = 0.0,
        classes: Classes | None = None,
        identities: str = "labels",
        longest_side: int | None = None,
        report: Report = stop_at,
    ) -> None:
        root = Path(path)
        found = FORMATS[format_name].sequences(root)
        if not found:
            raise InputError(f"expected labels in the format {format_name} in {root}, found none")
        folder = Path(images) if images else (root if root.is_dir() else root.parent) / _IMAGES[format_name]
        entries: list[Labels] = []
        names: list[str] = []
        for name, file in found.items():
            try:
                table = FORMATS[format_name].truth(file, name)
                files = _images(folder, name, table, alone=len(found) == 1)
            except InputError as error:
                report(error)
                continue
            names += [one for one in table.names.values() if one not in names]
            chosen = list(files)[::step]
            entries += [
                replace(entry, frame_rate=frame_rate / step)
                for entry in _entries(name, file, table, {number: files[number] for number in chosen}, names)
            ]
        super().__init__(entries, names or ["object"], classes, identities, longest_side)


def _images(folder: Path, name: str, table: SequenceTable, alone: bool) -> dict[int, Path]:
    """Return the images of the labelled frames by frame number."""
    place = folder if alone and not (folder / name).is_dir() else folder / name
    files = frame_files(place)
    if not files:
        raise InputError(
            f"expected the frames of {name} in {place}, found no images; images=FOLDER names another place"
        )
    if table.labelled is None:
        return files
    if len(files) == len(table.labelled):
        return dict(zip(table.labelled.tolist(), files.values(), strict=True))
    return {number: files[number] for number in table.labelled.tolist() if number in files}


def _entries(
    name: str, file: Path, table: SequenceTable, images: dict[int, Path], names: list[str]
) -> Iterator[Labels]:
    rows, regions = table.rows, table.regions
    numbers = {number: names.index(one) for number, one in table.names.items()}
    boxes, ignored = rows.boxes_xyxy, regions.boxes_xyxy
    for frame, image in images.items():
        start, stop = np.searchsorted(rows.frames, (frame, frame + 1))
        here = np.arange(start, stop)
        counts = rows.flags[here] != 0
        kept, other = here[counts], here[~counts]
        yield Labels(
            image,
            f"{name}/{image.name}",
            file,
            boxes[kept],
            np.array([numbers[number] for number in rows.classes[kept].tolist()], np.int64),
            rows.ids[kept],
            rows.lines[kept],
            np.concatenate([boxes[other], ignored[regions.frames == frame]]),
            sequence=name,
            frame=frame,
        )
