"""Where finished frames go: files of tracks, labels, an annotated video, COCO-style JSON, annotated images."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from typing_extensions import override

from centertrack.app.exports import EXPORTS
from centertrack.app.file_sink import FileSink, NoFileSink, WriterSink
from centertrack.app.pipeline import FrameResult
from centertrack.app.tracks_sink import OutputOptions, TracksSink, size_of, tracks_sink
from centertrack.average_precision.coco_results import CocoWriter
from tracker.arrays import Image
from tracker.draw import Trails, draw_detections, draw_tracks
from tracker.io.atomic import atomic_path
from tracker.io.images import write_image
from tracker.io.mot import MotWriter
from tracker.io.track_writer import TrackedSource
from tracker.io.track_writers import open_tracks
from tracker.io.video import FrameSource, VideoWriter
from tracker.io.writer import VIDEO_SUFFIXES


class RowsSink(TracksSink):
    """Writes tracks as MOTChallenge rows.

    Args:
        path: As of `MotWriter`.
        has_classes: As of `MotWriter`.
    """

    def __init__(self, path: str | Path, has_classes: bool = False) -> None:
        super().__init__(MotWriter(path, has_classes))


Overlay = Callable[[Image], None]
"""Draws into an image (H, W, 3) uint8 RGB."""


class Annotator:
    """Draws what was found on its frame: tracks with their trails, or detections where there is no tracker.

    Args:
        class_names: Name of each label, where there are several.
        overlay: Draws over all of it.
    """

    def __init__(self, class_names: Sequence[str] = (), overlay: Overlay | None = None) -> None:
        self._trails, self._class_names, self._overlay = Trails(), class_names, overlay

    def draw(self, result: FrameResult) -> Image:
        """Return a new image (H, W, 3) uint8 RGB."""
        image = self._draw_boxes(result)
        if self._overlay is not None:
            image = image.copy() if image is result.frame.image else image
            self._overlay(image)
        return image

    def _draw_boxes(self, result: FrameResult) -> Image:
        if result.tracks is not None:
            self._trails.update(result.tracks)
            return draw_tracks(result.frame.image, result.tracks, self._trails, self._class_names)
        if result.detections is not None:
            return draw_detections(result.frame.image, result.detections, self._class_names)
        return result.frame.image


class VideoSink(WriterSink):
    """Writes annotated frames as a video, at the times they had in the source.

    Args:
        path: Of the video.
        source: Whose size and frame rate it gets.
        class_names: As of `Annotator`.
        overlay: As of `Annotator`.
    """

    def __init__(
        self,
        path: str | Path,
        source: FrameSource,
        class_names: Sequence[str] = (),
        overlay: Overlay | None = None,
    ) -> None:
        self._writer = VideoWriter(path, source.size, source.frame_rate)
        self._annotator = Annotator(class_names, overlay)
        super().__init__(self._writer)

    @override
    def write(self, result: FrameResult) -> None:
        self._writer.write(self._annotator.draw(result), result.frame.time)


class ImagesSink(NoFileSink):
    """Writes every annotated frame as a JPEG.

    Args:
        folder: Where they go; made if missing.
        names: Of the files, one a frame, relative to the folder; None: `000001.jpg` and so on, by frame number.
        class_names: As of `Annotator`.
    """

    def __init__(self, folder: Path, names: Sequence[str] | None = None, class_names: Sequence[str] = ()) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._names = iter(names or ())
        self._annotator = Annotator(class_names)

    @override
    def write(self, result: FrameResult) -> None:
        path = self._folder / next(self._names, f"{result.frame.number:06d}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(path) as temporary:
            write_image(temporary, self._annotator.draw(result))


class CocoSink(WriterSink):
    """Writes detections as COCO-style JSON.

    Args:
        path: Of the JSON file.
        source: Images are named after its files, from the folder on that holds all of them; those of a video after its
            name and the frame number.
        class_names: Name of each label.
        clip: Cut boxes to the image.
    """

    def __init__(self, path: str | Path, source: FrameSource, class_names: list[str], clip: bool = False) -> None:
        self._writer = CocoWriter(path, class_names)
        self._files = iter(_names_within_common_folder(getattr(source, "paths", ())))
        self._source, self._clip = source.name, clip
        super().__init__(self._writer)

    @override
    def write(self, result: FrameResult) -> None:
        name = next(self._files, f"{self._source}/{result.frame.number:06d}")
        if result.detections is not None:
            found = result.detections.clipped(size_of(result)) if self._clip else result.detections
            self._writer.write(name, size_of(result), found)


def track_sinks(
    paths: Mapping[str, Path],
    frames: FrameSource,
    options: OutputOptions = OutputOptions(),  # noqa: B008  it is frozen
    overlay: Overlay | None = None,
) -> Iterator[FileSink]:
    """Open the outputs of tracking, one after the other.

    Args:
        paths: `results` -> file of tracks, in the format of its suffix; `export NAME` of `EXPORTS` -> labels;
            `video` -> annotated video; any may be missing.
        frames: What is tracked.
        options: How they are written.
        overlay: As of `Annotator`, for the video.
    """
    names, size = options.class_names, frames.size
    file = str(getattr(frames, "address", ""))
    about = TrackedSource(frames.name, frames.frame_rate, size, names, options.has_classes, file)
    if "results" in paths:
        yield tracks_sink(open_tracks(paths["results"], about), frames, options, options.boxes)
    for name, export in EXPORTS.items():
        if (key := f"export {name}") in paths:
            boxes = replace(options.boxes, clip=True)  # labels say what is in the image
            yield tracks_sink(export.open(paths[key], about, frames), frames, options, boxes)
    if "video" in paths:
        yield VideoSink(paths["video"], frames, options.drawn_names, overlay)


def detect_sinks(
    paths: Mapping[str, Path],
    frames: FrameSource,
    options: OutputOptions = OutputOptions(),  # noqa: B008  it is frozen
) -> Iterator[FileSink]:
    """Open the outputs of detection, one after the other.

    Args:
        paths: `results` -> COCO-style JSON, `video` -> annotated video, or a folder for annotated photos; any may be
            missing.
        frames: In what is detected.
        options: How they are written.
    """
    if "results" in paths:
        yield CocoSink(paths["results"], frames, list(options.class_names), options.boxes.clip)
    if "video" in paths:
        if (photos := photo_names(frames)) and paths["video"].suffix.lower() not in VIDEO_SUFFIXES:
            yield ImagesSink(paths["video"], photos, options.drawn_names)
        else:
            yield VideoSink(paths["video"], frames, options.drawn_names)


def photo_names(frames: FrameSource) -> list[str] | None:
    """Return a name of a JPEG for each image of a source of photos; None for what is a video or a sequence.

    Photos are one image, or images whose names are not all whole numbers, as those of frames are, and that do not lie
    in a MOTChallenge sequence folder.
    """
    paths: Sequence[Path] = getattr(frames, "paths", ())
    is_sequence = any(path.parent.name == "img1" or (path.parent / "seqinfo.ini").is_file() for path in paths[:1])
    if not paths or (len(paths) > 1 and (is_sequence or all(path.stem.isdecimal() for path in paths))):
        return None
    names = [Path(name).with_suffix(".jpg").as_posix() for name in _names_within_common_folder(paths)]
    if len(set(names)) == len(names):
        return names
    return [f"{name}.jpg" for name in _names_within_common_folder(paths)]  # a.png and a.jpg


def _names_within_common_folder(paths: Sequence[Path]) -> list[str]:
    """Name files so that equal names in different folders are told apart.

    >>> _names_within_common_folder([Path("set/a/img1/1.jpg"), Path("set/b/img1/1.jpg")])
    ['a/img1/1.jpg', 'b/img1/1.jpg']
    >>> _names_within_common_folder([Path("photos/1.jpg"), Path("photos/2.jpg")])
    ['1.jpg', '2.jpg']
    """
    if not paths:
        return []
    common = os.path.commonpath([path.parent for path in paths])
    return [Path(os.path.relpath(path, common)).as_posix() for path in paths]
