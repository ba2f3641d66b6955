"""Tracks into files, frame by frame or once all frames are known; and which of their boxes, cut or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from centertrack.app.exports import LabelFolder
from centertrack.app.file_sink import FileSink
from centertrack.app.pipeline import FrameResult
from centertrack.predictor import Predictor
from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.io.frame import FrameSource
from tracker.io.track_writer import TrackWriter
from tracker.postprocess import TrajectoryRecorder, postprocess


@dataclass(frozen=True, slots=True)
class BoxChoice:
    """Which boxes of tracks are written, and how.

    Attributes:
        coasting: Also those of tracks that were not detected in the frame, which are where their motion takes them.
        clip: Cut to the image.
    """

    coasting: bool = True
    clip: bool = False

    def seen(self, tracks: Tracks) -> Tracks:
        """Return the tracks that are written."""
        return tracks if self.coasting else tracks[tracks.seen]

    def cut(self, tracks: Tracks, size: tuple[int, int]) -> Tracks:
        """Return the boxes as they are written, of an image of this (width, height)."""
        return tracks.clipped(size) if self.clip else tracks


class TracksSink(FileSink):
    """Hands the tracks of each frame to a writer.

    Args:
        writer: Of tracks.
        boxes: Which are written.
    """

    def __init__(self, writer: TrackWriter, boxes: BoxChoice = BoxChoice()) -> None:
        self._writer, self._boxes = writer, boxes

    @override
    def write(self, result: FrameResult) -> None:
        if isinstance(self._writer, LabelFolder):
            self._writer.add_image(result.frame)
        if result.tracks is not None:
            shown = self._boxes.cut(self._boxes.seen(result.tracks), size_of(result))
            self._writer.write(result.frame.number, shown, result.frame.time)

    @override
    def close(self) -> None:
        self._writer.close()

    @override
    def abandon(self) -> None:
        self._writer.abandon()

    @property
    @override
    def unfinished(self) -> Path | None:
        return self._writer.temporary

    @property
    @override
    def labels(self) -> Mapping[int, int]:
        return self._writer.labels


class OfflineTracksSink(TracksSink):
    """Remembers all tracks, betters them once the last frame is known, and hands them to a writer.

    Args:
        writer: Of tracks.
        steps: Of `tracker.postprocess.STEPS`.
        frame_rate: Of the source.
        boxes: Which are written; interpolated boxes are.
    """

    def __init__(
        self,
        writer: TrackWriter,
        steps: Sequence[str],
        frame_rate: float,
        boxes: BoxChoice = BoxChoice(),
    ) -> None:
        super().__init__(writer, boxes)
        self._steps, self._frame_rate = steps, frame_rate
        self._recorder = TrajectoryRecorder()
        self._places: dict[int, tuple[tuple[int, int], float]] = {}

    @override
    def write(self, result: FrameResult) -> None:
        if isinstance(self._writer, LabelFolder):
            self._writer.add_image(result.frame)
        if result.tracks is not None:
            self._recorder.add(result.frame.number, self._boxes.seen(result.tracks), result.detections)
            self._places[result.frame.number] = size_of(result), result.frame.time

    @override
    def close(self) -> None:
        self._write_tracks()
        super().close()

    @override
    def abandon(self) -> None:
        with suppress(InputError, OSError):
            self._write_tracks()
        super().abandon()

    def _write_tracks(self) -> None:
        """Better the tracks and write them, once; also the frames that nobody is in."""
        recorder, self._recorder = self._recorder, TrajectoryRecorder()
        places, self._places = self._places, {}
        better = dict(postprocess(recorder.finish(), self._steps, self._frame_rate))
        for number, (size, time) in places.items():
            self._writer.write(number, self._boxes.cut(better.pop(number, Tracks.empty()), size), time)
        for number, tracks in better.items():  # frames that the source skipped
            self._writer.write(number, tracks)


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """How what was found is written and drawn.

    Attributes:
        steps: Of `tracker.postprocess.STEPS`, for the tracks in files.
        boxes: Which of them are written.
        class_names: Name of each label.
        has_classes: Whether the labels say classes.
        shows_classes: Whether the picture names the class of each box: where there may be several.
    """

    steps: Sequence[str] = ()
    boxes: BoxChoice = BoxChoice()
    class_names: Sequence[str] = ()
    has_classes: bool = False
    shows_classes: bool = False

    @classmethod
    def of(cls, predictor: Predictor, steps: Sequence[str] = (), boxes: BoxChoice = BoxChoice()) -> OutputOptions:
        """Return the options for what a predictor finds; the other arguments are the attributes."""
        names = predictor.class_names
        return cls(steps, boxes, names, predictor.tells_classes, predictor.finds_several_classes)

    @property
    def drawn_names(self) -> Sequence[str]:
        """The names that the picture shows."""
        return self.class_names if self.shows_classes else ()


def tracks_sink(writer: TrackWriter, frames: FrameSource, options: OutputOptions, boxes: BoxChoice) -> TracksSink:
    """Return the sink for a writer of the tracks of a source; with steps, one that waits for the last frame."""
    if options.steps:
        return OfflineTracksSink(writer, options.steps, frames.frame_rate, boxes)
    return TracksSink(writer, boxes)


def size_of(result: FrameResult) -> tuple[int, int]:
    """Return width and height of a frame."""
    height, width = result.frame.image.shape[:2]
    return width, height
