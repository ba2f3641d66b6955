"""CVAT for video 1.1: XML of tracks, each a list of boxes; frames and pixels count from 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from xml.parsers import expat

from tracker.errors import InputError
from tracker.io.reading import MAX_FRAMES, parse_xml, read_number, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow

_CORNERS = ("xtl", "ytl", "xbr", "ybr")


class KeyBox(NamedTuple):
    """A box of a track.

    Attributes:
        line: From 1.
        frame: From 0.
        xyxy: Corners in pixels from 0.
        is_outside: The object leaves the image, or hides, from this frame on.
    """

    line: int
    frame: int
    xyxy: tuple[float, float, float, float]
    is_outside: bool


@dataclass(slots=True)
class CvatTrack:
    """One object: its id and class, and its boxes by frame."""

    identity: int
    label: str
    boxes: list[KeyBox] = field(default_factory=list)


@dataclass(slots=True)
class CvatVideo:
    """What the file says.

    Attributes:
        tracks: In the order of the file.
        labels: Names of the classes.
        meta: Texts of the task by name, such as size, start_frame, stop_frame, frame_filter.
    """

    tracks: list[CvatTrack] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)

    def frames(self, path: Path) -> range | None:
        """Return the frames, from 0, that were shown to the annotator; None where the file does not say."""
        step_text = self.meta.get("frame_filter", "").removeprefix("step=").strip()
        step = read_whole(step_text or "1", f"{path}: frame_filter", "step", 1, MAX_FRAMES)
        if "stop_frame" in self.meta:
            first = read_whole(self.meta.get("start_frame", "0"), f"{path}: start_frame", "a frame", 0, MAX_FRAMES)
            last = read_whole(self.meta["stop_frame"], f"{path}: stop_frame", "a frame", 0, MAX_FRAMES)
            return range(first, last + 1, step)
        if "size" in self.meta:
            return range(0, step * read_whole(self.meta["size"], f"{path}: size", "frames", 0, MAX_FRAMES), step)
        return None


def read_cvat_video(path: Path) -> CvatVideo:
    """Read annotations.xml.

    Raises:
        InputError: It is no XML, is not of a video, or a box is broken; with file and line.
    """
    video = CvatVideo()
    stack: list[str] = []
    texts: list[str] = []
    parser = expat.ParserCreate()

    def opened(name: str, attributes: dict[str, str]) -> None:
        stack.append(name)
        texts.clear()
        where = f"{path}:{parser.CurrentLineNumber}"
        if name == "track" and len(stack) == 2:
            identity = read_whole(attributes.get("id", ""), where, "a track's id", 0)
            video.tracks.append(CvatTrack(identity, attributes.get("label", "")))
        elif name == "box" and stack[:-1] == ["annotations", "track"]:
            video.tracks[-1].boxes.append(_box(attributes, where, parser.CurrentLineNumber))
        elif name == "image" and len(stack) == 2:
            raise InputError(f"{where}: expected tracks, found images: export the task as CVAT for video 1.1")

    def closed(name: str) -> None:
        text = "".join(texts).strip()
        if stack[-3:] == ["labels", "label", "name"]:
            video.labels.append(text)
        elif len(stack) == 4 and stack[1] == "meta":
            video.meta[name] = text
        texts.clear()
        stack.pop()

    parse_xml(parser, path, opened, closed, texts.append)
    if stack or not (video.tracks or video.meta):
        raise InputError(f"{path}: expected annotations of CVAT for video 1.1")
    return video


def _box(attributes: dict[str, str], where: str, line: int) -> KeyBox:
    frame = read_whole(attributes.get("frame", ""), where, "a frame", 0, MAX_FRAMES - 1)
    x1, y1, x2, y2 = (read_number(attributes.get(name, ""), where, name) for name in _CORNERS)
    return KeyBox(line, frame, (x1, y1, x2, y2), attributes.get("outside") == "1")


def boxes_between(boxes: Iterable[KeyBox], step: int = 1) -> Iterator[KeyBox]:
    """Give the visible boxes of a track, those between its key frames interpolated as CVAT shows them.

    Args:
        boxes: Of one track. Between two of them the object moves evenly, from one that is outside to the next it is
            not there.
        step: Distance of the annotated frames.

    >>> corner = (0.0, 0.0, 1.0, 1.0), (10.0, 0.0, 11.0, 1.0)
    >>> keys = [KeyBox(1, 0, corner[0], False), KeyBox(2, 2, corner[1], True), KeyBox(3, 5, corner[0], False)]
    >>> [(box.frame, box.xyxy[0]) for box in boxes_between(keys)]
    [(0, 0.0), (1, 5.0), (5, 0.0)]
    """
    ordered = sorted(boxes, key=lambda box: box.frame)
    for box, after in pairwise(ordered):
        if box.is_outside:
            continue
        for frame in range(box.frame, after.frame, step):
            share = (frame - box.frame) / (after.frame - box.frame)
            x1, y1, x2, y2 = (a + share * (b - a) for a, b in zip(box.xyxy, after.xyxy, strict=True))
            yield KeyBox(box.line, frame, (x1, y1, x2, y2), False)
    if ordered and not ordered[-1].is_outside:
        yield ordered[-1]


def is_cvat_video(path: Path) -> bool:
    """Tell whether this is an annotations.xml, or a folder with one."""
    return path.suffix.lower() == ".xml" or (path.is_dir() and (path / "annotations.xml").is_file())


def cvat_video_sequences(path: Path) -> dict[str, Path]:
    """Return the XML files by name: one file, that of a folder, or those of its folders."""
    if path.is_file():
        return {path.resolve().parent.name if path.stem == "annotations" else path.stem: path}
    files = (
        [path / "annotations.xml"] if (path / "annotations.xml").is_file() else sorted(path.glob("*/annotations.xml"))
    )
    found = {file.resolve().parent.name: file for file in files}
    return found or {file.stem: file for file in sorted(path.glob("*.xml"))}


def cvat_video_table(path: Path, name: str = "") -> SequenceTable:
    """Read one video.

    Args:
        path: Its XML file.
        name: Is not needed; a file is a sequence.

    Raises:
        InputError: As `read_cvat_video`.
    """
    del name
    video = read_cvat_video(path)
    labels = list(dict.fromkeys([*video.labels, *(track.label for track in video.tracks)]))
    frames = video.frames(path)
    step = frames.step if frames else 1
    rows = [
        TableRow(
            box.line,
            box.frame + 1,
            track.identity,
            (box.xyxy[0], box.xyxy[1], box.xyxy[2] - box.xyxy[0], box.xyxy[3] - box.xyxy[1]),
            labels.index(track.label) + 1,
        )
        for track in video.tracks
        for box in boxes_between(track.boxes, step)
    ]
    labelled: Any = None if frames is None else (frame + 1 for frame in frames)
    length = None if frames is None or not frames else frames[-1] + 1
    return SequenceTable.of(path, rows, dict(enumerate(labels, start=1)), labelled, length)
