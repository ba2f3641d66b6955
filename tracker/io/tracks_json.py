"""Tracks as JSON: one object with a list of tracks, or JSON Lines with a line for every frame; pixels count from 0."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typing_extensions import override

from tracker.errors import InputError
from tracker.io.json_file import cached_json
from tracker.io.mot import FRAME_RATES, MAX_SIDE
from tracker.io.reading import MAX_FRAMES, parse_json, read_box, read_lines, read_number, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow
from tracker.io.track_writer import TrackedSource, TrackFile, TrackRow, read_class_number

_LISTS = {"frames": "frame", "seconds": "seconds", "scores": "score", "speeds": "speed", "seen": "seen"}


class JsonTracks(TrackFile):
    """Writes one object once all frames are known: the source, and every track with its frames, times and boxes.

    The arguments are those of `TrackFile`. A track is `id`, `class`, `class_number`, and lists of one length: `frames`,
    `seconds`, `boxes` (x1, y1, x2, y2), `scores`, `speeds`, `seen`; `TrackRow` says what they are.
    """

    def __init__(self, path: str | Path, source: TrackedSource) -> None:
        super().__init__(path, source)
        self._tracks: dict[int, list[TrackRow]] = {}
        self._frame_count = 0

    @override
    def _take(self, frame_number: int, seconds: float | None, rows: list[TrackRow]) -> None:
        self._frame_count = max(self._frame_count, frame_number)
        for row in rows:
            self._tracks.setdefault(row.id, []).append(row)

    @override
    def _write_rest(self) -> None:
        content = {**_header(self.source), "frame_count": self._frame_count}
        with self.temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps(content)[:-1] + ', "tracks": [')
            for place, rows in enumerate(self._tracks.values()):
                last = rows[-1]  # whose class is that of the whole track
                track = {"id": last.id, "class": last.class_name, "class_number": last.class_number}
                lists = {name: [getattr(row, column) for row in rows] for name, column in _LISTS.items()}
                lists["boxes"] = [row[5:9] for row in rows]
                file.write(("," if place else "") + "\n" + json.dumps({**track, **lists}))
            file.write("\n]}\n")


class JsonLinesTracks(TrackFile):
    """Writes a line for every frame, as they come, also where nobody is there: `frame`, `seconds` and `tracks`.

    The arguments are those of `TrackFile`. The first line says the source. A track is `id`, `class`, `class_number`,
    `box` (x1, y1, x2, y2), `score`, `speed`, `seen`; `TrackRow` says what they are.
    """

    def __init__(self, path: str | Path, source: TrackedSource) -> None:
        super().__init__(path, source)
        self._file = self.temporary.open("w", encoding="utf-8")
        self._file.write(json.dumps(_header(source)) + "\n")

    @override
    def _take(self, frame_number: int, seconds: float | None, rows: list[TrackRow]) -> None:
        tracks = [
            {
                "id": row.id,
                "class": row.class_name,
                "class_number": row.class_number,
                "box": row[5:9],
                "score": row.score,
                "speed": row.speed,
                "seen": row.seen,
            }
            for row in rows
        ]
        self._file.write(json.dumps({"frame": frame_number, "seconds": seconds, "tracks": tracks}) + "\n")

    @override
    def _write_rest(self) -> None:
        self._file.close()


def is_json_tracks(content: Any) -> bool:
    """Tell whether JSON content is what `JsonTracks` writes."""
    return isinstance(content, dict) and isinstance(content.get("tracks"), list) and "images" not in content


def json_tracks_table(path: Path, name: str = "") -> SequenceTable:
    """Read what `JsonTracks` writes; scores, times and classes may be missing.

    Args:
        path: The file.
        name: Is not needed; a file is a sequence.

    Raises:
        InputError: A track is broken; with its place.
    """
    del name
    content = cached_json(path)
    if not is_json_tracks(content):
        raise InputError(f"{path}: expected an object with a list of tracks")
    boxes: list[TableRow] = []
    names: dict[int, str] = {}
    times: dict[int, float] = {}
    for place, track in enumerate(content["tracks"]):
        where = f"{path}: tracks[{place}]"
        columns = _columns(track, where)
        identity = read_whole(track.get("id"), where, "an id", 0)
        number = _class_of(track, where, names)
        for frame, box, score, seconds, seen in columns:
            boxes.append(_table_row(place, frame, identity, box, number, score, seen, where))
            if seconds is not None:
                times[boxes[-1].frame] = read_number(seconds, where, "seconds")
    return _table(path, content, boxes, names, times, "tracks", content.get("frame_count"))


def _columns(track: Any, where: str) -> Iterator[tuple[Any, Any, Any, Any, Any]]:
    """Give frame, box, score, seconds and whether it was seen, of each box of a track."""
    frames, boxes = (track.get("frames"), track.get("boxes")) if isinstance(track, dict) else (None, None)
    if not isinstance(frames, list) or not isinstance(boxes, list):
        raise InputError(f"{where}: expected a track with id, frames and boxes")
    scores = track.get("scores") or [1.0] * len(frames)
    seconds, seen = (track.get(name) or [None] * len(frames) for name in ("seconds", "seen"))
    if not all(isinstance(one, list) and len(one) == len(frames) for one in (boxes, scores, seconds, seen)):
        raise InputError(f"{where}: expected boxes, scores, seconds and seen as long as frames, {len(frames)}")
    return zip(frames, boxes, scores, seconds, seen, strict=True)


def json_lines_tracks_table(path: Path, name: str = "") -> SequenceTable:
    """Read what `JsonLinesTracks` writes; the first line may be missing, and scores, times and classes.

    Args:
        path: The file.
        name: Is not needed; a file is a sequence.

    Raises:
        InputError: A line is broken; with its number.
    """
    del name
    header: dict[str, Any] = {}
    boxes: list[TableRow] = []
    names: dict[int, str] = {}
    times: dict[int, float] = {}
    last = 0
    for line, text in enumerate(read_lines(path), start=1):
        if not text.strip():
            continue
        where = f"{path}:{line}"
        content = parse_json(text, str(path), line)
        if not isinstance(content, dict):
            raise InputError(f"{where}: expected an object with frame and tracks")
        if line == 1 and "frame" not in content:
            header = content
            continue
        frame, tracks = read_whole(content.get("frame"), where, "a frame", 1, MAX_FRAMES), content.get("tracks")
        if not isinstance(tracks, list) or not all(isinstance(one, dict) for one in tracks):
            raise InputError(f"{where}: expected an object with frame and a list of tracks")
        last = max(last, frame)
        if content.get("seconds") is not None:
            times[frame] = read_number(content["seconds"], where, "seconds")
        for one in tracks:
            identity, number = read_whole(one.get("id"), where, "an id", 0), _class_of(one, where, names)
            score, seen = one.get("score", 1.0), one.get("seen")
            boxes.append(_table_row(line, frame, identity, one.get("box"), number, score, seen, where))
    return _table(path, header, boxes, names, times, "", last)


def _header(source: TrackedSource) -> dict[str, Any]:
    return {
        "source": source.name,
        "frame_rate": source.frame_rate,
        "size": source.size,
        "classes": list(source.class_names),
    }


def _class_of(track: dict[str, Any], where: str, names: dict[int, str]) -> int:
    """Return the class number of a track, and note its name."""
    number = read_class_number(track.get("class_number", -1), where)
    if number > 0 and isinstance(track.get("class"), str):
        names[number] = track["class"]
    return number


def _table_row(
    place: int, frame: Any, identity: int, box: Any, number: int, score: Any, seen: Any, where: str
) -> TableRow:
    x1, y1, x2, y2 = read_box(box, where, "a box [x1, y1, x2, y2]")
    if seen is not None and not isinstance(seen, bool):
        raise InputError(f"{where}: expected seen as true or false, got {str(seen)[:40]}")
    frame = read_whole(frame, where, "a frame", 1, MAX_FRAMES)
    xywh = (x1, y1, x2 - x1, y2 - y1)
    return TableRow(place, frame, identity, xywh, number, score=read_number(score, where, "a score"), seen=seen)


def _table(
    path: Path,
    header: dict[str, Any],
    boxes: list[TableRow],
    names: dict[int, str],
    times: dict[int, float],
    unit: str,
    frame_count: Any,
) -> SequenceTable:
    rate, size = header.get("frame_rate"), header.get("size")
    where = f"{path}: size"
    if size is not None and not (isinstance(size, list) and len(size) == 2):
        raise InputError(f"{where}: expected width and height")
    width_height = None if size is None else [read_whole(side, where, "a side", 1, MAX_SIDE) for side in size]
    return SequenceTable.of(
        path,
        boxes,
        names,
        length=read_whole(frame_count, f"{path}: frame_count", "frames", 0, MAX_FRAMES) if frame_count else None,
        unit=unit,
        times=times,
        frame_rate=None if rate is None else read_number(rate, f"{path}: frame_rate", "a rate", *FRAME_RATES),
        size=None if width_height is None else (width_height[0], width_height[1]),
    )
