"""One run for the page: the same session and the same sinks as `centertrack track`, told about as it goes."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

import numpy as np
from typing_extensions import override

from centertrack.app.answers import Answers, FileAtEnd, Questions, counted_track_sinks, namer, noun_of, overlay_of
from centertrack.app.file_sink import FileSink, NoFileSink, WriterSink
from centertrack.app.outputs import OutputKind, OutputPlan
from centertrack.app.pipeline import FrameResult
from centertrack.app.session import PREDICTOR_MIN_SCORE, STREAMS_ON_CPU, Session, thresholds
from centertrack.app.sinks import Annotator, track_sinks
from centertrack.app.tracks_sink import OutputOptions
from centertrack.predictor import Predictor
from centertrack.web.offer import Limits
from tracker.base import Tracker
from tracker.counting.places import WrittenPlace
from tracker.counting.tally import tally_places
from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.factory import DEFAULT_TRACKER, make_tracker
from tracker.io.frame import FrameSource
from tracker.io.images import encode_image
from tracker.io.names import ODD_NAMES
from tracker.report.tracks_page import Lifetimes, render_tracks_page
from tracker.wording import counted

NEWS_SECONDS = 0.5  # between two pictures of a run
RECONNECT_SECONDS = 10.0  # for which a camera that breaks off is tried again: others wait for their turn
_JPEG_QUALITY = 75
_TABLES = ("csv", "json")  # files of tracks besides the rows
_SUFFIXES = {
    "results": ".txt",
    "csv": ".csv",
    "json": ".json",
    "export cvat": ".xml",
    "video": ".mp4",
    "report": ".html",
}
_COUNT_SUFFIXES = {"events": "-events.csv", "counts": "-counts.json"}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be tracked, and how.

    Attributes:
        source: A file, or a camera.
        weights: As of `Predictor`.
        tracker: One of `tracker.factory.TRACKERS`.
        classes: Names or numbers with commas between; empty for all.
        start: As of `open_source`; empty for the beginning.
        end: As of `open_source`; empty for the end.
        places: Lines and zones at which is counted.
    """

    source: str
    weights: str
    tracker: str = DEFAULT_TRACKER
    classes: str = ""
    start: str = ""
    end: str = ""
    places: Sequence[WrittenPlace] = ()


@dataclass(slots=True)
class News:
    """How far a run is.

    Attributes:
        frames: That are done.
        total: To expect; None where nothing says.
        rate: Frames per second until now.
        ids: Distinct identities until now.
        jpeg: The newest annotated frame, empty before the first.
    """

    frames: int
    total: int | None
    rate: float
    ids: int
    jpeg: bytes = b""


@dataclass(slots=True)
class Outcome:
    """What a run has made.

    Attributes:
        summary: What was done, a sentence.
        paths: What each file is -> the file: `results`, `csv`, `json`, `export cvat`, `video`, `report`, and with lines
            or zones `events` and `counts`.
        remarks: What was counted, a line each.
        frame_rate: Of the source.
        first_frame: Number of the first one in the video.
    """

    summary: str
    paths: Mapping[str, Path] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    frame_rate: float = 0.0
    first_frame: int = 1


def run_order(order: Order, folder: Path, limits: Limits, stop: Event) -> Iterator[News | Outcome]:
    """Track what is ordered, and write all files.

    Args:
        order: What to do.
        folder: Where the files go.
        limits: Where the run ends, or is refused.
        stop: Ends the run when it is set; files hold what was done until then.

    Yields:
        News about twice a second, and the outcome last.

    Raises:
        InputError: Something that is ordered cannot be had, or the source breaks off.
    """
    sample = make_tracker(order.tracker)
    predictor = Predictor(
        order.weights,
        min_score=min(PREDICTOR_MIN_SCORE, *thresholds(sample.options).values()),
        streams=STREAMS_ON_CPU,
        classes=[name.strip() for name in order.classes.split(",") if name.strip()] or None,
    )
    if sample.needs_embeddings and not predictor.has_embeddings:
        raise InputError(
            f"tracker {order.tracker} compares appearance, but {Path(order.weights).name} has no re-identification "
            f"head; choose other weights, or the tracker {DEFAULT_TRACKER}"
        )
    preview = _Preview()
    session = _open_session(order, predictor, folder, preview)
    with session:
        limits.check_length(session.frames)
        yield News(0, session.frame_count, 0.0, 0)
        session.warm_up()
        yield from _follow(session, limits, stop, preview)
    report = session.report
    ids, objects = len(report.ids or ()), counted(report.frames, "frame")
    yield Outcome(
        f"{objects}, {counted(ids, 'id')}, {report.frame_rate:.3g} frames per second",
        dict(session.paths),
        session.remarks,
        session.frames.frame_rate,
        preview.first,
    )


