"""Tracks as labels that a person corrects: the formats of labelling tools and of data sets, by name."""

from __future__ import annotations

import logging
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from centertrack.data.formats.registry import FORMATS
from centertrack.data.labels import LabelledImages, Labels
from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.io.cvat_video_writer import CvatVideoTracks
from tracker.io.frame import Frame, FrameSource
from tracker.io.images import write_image
from tracker.io.label_studio import LabelStudioTracks
from tracker.io.mot import MIN_SIDE
from tracker.io.track_writer import TrackedSource, TrackWriter

_log = logging.getLogger(__name__)


class LabelFolder:
    """A folder of images with labels in one of the formats of `centertrack data`.

    The image of each frame is put there as it comes: a link to the file, or a copy where links are impossible, if the
    source is image files, and a JPEG otherwise. The labels are written once all frames are known.

    Args:
        path: A file of the folder, by which it is known: `data.yaml`, say.
        source: What is tracked.
        frames: What is tracked; files of images are linked.
        format_name: One of the formats that are written.
        folder: The folder itself.
        image_place: Where images go within it: `number` is filled in, from 1, and `name`, of the source.

    Attributes:
        labels: Id -> label of everybody who was written.
        temporary: None: images and labels lie where they belong.
    """

    temporary: Path | None = None

    def __init__(
        self, path: Path, source: TrackedSource, frames: FrameSource, format_name: str, folder: Path, image_place: str
    ) -> None:
        self.labels: dict[int, int] = {}
        self._path, self._source, self._format = path, source, format_name
        self._folder, self._image_place = folder, image_place
        self._files = iter(getattr(frames, "paths", ()))
        self._images: dict[int, Path] = {}
        self._tracks: dict[int, Tracks] = defaultdict(Tracks.empty)
        self._is_done = False

    def add_image(self, frame: Frame) -> None:
        """Put the image of a frame into the folder.

        Raises:
            InputError: It cannot be written.
        """
        file = next(self._files, None)
        place = self._image_place.format(number=len(self._images) + 1, name=self._path.parent.name)
        target = (self._folder / place).with_suffix(".jpg" if file is None else file.suffix.lower())
        target.parent.mkdir(parents=True, exist_ok=True)
        if file is None:
            write_image(target, frame.image)
        else:
            _link(file, target)
        self._images[frame.number] = target

    def write(self, frame_number: int, tracks: Tracks, time: float | None = None) -> None:
        """Take one frame, as `TrackWriter.write`."""
        del time
        tracks = tracks[(tracks.boxes[:, 2:] - tracks.boxes[:, :2] > MIN_SIDE).all(axis=1)]
        self.labels.update(zip(tracks.ids.tolist(), tracks.labels.tolist(), strict=True))
        self._tracks[frame_number] = tracks

    def close(self) -> None:
        """Write the labels.

        Raises:
            InputError: They cannot be written.
        """
        if self._is_done:
            return
        self._is_done = True
        entries = [self._entry(number, image) for number, image in self._images.items()]
        count = max([len(self._source.class_names), *(label + 1 for label in self.labels.values())])
        data = LabelledImages(entries, [self._source.class_name(label) for label in range(count)])
        write = FORMATS[self._format].write
        if write is not None and entries:
            write(data, list(self._images.values()), self._folder)
        if not FORMATS[self._format].has_classes and len(set(self.labels.values())) > 1:
            _log.warning("%s: the format %s knows one class only: all became one", self._folder, self._format)

    def abandon(self) -> None:
        """Write the labels of the images that there are."""
        if self._is_done:
            return
        try:
            self.close()
        except (InputError, OSError) as error:
            _log.warning("%s has no labels: %s", self._folder, error)
        else:
            _log.warning("%s is not complete; it ends with frame %d", self._folder, max(self._images, default=0))

    def _entry(self, number: int, image: Path) -> Labels:
        tracks = self._tracks[number]
        return Labels(
            image,
            image.name,
            self._path,
            tracks.boxes,
            tracks.labels,
            tracks.ids,
            np.zeros(len(tracks), np.int64),
            sequence=self._source.name,
            frame=number,
            frame_rate=self._source.frame_rate or 0.0,
        )


def _link(file: Path, target: Path) -> None:
    try:
        os.link(file.resolve(), target)
        return
    except OSError:  # another disk, or a file system without links
        pass
    try:
        shutil.copy2(file, target)
    except OSError as error:
        raise InputError(f"cannot write the image {target}: {error.strerror or error}") from error


class Export(NamedTuple):
    """A format of labels.

    Attributes:
        suffix: Of its file; of a format that is a folder, the file in it by which it is known.
        allowed: Suffixes that a given file may have; none for a folder.
        open: Opens it for a path, what there is to say about the source, and the source.
    """

    suffix: str
    allowed: tuple[str, ...]
    open: Callable[[Path, TrackedSource, FrameSource], TrackWriter]


EXPORTS: Mapping[str, Export] = {
    "cvat": Export(".xml", (".xml",), lambda path, source, frames: CvatVideoTracks(path, source)),
    "coco": Export(
        "/annotations.json",
        (),
        lambda path, source, frames: LabelFolder(
            path, source, frames, "coco", path.parent, "images/{name}/{number:06d}.jpg"
        ),
    ),
    "yolo": Export(
        "/data.yaml",
        (),
        lambda path, source, frames: LabelFolder(
            path, source, frames, "yolo", path.parent, "images/{name}/{number:06d}.jpg"
        ),
    ),
    "label-studio": Export(".json", (".json",), lambda path, source, frames: LabelStudioTracks(path, source)),
    "mot": Export(
        "/gt/gt.txt",
        (),
        lambda path, source, frames: LabelFolder(path, source, frames, "mot", path.parents[1], "img1/{number:06d}.jpg"),
    ),
}
"""Name of --export -> the format."""
