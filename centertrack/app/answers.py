"""What is asked about the tracks of a source besides the tracks themselves, and the files that hold the answers."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typing_extensions import override

from centertrack.app.file_sink import FileSink, NoFileSink, WriterSink
from centertrack.app.pipeline import FrameResult
from centertrack.app.sinks import Overlay, track_sinks
from centertrack.app.tracks_sink import OutputOptions
from tracker.arrays import Image
from tracker.counting.audit import BEFORE_SECONDS, Audit
from tracker.counting.counter import Counter
from tracker.counting.event_file import EventWriter
from tracker.counting.events import Event
from tracker.counting.heatmap import Heatmap
from tracker.counting.identities import Identities
from tracker.counting.overlay import draw_counts
from tracker.counting.places import WrittenPlace
from tracker.counting.tally import tally_identities, tally_places
from tracker.counting.timeline import Timeline
from tracker.counting.trails import TrailsPicture
from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.io.atomic import OutputFile
from tracker.io.images import write_image
from tracker.io.names import ODD_NAMES
from tracker.io.video import FrameSource
from tracker.wording import counted

ClassName = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Questions:
    """What is asked.

    Attributes:
        places: Lines and zones.
        anchor: As of `Counter`.
        audit: Folder for a picture of every event; None for none.
        looks: Whether ids are compared by their embeddings, where there are any.
    """

    places: Sequence[WrittenPlace] = ()
    anchor: str = "bottom"
    audit: Path | None = None
    looks: bool = False


class Answers(NoFileSink):
    """Counts while frames go by; the sinks after it write what it knows.

    Args:
        questions: What is asked.
        source: Name of the source.
        size: Width and height of its images in pixels, None where they are unknown.
        class_name: Names a label.
        noun: What the objects are called, such as "people".
        clock: Where times are from, for counts.json.

    Attributes:
        counter: At lines and zones.
        events: Of the last frame.

    Raises:
        InputError: A line or zone lies outside of the image, or is none.
    """

    def __init__(
        self,
        questions: Questions,
        source: str,
        size: tuple[int, int] | None,
        class_name: ClassName,
        noun: str,
        clock: str = "the frames of the source",
    ) -> None:
        self.class_name, self.noun = class_name, noun
        self.questions = questions
        self.counter = Counter([place.in_image(size) for place in questions.places], questions.anchor)
        self.identities = Identities(with_embeddings=questions.looks)
        self.events: Sequence[Event] = ()
        self._source, self._clock = source, clock

    @override
    def write(self, result: FrameResult) -> None:
        if result.tracks is not None:
            self.events = self.counter.update(result.tracks, result.time, result.number)
            self.identities.add(result.number, result.time, result.tracks, result.detections)

    @property
    @override
    def remarks(self) -> list[str]:
        """How many different objects there were, and what was counted at each line and zone."""
        places = tally_places(self.counter, self.class_name)
        return [
            f"{self.noun}: {self.identities.count()}",
            *(f"{name}: {_line_text(line)}" for name, line in places["lines"].items()),
            *(f"{name}: {_zone_text(zone)}" for name, zone in places["zones"].items()),
        ]

    def tally(self) -> dict[str, Any]:
        """Return all of it, as counts.json holds it."""
        return {
            "source": self._source,
            "frames": self.counter.frames,
            "seconds": round(self.counter.time - self.counter.start, 3),
            "clock": self._clock,
            "anchor": self.questions.anchor,
            self.noun: tally_identities(self.identities.count()),
            **tally_places(self.counter, self.class_name),
        }

    @override
    def draw_over(self, image: Image) -> None:
        """Draw lines and zones with their numbers until now into an image."""
        draw_counts(image, self.counter)


class FileAtEnd(OutputFile):
    """A file that is written once everything is known.

    Args:
        path: Of it.
        write: Writes it to the path that it is given.
    """

    def __init__(self, path: str | Path, write: Callable[[Path], None]) -> None:
        super().__init__(path)
        self._write = write

    @override
    def _finish(self) -> None:
        self._write(self.temporary)


class CountsSink(WriterSink):
    """Writes counts.json in the end."""

    def __init__(self, path: Path, answers: Answers) -> None:
        def write(target: Path) -> None:
            text = json.dumps(answers.tally(), indent=2, ensure_ascii=False)
            target.write_text(f"{text}\n", encoding="utf-8", errors=ODD_NAMES)

        super().__init__(FileAtEnd(path, write))

    @override
    def write(self, result: FrameResult) -> None:
        pass  # all is counted by `Answers`


class EventsSink(WriterSink):
    """Writes the events of each frame as CSV."""

    def __init__(self, path: Path, answers: Answers) -> None:
        self._writer = EventWriter(path, answers.class_name)
        self._answers = answers
        super().__init__(self._writer)

    @override
    def write(self, result: FrameResult) -> None:
        self._writer.write(self._answers.events)


class AuditSink(NoFileSink):
    """Writes a picture of every event."""

    def __init__(self, folder: Path, answers: Answers) -> None:
        counter = answers.counter
        places = [one.place for one in counter.lines] + [one.place for one in counter.zones]
        seconds = counter.max_gap_seconds + 2 * BEFORE_SECONDS
        self._audit = Audit(folder, places, answers.class_name, seconds)
        self._answers = answers

    @override
    def write(self, result: FrameResult) -> None:
        if result.tracks is not None:
            self._audit.add(result.number, result.time, result.image, result.tracks, self._answers.events)

    @property
    @override
    def remarks(self) -> list[str]:
        return [f"audit: {counted(self._audit.written, 'picture')} in {self._audit.folder}"]


class PictureSink(WriterSink):
    """Writes one picture of all frames in the end; subclasses collect them and draw it."""

    def __init__(self, path: Path) -> None:
        super().__init__(FileAtEnd(path, self._save))

    def _save(self, path: Path) -> None:
        picture = self.picture()
        if picture is None:
            raise InputError("there was no frame to draw")
        write_image(path, picture)

    @abstractmethod
    def picture(self) -> Image | None:
        """Return the picture, (H, W, 3) uint8 RGB; None where there was no frame."""


class HeatmapSink(PictureSink):
    """Draws where objects stood, over the first frame."""

    def __init__(self, path: Path, frames: FrameSource, anchor: str) -> None:
        self._heatmap = Heatmap(frames.size, anchor)
        self._background: Image | None = None
        super().__init__(path)

    @override
    def write(self, result: FrameResult) -> None:
        self._background = result.image if self._background is None else self._background
        self._heatmap.add(result.tracks or Tracks.empty(), result.time)

    @override
    def picture(self) -> Image | None:
        return None if self._background is None else self._heatmap.picture(self._background)


class TrailsSink(PictureSink):
    """Draws all ways, over the first frame."""

    def __init__(self, path: Path, anchor: str) -> None:
        self._anchor = anchor
        self._trails: TrailsPicture | None = None
        super().__init__(path)

    @override
    def write(self, result: FrameResult) -> None:
        self._trails = self._trails or TrailsPicture(result.image, self._anchor)
        self._trails.add(result.tracks or Tracks.empty())

    @override
    def picture(self) -> Image | None:
        return None if self._trails is None else self._trails.image


class PlotSink(PictureSink):
    """Draws how many there were in the image, and in each zone, over time."""

    def __init__(self, path: Path, answers: Answers) -> None:
        self._zones = answers.counter.zones
        self._timeline = Timeline([f"{answers.noun} in the image", *(one.place.name for one in self._zones)])
        super().__init__(path)

    @override
    def write(self, result: FrameResult) -> None:
        count = 0 if result.tracks is None else len(result.tracks)
        self._timeline.add(result.time, count, *(zone.now for zone in self._zones))

    @override
    def picture(self) -> Image:
        return self._timeline.picture()


def answer_sinks(paths: Mapping[str, Path], frames: FrameSource, answers: Answers) -> Iterator[FileSink]:
    """Open the files of the answers, one after the other; `answers` comes first, since they read it.

    Args:
        paths: `counts`, `events`, `heatmap`, `trails`, `plot` -> file; any may be missing.
        frames: The source.
        answers: To the questions.
    """
    anchor, audit = answers.questions.anchor, answers.questions.audit
    yield answers
    if "events" in paths:
        yield EventsSink(paths["events"], answers)
    if "counts" in paths:
        yield CountsSink(paths["counts"], answers)
    if audit is not None:
        yield AuditSink(audit, answers)
    if "heatmap" in paths:
        yield HeatmapSink(paths["heatmap"], frames, anchor)
    if "trails" in paths:
        yield TrailsSink(paths["trails"], anchor)
    if "plot" in paths:
        yield PlotSink(paths["plot"], answers)


def counted_track_sinks(
    paths: Mapping[str, Path], frames: FrameSource, answers: Answers, options: OutputOptions
) -> Iterator[FileSink]:
    """Open the outputs of tracking and those of the answers, one after the other, with the numbers in the video.

    Args:
        paths: As of `answer_sinks` and `track_sinks`.
        frames: What is tracked.
        answers: To the questions.
        options: How tracks are written.
    """
    yield from answer_sinks(paths, frames, answers)
    yield from track_sinks(paths, frames, options, overlay_of(answers))


def namer(class_names: Sequence[str]) -> ClassName:
    """Return what names a label of a network; one beyond the names by its number."""
    return lambda label: class_names[label] if 0 <= label < len(class_names) else f"class {label}"


def noun_of(class_names: Sequence[str]) -> str:
    """Return what the objects are called.

    >>> noun_of(["person"]), noun_of(["person", "car"])
    ('people', 'objects')
    """
    return "people" if list(class_names) == ["person"] else "objects"


def overlay_of(answers: Answers) -> Overlay | None:
    """Return what draws lines and zones into the video; None where there are none."""
    return answers.draw_over if answers.questions.places else None


def _line_text(line: Mapping[str, Any]) -> str:
    return ", ".join(f"{line[way]} {way}{_range(line['estimate'][way])}" for way in ("in", "out"))


def _zone_text(zone: Mapping[str, Any]) -> str:
    numbers = [
        f"{zone[way]} {way if zone[way] == 1 else many}{_range(zone['estimate'][way])}"
        for way, many in (("entry", "entries"), ("exit", "exits"))
    ]
    occupancy, dwell = zone["occupancy"], zone["dwell"]
    numbers.append(f"{occupancy['now']} inside now, {occupancy['mean']:.1f} on average, at most {occupancy['max']}")
    if dwell["whole_visits"]:
        visits = "1 visit" if dwell["whole_visits"] == 1 else f"{dwell['whole_visits']} visits"
        numbers.append(f"{visits} from border to border of {dwell['mean']:.1f} s on average")
    return ", ".join(numbers)


def _range(estimate: Mapping[str, Any]) -> str:
    """Say the interval of a number where it is one."""
    return f" ({estimate['low']} to {estimate['high']})" if estimate["low"] < estimate["high"] else ""
