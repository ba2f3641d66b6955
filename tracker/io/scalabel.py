"""Scalabel JSON, the format of BDD100K: a list of frames with their labels; frames and pixels count from 0."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tracker.errors import InputError
from tracker.io.json_file import cached_json, file_version
from tracker.io.numbering import Numbering
from tracker.io.reading import MAX_FRAMES, read_number, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow

BDD100K_CLASSES = ("pedestrian", "rider", "car", "truck", "bus", "train", "motorcycle", "bicycle")
BDD100K_IGNORED = ("other person", "trailer", "other vehicle")


def is_scalabel(content: Any) -> bool:
    """Tell whether JSON content is a list of frames, or holds one."""
    frames = _frames_in(content)
    return isinstance(frames, list) and bool(frames) and isinstance(frames[0], dict) and "labels" in frames[0]


def scalabel_sequences(path: Path) -> dict[str, Path]:
    """Return the file of each video: all videos of a file, or of all files of a folder.

    Raises:
        InputError: A file is not what it should be, or two hold the same video.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.json"))
    found: dict[str, Path] = {}
    for file in files:
        for name in _read_videos(file, file_version(file)).frames:
            if name in found:
                raise InputError(f"{file}: the video {name} is also in {found[name]}")
            found[name] = file
    return found


def scalabel_table(path: Path, name: str) -> SequenceTable:
    """Read one video. Crowds, and BDD100K's classes that are not scored, are regions to ignore.

    Args:
        path: The file.
        name: Of the video.

    Raises:
        InputError: A label is broken; with its place.
    """
    videos = _read_videos(path, file_version(path))
    names = {category: i for i, category in enumerate(videos.categories, start=1)}
    ids, frames = Numbering(), []
    rows: list[TableRow] = []
    for frame, labels in videos.frames[name]:
        frames.append(frame)
        for label, where in labels:
            try:
                category, box = str(label["category"]), label["box2d"]
                if box is None:
                    continue
                x1, y1, x2, y2 = (read_number(box[corner], where, corner) for corner in ("x1", "y1", "x2", "y2"))
                attributes = label.get("attributes") or {}
                is_region = category in BDD100K_IGNORED or bool(attributes.get("crowd") or attributes.get("Crowd"))
                identity = -1 if is_region else ids.number(label["id"])
                score = read_number(label.get("score", 1.0), where, "a score")
            except (KeyError, TypeError, AttributeError) as error:
                raise InputError(f"{where}: expected id, category and box2d (x1, y1, x2, y2): {error!r}") from error
            number = 0 if is_region else names[category]
            rows.append(TableRow(len(rows), frame, identity, (x1, y1, x2 - x1, y2 - y1), number, True, score))
    return SequenceTable.of(path, rows, {i: n for n, i in names.items()}, frames, max(frames, default=0), "labels")


class _Videos(NamedTuple):
    """The videos of a file: name -> frame number from 1, and labels with their place; and the classes of all."""

    frames: dict[str, list[tuple[int, list[tuple[Any, str]]]]]
    categories: list[str]


@lru_cache(maxsize=4)
def _read_videos(path: Path, version: tuple[int, int]) -> _Videos:
    """Sort the frames of a file by video; its classes are BDD100K's if it has no others, otherwise its own in order."""
    videos: dict[str, list[tuple[int, list[tuple[Any, str]]]]] = {}
    found: dict[str, None] = {}
    for video, frame, labels in _frames(path):
        videos.setdefault(video, []).append((frame, labels))
        found.update(dict.fromkeys(str(label.get("category")) for label, _ in labels if isinstance(label, dict)))
    known = (*BDD100K_CLASSES, *BDD100K_IGNORED)
    return _Videos(videos, list(BDD100K_CLASSES if found.keys() <= set(known) else found))


def _frames(path: Path) -> Iterator[tuple[str, int, list[tuple[Any, str]]]]:
    """Give video, frame number from 1, and labels with their place."""
    frames = _frames_in(cached_json(path))
    if not isinstance(frames, list):
        raise InputError(f"{path}: expected a list of frames, as Scalabel writes it")
    for place, frame in enumerate(frames):
        where = f"{path}: frames[{place}]"
        if not isinstance(frame, dict):
            raise InputError(f"{where}: expected a frame with name and labels")
        video = str(frame.get("videoName") or frame.get("video_name") or path.stem)
        index = next((frame[key] for key in ("frameIndex", "frame_index", "index") if frame.get(key) is not None), None)
        if index is None:
            raise InputError(f"{where}: expected a frameIndex, from 0")
        labels = frame.get("labels") or []
        if not isinstance(labels, list):
            raise InputError(f"{where}: expected labels as a list")
        number = read_whole(index, where, "frameIndex", 0, MAX_FRAMES - 1) + 1
        yield video, number, [(label, f"{where}: labels[{i}]") for i, label in enumerate(labels)]


def _frames_in(content: Any) -> Any:
    return content.get("frames") if isinstance(content, dict) else content