def _follow(session: Session, limits: Limits, stop: Event, preview: _Preview) -> Iterator[News]:
    begun = told = time.perf_counter()
    first: float | None = None
    with closing(session.results()) as results:
        for result in results:
            first = result.time if first is None else first
            now = time.perf_counter()
            if stop.is_set() or result.time - first >= limits.seconds:
                break
            if now - told >= NEWS_SECONDS or session.report.frames == 1:
                told, report = now, session.report
                rate = report.frames / max(now - begun, 1e-9)
                yield News(report.frames, session.frame_count, rate, len(report.ids or ()), preview.jpeg)


def _open_session(order: Order, predictor: Predictor, folder: Path, preview: _Preview) -> Session:
    written = OutputOptions.of(predictor)
    suffixes = {**_SUFFIXES, **(_COUNT_SUFFIXES if order.places else {})}
    kinds = [OutputKind(name, suffix, f"{folder}/", (suffix,)) for name, suffix in suffixes.items()]

    def new_tracker(source: FrameSource) -> Tracker:
        return make_tracker(order.tracker, frame_rate=source.frame_rate)

    def open_sinks(paths: Mapping[str, Path], frames: FrameSource) -> Iterator[FileSink]:
        names = predictor.class_names
        answers = Answers(Questions(order.places), frames.name, frames.size, namer(names), noun_of(names))
        yield from counted_track_sinks(paths, frames, answers, written)
        for table in _TABLES:
            yield from track_sinks({"results": paths[table]}, frames, written)
        yield _ReportSink(paths["report"], answers, frames, written.shows_classes)
        yield preview.open(Annotator(written.drawn_names, overlay_of(answers)))

    return Session(
        order.source,
        predictor,
        new_tracker,
        open_sinks,
        OutputPlan(kinds, [order.source]),
        source_options={
            "start": order.start.strip() or None,
            "end": order.end.strip() or None,
            "reconnect": RECONNECT_SECONDS,
        },
    )


class _ReportSink(WriterSink):
    """Writes the page about the tracks in the end."""

    def __init__(self, path: Path, answers: Answers, frames: FrameSource, shows_classes: bool) -> None:
        self._lifetimes, self._answers, self._frames = Lifetimes(), answers, frames
        self._shows_classes = shows_classes
        super().__init__(FileAtEnd(path, self._save))

    @override
    def write(self, result: FrameResult) -> None:
        self._lifetimes.add(result.number, result.tracks or Tracks.empty())

    def _save(self, path: Path) -> None:
        path.write_text(self._page(), encoding="utf-8", errors=ODD_NAMES)

    def _page(self) -> str:
        found, answers = self._lifetimes, self._answers
        people = answers.identities.count()
        facts = {
            "frames": str(found.frames),
            "seconds": f"{found.frames / self._frames.frame_rate:.1f}",
            "ids": str(len(found.spans)),
            f"different {answers.noun}": f"{people.low} to {people.high}"
            if people.low < people.high
            else f"{people.low}",
        }
        kinds = {one: answers.class_name(label) for one, label in found.labels.items()} if self._shows_classes else {}
        places = tally_places(answers.counter, answers.class_name)
        return render_tracks_page(self._frames.name, facts, found, kinds, places)


class _Preview(NoFileSink):
    """Keeps a picture of a frame now and then, to look at while the run goes on.

    Attributes:
        jpeg: The newest, empty before the first.
        first: Number of the first frame, 0 before.
    """

    def __init__(self) -> None:
        self.jpeg, self.first = b"", 0
        self._annotator: Annotator | None = None
        self._last = -NEWS_SECONDS

    def open(self, annotator: Annotator) -> _Preview:
        """Draw with this from now on."""
        self._annotator = annotator
        return self

    @override
    def write(self, result: FrameResult) -> None:
        self.first = self.first or result.number
        now = time.perf_counter()
        if self._annotator is None or now - self._last < NEWS_SECONDS:
            return
        self._last = now
        pixels = np.ascontiguousarray(self._annotator.draw(result)[..., ::-1])
        self.jpeg = encode_image(pixels, ".jpg", _JPEG_QUALITY)
