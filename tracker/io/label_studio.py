"""Label Studio's JSON of video rectangles: a task a video, a region an object; frames from 1, boxes in percent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from typing_extensions import override

from tracker.errors import InputError
from tracker.io.cvat_video import KeyBox, boxes_between
from tracker.io.json_file import cached_json
from tracker.io.key_frames import KeyBoxRow, KeyFrameTracks
from tracker.io.mot import MAX_SIDE
from tracker.io.numbering import Numbering
from tracker.io.reading import MAX_FRAMES, read_number, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow
from tracker.io.track_writer import TrackedSource, TrackRow

_KIND = "videorectangle"
_LOCAL_FILES = "/data/local-files/?d="  # where Label Studio serves files of its own disk


class LabelStudioTracks(KeyFrameTracks):
    """Writes one task with one prediction once all frames are known; the arguments are those of `TrackFile`.

    Between two entries of a sequence Label Studio moves a box evenly; frames whose box is near enough to that are left
    out (`find_keys`). The last entry before a gap is not `enabled`. The id of a region is that of the track. `data` has
    width and height of the video beside its address.

    Raises:
        InputError: The size of the images is not known, or the file cannot be written.
    """

    def __init__(self, path: str | Path, source: TrackedSource) -> None:
        if source.size is None:
            raise InputError(f"{path}: Label Studio has boxes in percent, and nothing tells the size of the images")
        super().__init__(path, source)
        self._width, self._height = source.size

    @override
    def _write_rest(self) -> None:
        result = [self._region(identity, keys) for identity, keys in self._keys()]
        video = _LOCAL_FILES + (self.source.file or self.source.name)
        data = {"video": video, "width": self._width, "height": self._height}
        task = {"data": data, "predictions": [{"model_version": "centertrack", "result": result}]}
        self.temporary.write_text(json.dumps([task]) + "\n", encoding="utf-8")

    def _region(self, identity: int, keys: list[KeyBoxRow]) -> dict[str, Any]:
        rate = self.source.frame_rate
        value: dict[str, Any] = {"framesCount": self.frame_count, "labels": [keys[-1].row.class_name]}
        if rate:
            value["duration"] = round(self.frame_count / rate, 4)
        value["sequence"] = [self._entry(row, goes_on=gone is None) for row, gone in keys]
        return {"id": str(identity), "from_name": "box", "to_name": "video", "type": _KIND, "value": value}

    def _entry(self, row: TrackRow, goes_on: bool) -> dict[str, Any]:
        rate = self.source.frame_rate
        percent = (100 / self._width, 100 / self._height)
        return {
            "frame": row.frame,
            "enabled": goes_on,
            "rotation": 0,
            "x": round(row.x1 * percent[0], 5),
            "y": round(row.y1 * percent[1], 5),
            "width": round((row.x2 - row.x1) * percent[0], 5),
            "height": round((row.y2 - row.y1) * percent[1], 5),
            **({"time": round(row.frame / rate, 4)} if rate else {}),
        }


def is_label_studio(content: Any) -> bool:
    """Tell whether JSON content is a list of Label Studio's tasks."""
    return isinstance(content, list) and bool(content) and isinstance(content[0], dict) and "data" in content[0]


def label_studio_sequences(path: Path) -> dict[str, Path]:
    """Return the file of each video, by the name of the video.

    Raises:
        InputError: A task is broken, or two are of the same video.
    """
    tasks = cached_json(path)
    names = [_name_of(task, f"{path}: tasks[{place}]") for place, task in enumerate(tasks)]
    if len(set(names)) < len(names):
        raise InputError(f"{path}: two tasks are of the same video; expected one of each")
    return dict.fromkeys(names, path)


def label_studio_table(path: Path, name: str) -> SequenceTable:
    """Read one video: its last annotation, or where nobody has made one its last prediction.

    Args:
        path: The file.
        name: Of the video.

    Raises:
        InputError: A region is broken, or nothing tells the size of the images; with its place.
    """
    boxes: list[TableRow] = []
    numbers: dict[str, int] = {}
    length, size = 0, None
    for place, task in enumerate(cached_json(path)):
        where = f"{path}: tasks[{place}]"
        if _name_of(task, where) != name:
            continue
        size, ids = _size_of(task, where), Numbering()
        for number, region in enumerate(_regions_of(task, where)):
            inside = f"{where}: result[{number}]"
            value = region.get("value")
            labels = value.get("labels") if isinstance(value, dict) else None
            if not isinstance(value, dict) or not isinstance(labels, list) or not labels:
                raise InputError(f"{inside}: expected a value with labels and a sequence")
            identity = ids.number(region.get("id"))
            class_number = numbers.setdefault(str(labels[0]), len(numbers) + 1)
            length = max(length, read_whole(value.get("framesCount", 0), inside, "framesCount", 0, MAX_FRAMES))
            for box in boxes_between(_keys_of(value.get("sequence"), inside, size)):
                x1, y1, x2, y2 = box.xyxy
                boxes.append(TableRow(number, box.frame, identity, (x1, y1, x2 - x1, y2 - y1), class_number))
    names = {number: text for text, number in numbers.items()}
    return SequenceTable.of(path, boxes, names, length=length or None, unit="result", size=size)


def _name_of(task: Any, where: str) -> str:
    video = task.get("data", {}).get("video") if isinstance(task, dict) and isinstance(task.get("data"), dict) else None
    if not isinstance(video, str):
        raise InputError(f"{where}: expected a task of a video, with data and video in it")
    return PurePosixPath(video.rpartition("?d=")[2]).stem or video


def _size_of(task: dict[str, Any], where: str) -> tuple[int, int]:
    data = task["data"]
    if "width" not in data or "height" not in data:
        raise InputError(f"{where}: boxes are in percent: expected width and height of the video in data, in pixels")
    width, height = (read_whole(data[side], where, side, 1, MAX_SIDE) for side in ("width", "height"))
    return width, height


def _regions_of(task: dict[str, Any], where: str) -> list[dict[str, Any]]:
    made = task.get("annotations") or task.get("predictions") or []
    if not isinstance(made, list) or not isinstance(made[-1] if made else {}, dict):
        raise InputError(f"{where}: expected annotations or predictions as a list")
    result = made[-1].get("result", []) if made else []
    if not isinstance(result, list) or not all(isinstance(one, dict) for one in result):
        raise InputError(f"{where}: expected a list of regions as result")
    return [one for one in result if one.get("type") == _KIND]


def _keys_of(sequence: Any, where: str, size: tuple[int, int]) -> Iterator[KeyBox]:
    """Give the key boxes of a region; after one that is not enabled it is not there."""
    if not isinstance(sequence, list) or not all(isinstance(one, dict) for one in sequence):
        raise InputError(f"{where}: expected a sequence of boxes")
    frames = {one.get("frame") for one in sequence}
    for one in sequence:
        frame = read_whole(one.get("frame"), where, "a frame", 1, MAX_FRAMES)
        x, y, width, height = (
            read_number(one.get(name), where, name) * side / 100
            for name, side in zip(("x", "y", "width", "height"), (*size, *size), strict=True)
        )
        yield KeyBox(0, frame, (x, y, x + width, y + height), False)
        if one.get("enabled") is False and frame + 1 not in frames:
            yield KeyBox(0, frame + 1, (x, y, x + width, y + height), True)
