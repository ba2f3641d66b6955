"""Where finished frames go: MOTChallenge rows, an annotated video, COCO-style JSON, annotated images.

A sink completes its file when its block ends; when the block raises, it keeps what there is beside an earlier file.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from typing_extensions import override

from centertrack.app.pipeline import FrameResult
from centertrack.average_precision.coco_results import CocoWriter
from tracker.arrays import Image
from tracker.draw import Trails, draw_detections, draw_tracks
from tracker.errors import InputError
from tracker.io.atomic import OutputFile
from tracker.io.images import write_image
from tracker.io.mot import MotWriter
from tracker.io.video import FrameSource, VideoWriter
from tracker.postprocess import TrajectoryRecorder, postprocess


class FileSink(ABC):
    """Takes finished frames in order and keeps them in a file."""

    @abstractmethod
    def write(self, result: FrameResult) -> None:
        """Take one frame."""

    @abstractmethod
    def close(self) -> None:
        """Complete the file and give it its name."""

    @abstractmethod
    def abandon(self) -> None:
        """Keep what there is beside an earlier file."""

    @property
    def unfinished(self) -> Path | None:
        """Where what there is lies until `close` or `abandon`."""
        return None

    def __enter__(self) -> FileSink:
        """Return the sink."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the sink, or abandon its file when the block has raised."""
        if kind is None:
            self.close()
        else:
            self.abandon()


class WriterSink(FileSink):
    """A sink around a writer.

    Args:
        writer: Of its file.
    """

    def __init__(self, writer: OutputFile) -> None:
        self._output = writer

    @override
    def close(self) -> None:
        self._output.close()

    @override
    def abandon(self) -> None:
        self._output.abandon()

    @property
    @override
    def unfinished(self) -> Path | None:
        return self._output.temporary


class RowsSink(WriterSink):
    """Writes tracks as MOTChallenge rows.

    Args:
        path: Of the file.
        has_classes: Whether column 8 is the class, as `MotWriter` writes it.
    """

    def __init__(self, path: str | Path, has_classes: bool = False) -> None:
        self._writer = MotWriter(path, has_classes)
        super().__init__(self._writer)

    @override
    def write(self, result: FrameResult) -> None:
        if result.tracks is not None:
            self._writer.write(result.frame.number, result.tracks)


class OfflineRowsSink(WriterSink):
    """Remembers all tracks, betters them once the last frame is known, and writes them as MOTChallenge rows.

    Args:
        path: Of the file, written at the end.
        steps: Of `tracker.postprocess.STEPS`.
        frame_rate: Of the source.
        has_classes: As in `RowsSink`.
    """

    def __init__(self, path: str | Path, steps: Sequence[str], frame_rate: float, has_classes: bool = False) -> None:
        self._writer = MotWriter(path, has_classes)
        self._steps, self._frame_rate = steps, frame_rate
        self._recorder = TrajectoryRecorder()
        super().__init__(self._writer)

    @override
    def write(self, result: FrameResult) -> None:
        if result.tracks is not None:
            self._recorder.add(result.frame.number, result.tracks, result.detections)

    @override
    def close(self) -> None:
        self._write_rows()
        super().close()

    @override
    def abandon(self) -> None:
        with suppress(InputError, OSError):
            self._write_rows()
        super().abandon()

    def _write_rows(self) -> None:
        """Better the tracks and write them, once."""
        recorder, self._recorder = self._recorder, TrajectoryRecorder()
        for number, tracks in postprocess(recorder.finish(), self._steps, self._frame_rate):
            self._writer.write(number, tracks)


class Annotator:
    """Draws what was found on its frame: tracks with their trails, or detections where there is no tracker."""

    def __init__(self) -> None:
        self._trails = Trails()

    def draw(self, result: FrameResult) -> Image:
        """Return a new image (H, W, 3) uint8 RGB."""
        if result.tracks is not None:
            self._trails.update(result.tracks)
            return draw_tracks(result.frame.image, result.tracks, self._trails)
        if result.detections is not None:
            return draw_detections(result.frame.image, result.detections)
        return result.frame.image


class VideoSink(WriterSink):
    """Writes annotated frames as a video, at the times they had in the source.

    Args:
        path: Of the video.
        source: Whose size and frame rate it gets.
    """

    def __init__(self, path: str | Path, source: FrameSource) -> None:
        self._writer = VideoWriter(path, source.size, source.frame_rate)
        self._annotator = Annotator()
        super().__init__(self._writer)

    @override
    def write(self, result: FrameResult) -> None:
        self._writer.write(self._annotator.draw(result), result.frame.time)


class ImagesSink(FileSink):
    """Writes every annotated frame as `FOLDER/000001.jpg` and so on, by frame number.

    Args:
        folder: Is made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._annotator = Annotator()

    @override
    def write(self, result: FrameResult) -> None:
        write_image(self._folder / f"{result.frame.number:06d}.jpg", self._annotator.draw(result))

    @override
    def close(self) -> None:
        pass  # every image is complete

    @override
    def abandon(self) -> None:
        pass  # likewise


class CocoSink(WriterSink):
    """Writes detections as COCO-style JSON.

    Args:
        path: Of the JSON file.
        source: Images are named after its files, from the folder on that holds all of them; those of a video after its
            name and the frame number.
        class_names: Name of each label.
    """

    def __init__(self, path: str | Path, source: FrameSource, class_names: list[str]) -> None:
        self._writer = CocoWriter(path, class_names)
        self._files = iter(_names_within_common_folder(getattr(source, "paths", ())))
        self._source = source.name
        super().__init__(self._writer)

    @override
    def write(self, result: FrameResult) -> None:
        name = next(self._files, f"{self._source}/{result.frame.number:06d}")
        if result.detections is not None:
            self._writer.write(name, result.frame.image.shape[1::-1], result.detections)


def track_sinks(
    paths: Mapping[str, Path], frames: FrameSource, steps: Sequence[str] = (), has_classes: bool = False
) -> Iterator[FileSink]:
    """Open the outputs of tracking, one after the other.

    Args:
        paths: `results` -> file of MOTChallenge rows, `video` -> annotated video; either may be missing.
        frames: What is tracked.
        steps: Of `tracker.postprocess.STEPS`, for the rows.
        has_classes: As in `RowsSink`; a detector of one class has nothing to tell.
    """
    if "results" in paths:
        path = paths["results"]
        if steps:
            yield OfflineRowsSink(path, steps, frames.frame_rate, has_classes)
        else:
            yield RowsSink(path, has_classes)
    if "video" in paths:
        yield VideoSink(paths["video"], frames)


def detect_sinks(paths: Mapping[str, Path], frames: FrameSource, class_names: list[str]) -> Iterator[FileSink]:
    """Open the outputs of detection, one after the other.

    Args:
        paths: `results` -> COCO-style JSON, `video` -> annotated video; either may be missing.
        frames: In what is detected.
        class_names: Name of each label.
    """
    if "results" in paths:
        yield CocoSink(paths["results"], frames, class_names)
    if "video" in paths:
        yield VideoSink(paths["video"], frames)


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
