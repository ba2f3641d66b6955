"""A picture of every event, by which a person can check it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from tracker.arrays import Image
from tracker.counting.chart import Canvas
from tracker.counting.events import Event
from tracker.counting.line import Line
from tracker.counting.overlay import draw_places
from tracker.counting.zone import Zone
from tracker.detections import Tracks
from tracker.draw import draw_tracks
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.images import decode_image, encode_image, write_image
from tracker.io.names import clean_name

BEFORE_SECONDS = 0.6
_WIDEST = 1280  # pixels of a frame that is kept
_PANEL = 360  # pixels, width and height
_CAPTION = 24


class _Kept(NamedTuple):
    """A frame as it is kept: number, seconds, JPEG, its scale, and its tracks in source pixels."""

    number: int
    time: float
    content: bytes
    scale: float
    tracks: Tracks


class Audit:
    """Writes a picture of each event: the track shortly before, at the border, and where it was certain.

    The last seconds of frames are kept as JPEG, at most 1280 pixels wide.

    Args:
        folder: Gets `0001-NAME-DIRECTION-id7.jpg` and so on, numbered as the rows of the events; made if missing.
        places: To draw.
        class_name: Names a label.
        seconds: How long frames are kept; longer than the gaps that a `Counter` looks across.

    Raises:
        InputError: The folder has something in it, or cannot be made.
    """

    def __init__(
        self, folder: Path, places: Sequence[Line | Zone], class_name: Callable[[int], str], seconds: float
    ) -> None:
        check_empty(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {folder}: {error.strerror or error}") from error
        self.folder = folder
        self.written = 0
        self._places, self._class_name, self._seconds = places, class_name, seconds
        self._kept: deque[_Kept] = deque()

    def add(self, number: int, time: float, image: Image, tracks: Tracks, events: Sequence[Event]) -> None:
        """Take the next frame, and write a picture of every event that became certain in it."""
        scale = min(_WIDEST / image.shape[1], 1.0)
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
        content = encode_image(np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2BGR), np.uint8), ".jpg", 90)
        self._kept.append(_Kept(number, time, content, scale, tracks))
        while self._kept[0].time < time - self._seconds:
            self._kept.popleft()
        for event in events:
            self.written += 1
            name = f"{self.written:04d}-{clean_name(event.name)}-{event.direction}-id{event.identity}.jpg"
            with atomic_path(self.folder / name) as path:
                write_image(path, self._picture(event))

    def _picture(self, event: Event) -> Image:
        """Return three panels side by side under a headline, (H, W, 3) uint8 RGB."""
        shown = [
            ("before", self._frame_at(lambda kept: kept.time <= event.time - BEFORE_SECONDS)),
            ("at the border", self._frame_at(lambda kept: kept.number <= event.frame)),
            ("certain", self._frame_at(lambda kept: kept.number <= event.certain_frame)),
        ]
        side = self._window(event, [kept for _, kept in shown])
        panels = [self._panel(event, title, kept, side) for title, kept in shown]
        headline = Canvas(sum(panel.shape[1] for panel in panels), _CAPTION)
        text = (
            f"{self.written}: {event.name} {event.direction}, id {event.identity} {self._class_name(event.label)}, "
            f"{event.time:.2f} s, frame {event.frame}, probability {event.probability:.2f}"
        )
        headline.text(text, (8, 16))
        return np.concatenate([headline.image, np.concatenate(panels, axis=1)])

    def _frame_at(self, is_early: Callable[[_Kept], bool]) -> _Kept:
        """Return the last frame that is early enough, or the first that is kept."""
        return next((kept for kept in reversed(self._kept) if is_early(kept)), self._kept[0])

    def _window(self, event: Event, kept: Sequence[_Kept]) -> float:
        """Return how wide and high the part of the image is that the panels show, in source pixels."""
        boxes = [one.tracks.boxes[one.tracks.ids == event.identity] for one in kept]
        heights = [float((found[:, 3] - found[:, 1]).max()) for found in boxes if len(found)]
        return max(2.2 * max(heights, default=0.0), 120.0)

    def _panel(self, event: Event, title: str, kept: _Kept, side: float) -> Image:
        decoded = decode_image(kept.content, cv2.IMREAD_COLOR)
        assert decoded is not None  # we encoded it
        image = np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)
        if kept.scale < 1:
            size = round(image.shape[1] / kept.scale), round(image.shape[0] / kept.scale)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        own = kept.tracks[kept.tracks.ids == event.identity]
        image = draw_tracks(image, own)
        draw_places(image, [place for place in self._places if place.name == event.name])
        x, y = event.point
        cv2.circle(image, (round(x), round(y)), 4, (255, 255, 255), cv2.FILLED, cv2.LINE_AA)
        cv2.circle(image, (round(x), round(y)), 4, (200, 0, 0), 2, cv2.LINE_AA)
        if len(own):
            x1, y1, x2, y2 = own.boxes[0].tolist()
            x, y = (x + (x1 + x2) / 2) / 2, (y + (y1 + y2) / 2) / 2
        cut = _cut(image, x, y, side)
        panel = np.asarray(cv2.resize(cut, (_PANEL, _PANEL), interpolation=cv2.INTER_AREA), np.uint8)
        caption = Canvas(_PANEL, _CAPTION)
        caption.text(f"{title}: frame {kept.number}, {kept.time:.2f} s", (8, 16))
        return np.concatenate([panel, caption.image])


def check_empty(folder: Path) -> None:
    """Refuse a folder with something in it: pictures of an earlier run would be taken for those of this one.

    Raises:
        InputError: It has.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--audit {folder}: expected a folder, this is a file")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"--audit {folder}: expected a new or empty folder, this one has something in it")


def _cut(image: Image, x: float, y: float, side: float) -> Image:
    """Cut a square around a point out of an image, moved into it; grey where the image is smaller."""
    size = round(side)
    height, width = image.shape[:2]
    below, right = max(size - height, 0), max(size - width, 0)
    padded = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT, value=(128, 128, 128))
    left = min(max(round(x - side / 2), 0), width + right - size)
    top = min(max(round(y - side / 2), 0), height + below - size)
    return np.asarray(padded[top : top + size, left : left + size], np.uint8)
