"""One source from its frames to its outputs: the loop that everything that detects or tracks goes through."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centertrack.app.file_sink import FileSink
from centertrack.app.outputs import TRACK_SUFFIXES, OutputKind, OutputPlan
from centertrack.app.pipeline import FrameResult, Pipeline, Report
from centertrack.app.sinks import detect_sinks, photo_names, track_sinks
from centertrack.app.termination import shielded
from centertrack.app.tracks_sink import OutputOptions
from centertrack.configuration import build
from centertrack.predictor import Predictor
from centertrack.runtime.signal_stack import drop_lost_signal_stack
from centertrack.runtime.weights import DEFAULT_WEIGHTS
from tracker.arrays import Image
from tracker.base import Tracker
from tracker.errors import InputError
from tracker.factory import DEFAULT_TRACKER, make_tracker
from tracker.io.frame import FrameSource
from tracker.io.video import open_source
from tracker.io.writer import VIDEO_SUFFIXES

if TYPE_CHECKING:
    from centertrack.models.network import CenterNetwork

_log = logging.getLogger(__name__)
BATCH_SIZE_ON_GPU = 4
STREAMS_ON_CPU = 2  # frames in the network at a time: small networks keep few cores busy only by twos
SCORE_OPTIONS = ("min_score", "min_low_score", "min_new_score")  # of the trackers
DETECT_MIN_SCORE = 0.3
PREDICTOR_MIN_SCORE = 0.1  # or lower; what no track starts from is worth knowing


class Session:
    """Detects, and tracks, the frames of one source, and hands each to the outputs and to whoever iterates.

    It runs once: iterate over it, or call `run`. Outputs are finished when the source ends, when the iteration is left,
    and when anything fails; what was done until then is kept.

    Args:
        source: As of `open_source`, or a source that is open; it is closed at the end.
        predictor: Finds the objects.
        new_tracker: Called with the source, returns the tracker that gives ids; None only detects.
        open_sinks: Called with the paths of the plan and the source once the network is ready; gives the outputs one
            after the other.
        plan: Names the outputs.
        max_frames: Stop after so many frames.
        batch_size: Frames a call of the network; None takes several on a GPU, but never of a live source.
        on_frame: Called with each finished frame.
        source_options: Of `open_source`: start, end, stride, frame_rate, reconnect.

    Attributes:
        frames: The source.
        tracker: Gives the ids, or None.
        report: What was done; up to date after every frame.
        paths: What the plan named.
        is_complete: Whether all outputs have their names.
        remarks: What the outputs have to tell once they are finished, a line each.

    Raises:
        InputError: The source cannot be opened, or an option cannot be used; while running, the source breaks off or an
            output cannot be written.
    """

    def __init__(
        self,
        source: str | Path | FrameSource,
        predictor: Predictor,
        new_tracker: Callable[[FrameSource], Tracker] | None = None,
        open_sinks: Callable[[Mapping[str, Path], FrameSource], Iterable[FileSink]] = lambda paths, frames: (),
        plan: OutputPlan | None = None,
        max_frames: int | None = None,
        batch_size: int | None = None,
        on_frame: Callable[[FrameResult], None] | None = None,
        source_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._started = True  # for `__del__`, should opening fail
        if max_frames is not None and (not isinstance(max_frames, int) or max_frames < 1):
            raise InputError(f"max_frames must be a whole number from 1, got {max_frames!r}")
        if not isinstance(source, str | Path | FrameSource):
            raise InputError(
                f"a source is a file, folder, glob, URL or camera number as text, or a FrameSource, got {source!r}"
            )
        self.frames = open_source(source, **(source_options or {}))
        self.predictor = predictor
        try:
            self.tracker = None if new_tracker is None else new_tracker(self.frames)
        except BaseException:
            self.frames.close()  # a camera is read from when it is opened
            raise
        self.report = Report(ids=None if self.tracker is None else set())
        self._open_sinks, self._plan = open_sinks, plan
        self.paths: dict[str, Path] = {}
        self._sinks: list[FileSink] = []
        self._max_frames = max_frames
        on_gpu = predictor.device != "cpu" and self.frames.frame_count
        self._batch_size = batch_size or (BATCH_SIZE_ON_GPU if on_gpu else 1)
        self._on_frame = on_frame
        self._is_warm = False
        self.is_complete = False
        self.remarks: list[str] = []
        self._started = False

    @property
    def frame_count(self) -> int | None:
        """How many frames to expect; None where nothing says."""
        return min(filter(None, (self.frames.frame_count, self._max_frames)), default=None)

    def warm_up(self) -> None:
        """Load, convert and compile the network, before any output is opened: a failure leaves everything as it was."""
        if not self._is_warm:
            self.predictor.warm_up(self.frames.size)
        self._is_warm = True

    def run(self, on_frame: Callable[[FrameResult], None] | None = None) -> Report:
        """Process all frames.

        Args:
            on_frame: Called with each finished frame, in the calling thread.

        Returns:
            `report`.
        """
        with closing(self.results()) as results:
            for result in results:
                if on_frame is not None:
                    on_frame(result)
        return self.report

    def __iter__(self) -> Iterator[FrameResult]:
        """Give every frame with what was found on it, in order, once the outputs have it.

        Raises:
            RuntimeError: The session has run already.
        """
        return self.results()

    def results(self) -> Generator[FrameResult, None, None]:
        """Give what iterating gives, as a generator: closing it ends the session."""
        if self._started:
            raise RuntimeError("a session runs once; open the source again with a new one")
        self._started = True
        return self._process()

    def _process(self) -> Generator[FrameResult, None, None]:
        sinks = self._sinks
        with self.frames:
            try:
                self.warm_up()
                if self._plan is not None:
                    photos = self.tracker is None and photo_names(self.frames) is not None
                    self.paths.update(self._plan.paths_for(self.frames.name, photos))
                self._warn_of_guessed_rate()
                for sink in self._open_sinks(self.paths, self.frames):
                    sinks.append(sink)
                pipeline = Pipeline(
                    self.frames, self.predictor, self.tracker, sinks, self._batch_size, self._max_frames, self.report
                )
                with closing(iter(pipeline)) as results:
                    for result in results:
                        if self._on_frame is not None:
                            self._on_frame(result)
                        yield result
            except BaseException as error:
                stopped = isinstance(error, GeneratorExit)  # whoever iterates has seen enough
                # nothing but an interrupt ends a camera
                ended = isinstance(error, KeyboardInterrupt) and self.frames.is_live
                self._end(sinks, complete=stopped or ended)
                raise
            else:
                self._end(sinks, complete=True)
            finally:
                drop_lost_signal_stack()
                if self._plan is not None:
                    self._plan.release(self.paths.values())

    def _warn_of_guessed_rate(self) -> None:
        if self.frames.is_rate_guessed and (self.tracker is not None or "video" in self.paths):
            _log.warning(
                "%s: nothing says the frame rate; %g frames per second are assumed, for the tracker and the video: "
                "--fps tells it (fps=... in Python)",
                self.frames.name,
                self.frames.frame_rate,
            )

    def _end(self, sinks: Sequence[FileSink], complete: bool) -> None:
        """Complete or abandon all outputs, whatever becomes of one of them."""
        errors: list[Exception] = []
        with shielded(self.unfinished):
            for sink in sinks:
                try:
                    if complete:
                        sink.close()
                    else:
                        sink.abandon()
                except (InputError, OSError) as error:
                    errors.append(error)
            self.is_complete = complete and not errors
            for labels in (sink.labels for sink in reversed(sinks)):
                if labels is not None:  # those of the first that writes tracks
                    self.report.written(labels)
            self.remarks = [remark for sink in sinks for remark in sink.remarks]
        if errors:
            raise errors[0]

    def draw_over(self, image: Image) -> None:
        """Draw what the outputs know besides boxes, such as counts at lines, into an image (H, W, 3) uint8 RGB."""
        for sink in self._sinks:
            sink.draw_over(image)

    def unfinished(self) -> list[str]:
        """Name the files in which there is what has no name yet."""
        return [str(sink.unfinished) for sink in self._sinks if sink.unfinished is not None]

    def close(self) -> None:
        """Let go of the source of a session that does not run any more."""
        self._started = True
        self.frames.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._started:
            warnings.warn(
                f"{self.frames.name} was opened and not processed: iterate over the session, or call its run()",
                stacklevel=2,
            )
            self.frames.stop()


def track(
    source: str | Path | FrameSource,
    weights: str | Path | CenterNetwork | Predictor = DEFAULT_WEIGHTS,
    tracker: str | Tracker = DEFAULT_TRACKER,
    *,
    results: str | Path | None = None,
    video: str | Path | None = None,
    on_frame: Callable[[FrameResult], None] | None = None,
    max_frames: int | None = None,
    start: str | float | None = None,
    end: str | float | None = None,
    stride: int = 1,
    fps: float | None = None,
    tracker_options: Mapping[str, Any] | None = None,
    **network_options: Any,
) -> Session:
    """Follow the objects of a video: every object keeps its id.

        for frame in track("street.mp4", results="street.txt"):
            print(frame.number, frame.tracks.ids, frame.tracks.boxes)

    Args:
        source: A video file, a folder or glob of images, a MOTChallenge sequence folder, a camera number, a URL, or
            `-` for standard input.
        weights: Name of bundled weights, a file, a network, or a `Predictor`.
        tracker: A name of `tracker.TRACKERS`, or a tracker.
        results: Write the tracks here, a file in the format of its suffix (.txt, .csv, .json, .jsonl, .parquet) or a
            folder for MOTChallenge rows.
        video: Write the frames with boxes, ids and trails here, a file or a folder.
        on_frame: Called with each finished frame.
        max_frames: Stop after so many frames.
        start: Begin at this time in seconds, as 12.5 or "1:30", or at this frame, as "300f".
        end: End before this time, or after this frame.
        stride: Look at every so manieth frame only; numbers and times stay those of the source.
        fps: Frames per second of images and raw MJPEG, which do not say it.
        tracker_options: Options of the tracker that is named.
        **network_options: Options of `Predictor`: device, runtime, image_size, classes, detector_options,
            embeddings, ...

    Returns:
        A session: iterate over it, or call `run()`. Nothing is done before.

    Raises:
        InputError: No such source, weights, tracker or option, or the tracker compares appearance and the network has
            no re-identification head.
    """
    if not isinstance(tracker, str | Tracker):
        raise InputError(f"a tracker is a name or a Tracker, got {tracker!r}")
    chosen = tracker if isinstance(tracker, Tracker) else make_tracker(tracker, **(tracker_options or {}))
    lowest = min(thresholds(chosen.options).values())
    predictor = _predictor(weights, min(PREDICTOR_MIN_SCORE, lowest), network_options)
    if predictor.min_score > lowest:
        _log.warning(
            "the predictor leaves out scores below %g, and the tracker takes those from %g", predictor.min_score, lowest
        )
    if chosen.needs_embeddings and not predictor.has_embeddings:
        raise InputError(
            f"{type(chosen).__name__} compares appearance, but these weights have no re-identification head; give "
            f"embeddings='fairmot-small', or use the tracker {DEFAULT_TRACKER}"
        )

    def new_tracker(frames: FrameSource) -> Tracker[Any]:
        if isinstance(tracker, Tracker):
            return tracker
        return make_tracker(tracker, **{"frame_rate": frames.frame_rate, **(tracker_options or {})})

    kind = OutputKind("results", ".txt", _text(results), TRACK_SUFFIXES, goes_to_standard_output=True)
    plan = _plan(source, kind, video)
    open_sinks = partial(track_sinks, options=OutputOptions.of(predictor))
    part = {"start": start, "end": end, "stride": stride, "frame_rate": fps}
    return Session(source, predictor, new_tracker, open_sinks, plan, max_frames, on_frame=on_frame, source_options=part)


def detect(
    source: str | Path | FrameSource,
    weights: str | Path | CenterNetwork | Predictor = DEFAULT_WEIGHTS,
    *,
    min_score: float | None = None,
    results: str | Path | None = None,
    video: str | Path | None = None,
    on_frame: Callable[[FrameResult], None] | None = None,
    max_frames: int | None = None,
    start: str | float | None = None,
    end: str | float | None = None,
    stride: int = 1,
    fps: float | None = None,
    **network_options: Any,
) -> Session:
    """Find the objects of images or a video, frame by frame, without ids.

    Args:
        source: As of `track`.
        weights: As of `track`.
        min_score: Detections below are left out; None takes 0.3. A `Predictor` that is given has its own.
        results: Write COCO-style JSON here, a file or a folder.
        video: Write the frames with boxes here, a file or a folder.
        on_frame: Called with each finished frame.
        max_frames: Stop after so many frames.
        start: Begin at this time in seconds, as 12.5 or "1:30", or at this frame, as "300f".
        end: End before this time, or after this frame.
        stride: Look at every so manieth frame only; numbers and times stay those of the source.
        fps: Frames per second of images and raw MJPEG, which do not say it.
        **network_options: Options of `Predictor`.

    Returns:
        A session, whose frames have `detections`: iterate over it, or call `run()`.

    Raises:
        InputError: No such source, weights or option.
    """
    if isinstance(weights, Predictor) and min_score is not None:
        raise InputError(f"min_score belongs to the Predictor, which is given already and has {weights.min_score:g}")
    predictor = _predictor(weights, DETECT_MIN_SCORE if min_score is None else min_score, network_options)

    open_sinks = partial(detect_sinks, options=OutputOptions.of(predictor))
    plan = _plan(source, OutputKind("results", ".json", _text(results), (".json",)), video)
    part = {"start": start, "end": end, "stride": stride, "frame_rate": fps}
    return Session(source, predictor, None, open_sinks, plan, max_frames, on_frame=on_frame, source_options=part)


def _predictor(
    weights: str | Path | CenterNetwork | Predictor, min_score: float, options: Mapping[str, Any]
) -> Predictor:
    if not isinstance(weights, Predictor):
        return build(Predictor, "Predictor", {"min_score": min_score, "streams": STREAMS_ON_CPU, **options}, weights)
    if options:
        raise InputError(f"{', '.join(options)} belong to the Predictor, which is given already")
    return weights


def _plan(source: object, results: OutputKind, video: str | Path | None) -> OutputPlan | None:
    kinds = [results, OutputKind("video", ".mp4", _text(video), VIDEO_SUFFIXES)]
    if all(kind.given is None for kind in kinds):
        return None
    return OutputPlan(kinds, [str(source)] if isinstance(source, str | Path) else [])


def _text(path: str | Path | None) -> str | None:
    return None if path is None else str(path)


def thresholds(options: Any) -> dict[str, float]:
    """Return the scores that a tracker's options compare with, by name.

    >>> thresholds(make_tracker("bytetrack").options)
    {'min_score': 0.6, 'min_low_score': 0.1, 'min_new_score': 0.7}
    """
    known = {field.name for field in fields(options)}
    values = {name: getattr(options, name) for name in SCORE_OPTIONS if name in known}
    return {name: value for name, value in values.items() if value is not None}
