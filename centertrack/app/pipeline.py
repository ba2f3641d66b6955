"""From frames to results, every step in a thread of its own: the slowest sets the pace, not the sum."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Any, Protocol

from centertrack.app.stage import Stage
from centertrack.app.termination import shielded
from centertrack.predictor import Predictor, PreparedImage
from tracker.arrays import Image
from tracker.base import Tracker
from tracker.detections import Detections, Tracks
from tracker.io.frame import Frame, FrameSource


@dataclass(slots=True)
class FrameResult:
    """What is known about a frame; it fills up on its way through the stages.

    Attributes:
        frame: Number, time and image.
        prepared: The image at the network's input size; dropped once the network has seen it.
        detections: What the network found.
        tracks: What the tracker made of it; None if there is no tracker.
    """

    frame: Frame
    prepared: PreparedImage | None = None
    detections: Detections | None = None
    tracks: Tracks | None = None

    @property
    def number(self) -> int:
        """Of the frame, counted from 1."""
        return self.frame.number

    @property
    def time(self) -> float:
        """Seconds since the first frame."""
        return self.frame.time

    @property
    def image(self) -> Image:
        """(H, W, 3) uint8 RGB."""
        return self.frame.image


class Sink(Protocol):
    """Takes finished frames in order, for example to write them to a file."""

    def write(self, result: FrameResult) -> None:
        """Take one frame."""


@dataclass(slots=True)
class Report:
    """What a run did and how long it took.

    Attributes:
        frames: Frames that passed all stages.
        detections: Objects found in them.
        best_score: Of all of them; 0 if there are none.
        ids: Distinct identities, those of the written tracks once these are written; None where nothing was tracked.
        id_labels: Id -> label of it, the last one.
        detection_labels: Label -> detections of it.
        seconds: From start to end.
        busy_seconds: Name of each stage -> time it worked; for a stage with several workers, the mean.
    """

    frames: int = 0
    detections: int = 0
    best_score: float = 0.0
    ids: set[int] | None = None
    id_labels: dict[int, int] = field(default_factory=dict)
    detection_labels: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0
    busy_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def frame_rate(self) -> float:
        """Frames per second, end to end."""
        return self.frames / self.seconds if self.seconds else 0.0

    def written(self, id_labels: Mapping[int, int]) -> None:
        """Take over who is in the file that was written: postprocessing may have joined tracks."""
        self.ids, self.id_labels = set(id_labels), dict(id_labels)

    def by_label(self) -> Counter[int]:
        """Return how many ids, or where nothing was tracked detections, are of each label."""
        return self.detection_labels if self.ids is None else Counter(self.id_labels.values())

    def stage_rates(self) -> dict[str, float]:
        """Return the frames per second that each stage could do if it waited for no other.

        >>> Report(frames=50, busy_seconds={"decode": 0.5, "network": 2.0}).stage_rates()
        {'decode': 100.0, 'network': 25.0}
        """
        return {name: self.frames / busy for name, busy in self.busy_seconds.items() if busy > 0}


class Pipeline:
    """Detects, and tracks, all frames of a source and hands them to sinks.

    Memory is bounded: every stage is at most a few frames ahead of the next. An exception in any stage comes to
    whoever iterates after everything before it went to the sinks, so that they hold the results until then.

    Args:
        frames: Any iterable of `Frame`, such as a `FrameSource`.
        predictor: Finds the objects; its streams work side by side.
        tracker: Gives them ids; None only detects.
        sinks: Get every frame in order; opened and closed by the caller.
        batch_size: Frames a call of the network. More than one pays on a GPU only.
        max_frames: Stop after so many frames.
        report: Is brought up to date after every frame, also when the iteration is left by an exception.
    """

    def __init__(
        self,
        frames: Iterable[Frame],
        predictor: Predictor,
        tracker: Tracker | None = None,
        sinks: Sequence[Sink] = (),
        batch_size: int = 1,
        max_frames: int | None = None,
        report: Report | None = None,
    ) -> None:
        self.predictor = predictor
        self.tracker = tracker
        self.sinks = sinks
        self.report = report or Report(ids=None if tracker is None else set())
        self._is_live = isinstance(frames, FrameSource) and frames.is_live
        self._batches = _batches(islice(frames, max_frames), batch_size)

    def __iter__(self) -> Generator[FrameResult, None, None]:
        """Process the frames and give each when all sinks have it, in the calling thread.

        Raises:
            Exception: Whatever a stage or a sink raised.
        """
        start = time.perf_counter()
        stages = self._start_stages()
        last = stages[list(stages)[-1]]
        try:
            for batch in last:
                for result in batch:
                    self._count(result)
                    yield result
        finally:
            with shielded():
                last.close()
                self.report.seconds = time.perf_counter() - start
                self.report.busy_seconds = {name: stage.busy_seconds for name, stage in stages.items()}

    def run(self, progress: Callable[[FrameResult], None] | None = None) -> Report:
        """Process all frames.

        Args:
            progress: Called after each frame, in the calling thread.

        Returns:
            `report`.
        """
        with closing(iter(self)) as results:
            for result in results:
                if progress is not None:
                    progress(result)
        return self.report

    def _start_stages(self) -> dict[str, Stage[Any, Any]]:
        """Return the running stages by name, each fed by the one before it."""
        streams = self.predictor.runtime.streams
        stages: dict[str, Stage[Any, Any]] = {}
        if self._is_live:  # no frame waits before the network: it would be older than the newest
            stages["network"] = Stage(self._prepare_and_detect, self._batches, streams, ahead=0, may_hang=True)
        else:
            # the work of the first is done by the iterator itself
            stages["decode"] = Stage(next, repeat(self._batches), may_hang=True)
            stages["prepare"] = Stage(self._prepare, stages["decode"])
            stages["network"] = Stage(self._detect, stages["prepare"], streams)
        if self.tracker is not None:
            stages["associate"] = Stage(self._associate, stages["network"])
        if self.sinks:
            stages["write"] = Stage(self._write, stages[list(stages)[-1]])
        return stages

    def _prepare(self, batch: list[Frame]) -> list[FrameResult]:
        return [FrameResult(frame, self.predictor.prepare(frame.image)) for frame in batch]

    def _prepare_and_detect(self, batch: list[Frame]) -> list[FrameResult]:
        return self._detect(self._prepare(batch))

    def _detect(self, batch: list[FrameResult]) -> list[FrameResult]:
        found = self.predictor.detect([result.prepared for result in batch if result.prepared is not None])
        for result, detections in zip(batch, found, strict=True):
            result.prepared, result.detections = None, detections
        return batch

    def _associate(self, batch: list[FrameResult]) -> list[FrameResult]:
        for result in batch:
            if self.tracker is not None and result.detections is not None:
                result.tracks = self.tracker.update(result.detections, result.frame.image, result.frame.time)
        return batch

    def _write(self, batch: list[FrameResult]) -> list[FrameResult]:
        for result in batch:
            for sink in self.sinks:
                sink.write(result)
        return batch

    def _count(self, result: FrameResult) -> None:
        self.report.frames += 1
        if result.detections is not None and len(result.detections):
            self.report.detections += len(result.detections)
            self.report.best_score = max(self.report.best_score, float(result.detections.scores.max()))
            self.report.detection_labels.update(result.detections.labels.tolist())
        if result.tracks is not None and self.report.ids is not None:
            ids = result.tracks.ids.tolist()
            self.report.ids.update(ids)
            self.report.id_labels.update(zip(ids, result.tracks.labels.tolist(), strict=True))


def _batches(frames: Iterable[Frame], size: int) -> Iterator[list[Frame]]:
    """Group frames by `size`; when the frames end with an exception, those before it come first."""
    batch: list[Frame] = []
    try:
        for frame in frames:
            batch.append(frame)
            if len(batch) == size:
                yield batch
                batch = []
    except Exception:
        if batch:
            yield batch
        raise
    if batch:
        yield batch
