"""A street scene as a video with exact ground truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from centertrack.synthetic.frame import SyntheticFrame
from centertrack.synthetic.look import LAYOUTS, TIMES_OF_DAY, Viewpoint, random_light
from centertrack.synthetic.painter import Image
from centertrack.synthetic.sensor import Sensor
from centertrack.synthetic.sequence_writer import SequenceWriter
from centertrack.synthetic.sprite import (
    Rectangle,
    SpritePlacement,
    lay_contact_shadow,
    lay_over,
    lay_shadow,
    rasterise,
)
from centertrack.synthetic.street import build_street
from centertrack.synthetic.walkers import random_walkers
from centertrack.synthetic.wardrobe import Wardrobe
from tracker.io.frame import Frame

MOST_PEOPLE = 250  # labels of pixels are bytes
_BORDER = 8  # pixels of panorama beyond the image on every side


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """What to film. Whatever is None is drawn from the seed.

    Attributes:
        size: Width and height of the image in pixels.
        seconds: Length of the clip.
        frame_rate: Frames per second.
        seed: Another seed is another street with other people.
        people: How many people pass, at most `MOST_PEOPLE`.
        furniture: How many things stand in the street.
        pan: How far the camera pans to either side, in image widths; 0 holds it still.
        layout: `facades`, `avenue` or `park`.
        time_of_day: `noon`, `overcast`, `evening` or `dusk`.
        camera_height: Metres above the ground.
        zoom: Focal length in image widths.

    Raises:
        ValueError: A value is out of range.
    """

    size: tuple[int, int] = (1280, 720)
    seconds: float = 10.0
    frame_rate: float = 25.0
    seed: int = 0
    people: int | None = None
    furniture: int | None = None
    pan: float | None = None
    layout: str | None = None
    time_of_day: str | None = None
    camera_height: float | None = None
    zoom: float | None = None

    def __post_init__(self) -> None:
        if min(self.size) < 64:
            raise ValueError(f"size must be at least 64 x 64 pixels, got {self.size}")
        if self.seconds <= 0 or self.frame_rate <= 0:
            raise ValueError(f"seconds and frame_rate must be positive, got {self.seconds} and {self.frame_rate}")
        if self.people is not None and not 0 <= self.people <= MOST_PEOPLE:
            raise ValueError(f"people must be between 0 and {MOST_PEOPLE}, got {self.people}")
        if self.layout not in (None, *LAYOUTS):
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {self.layout!r}")
        if self.time_of_day not in (None, *TIMES_OF_DAY):
            raise ValueError(f"time_of_day must be one of {', '.join(TIMES_OF_DAY)}, got {self.time_of_day!r}")


DEMO_SCENE = SceneConfig(
    seed=34, people=16, furniture=5, pan=0.12, layout="avenue", time_of_day="noon", camera_height=3.0, zoom=0.95
)


class StreetScene:
    """A clip of a street, drawn on demand; any frame can be asked for at any time and always looks the same.

    Args:
        config: What is drawn; None takes the defaults.

    >>> scene = StreetScene(SceneConfig(size=(160, 96), seconds=0.2, people=3, seed=5))
    >>> len(scene), scene.frame(4).frame.image.shape
    (5, (96, 160, 3))
    """

    def __init__(self, config: SceneConfig | None = None) -> None:
        self.config = config = config or SceneConfig()
        # each part has a stream of its own, so that changing one leaves the others alone
        choices, light, pan_way, street, people_ways, sensor = np.random.default_rng(config.seed).spawn(6)
        width, height = config.size
        draws = choices.random(8).tolist()
        layout = config.layout or LAYOUTS[int(draws[0] * len(LAYOUTS))]
        time_of_day = config.time_of_day or TIMES_OF_DAY[int(draws[1] * len(TIMES_OF_DAY))]
        camera_height = 1.5 + 5 * draws[2] ** 1.5 if config.camera_height is None else config.camera_height
        zoom = 0.75 + 0.9 * draws[3] if config.zoom is None else config.zoom
        pan = max(draws[4] - 0.4, 0) * 0.5 if config.pan is None else config.pan
        people = round(8 + 40 * draws[5] ** 1.5) if config.people is None else config.people
        furniture = round(2 + 10 * draws[6]) if config.furniture is None else config.furniture
        horizon = (0.45 - 0.08 * (camera_height - 1.5) + 0.1 * (draws[7] - 0.5)) * height

        self._times = np.arange(max(round(config.seconds * config.frame_rate), 1)) / config.frame_rate
        self._light = random_light(light, time_of_day)
        self._pan = _Pan(pan_way, config.size, pan)
        panorama = self._pan.panorama
        self._camera = Viewpoint(zoom * width, camera_height, panorama[0] / 2, horizon + _BORDER)
        self._street = build_street(street, self._camera, panorama, width, layout, self._light, furniture)
        self._walkers = random_walkers(
            people_ways, people, self._times, self._camera, self._pan.view, self._street.plan
        )
        self._wardrobe = Wardrobe(self._walkers, self._camera, self._light)
        self._sensor = Sensor(sensor, width, height)

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[SyntheticFrame]:
        return (self.frame(index) for index in range(len(self)))

    def frame(self, index: int) -> SyntheticFrame:
        """Draw the frame at `index`, counted from 0 (its number counts from 1)."""
        if not 0 <= index < len(self):
            raise IndexError(f"frame index must be in 0..{len(self) - 1}, got {index}")
        width, height = self.config.size
        time = float(self._times[index])
        left, top = self._pan.offset(time)
        column, row = int(left), int(top)
        canvas = self._street.background[row : row + height + 1, column : column + width + 1].copy()
        labels = np.zeros(canvas.shape[:2], np.uint8)
        placements = self._placements(index, column, row)
        shadows = self._draw_shadows(canvas, placements)
        sizes = self._draw_bodies(canvas, labels, index, placements, shadows, (column, row))
        image = self._sensor.develop(
            canvas, (left - column, top - row), np.random.default_rng((self.config.seed, index))
        )
        boxes, ids, visibility = [], [], []
        for number, placement in placements.items():
            box = np.array(placement.box, np.float32) - np.array([left - column, top - row] * 2, np.float32)
            if (box[:2] < (width, height)).all() and (box[2:] > 0).all():
                boxes.append(box)
                ids.append(number + 1)
                visibility.append(_count(labels, number + 1, placement.box, self.config.size) / max(sizes[number], 1))
        return SyntheticFrame(
            Frame(index + 1, time, image),
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(ids, np.int64),
            np.array(visibility, np.float32),
        )

    def write_mot(self, folder: str | Path, images: bool = False) -> None:
        """Write the ground truth as a MOTChallenge sequence folder.

        Args:
            folder: Gets `gt/gt.txt` (9 columns, of every figure of which anything is seen) and `seqinfo.ini`.
            images: Also write `img1/000001.jpg` and so on.
        """
        with SequenceWriter(folder, self.config.size, self.config.frame_rate, images) as writer:
            for shot in self:
                writer.write(shot)

    def _placements(self, index: int, column: int, row: int) -> dict[int, SpritePlacement]:
        """Picture and place of every figure near the image; pixels count from (column, row) of the panorama."""
        placements = {}
        for number, walker in enumerate(self._walkers):
            x, z = walker.points[index].tolist()
            across, down = self._camera.project(x, z)
            scale = self._camera.scale(z)
            reach = 1.3 * walker.outfit.height * scale  # body and shadow
            if -reach < across - column < self.config.size[0] + reach:
                sprite = self._wardrobe.sprite(number, index)
                placements[number] = SpritePlacement(sprite, across - column, down - row, scale)
        return placements

    def _draw_shadows(self, canvas: Image, placements: Mapping[int, SpritePlacement]) -> list[Rectangle]:
        """Draw all shadows, before any body; returns the parts of the canvas that they cover."""
        drawn = []
        for number, placement in placements.items():
            size = placement.scale * self._walkers[number].outfit.height
            drawn.append(lay_contact_shadow(canvas, placement.x, placement.y, 0.15 * size, 0.45))
            if self._light.sun > 0:
                drawn.append(lay_shadow(canvas, placement, self._light.shadow, 0.6 * self._light.sun))
        return [rectangle for rectangle in drawn if rectangle is not None]

    def _draw_bodies(
        self,
        canvas: Image,
        labels: Image,
        index: int,
        placements: Mapping[int, SpritePlacement],
        shadows: Sequence[Rectangle],
        corner: tuple[int, int],
    ) -> dict[int, int]:
        """Draw figures, farthest first, and furniture again where it hides them; returns each figure's pixels."""
        sizes = {}
        covered = list(shadows)
        queue = [(float(self._walkers[number].points[index, 1]), number) for number in placements]
        queue += [(prop.z, -1 - number) for number, prop in enumerate(self._street.props)]
        for _, number in sorted(queue, reverse=True):
            if number < 0:
                prop = self._street.props[-1 - number]
                column, row = prop.column - corner[0], prop.row - corner[1]
                part = _overlap(covered, column, row, prop.image)
                if part is not None:
                    lay_over(canvas, labels, prop.image, column, row, 0, part)
                continue
            image, column, row = rasterise(placements[number])
            sizes[number] = int(np.count_nonzero(image[..., 3] >= 128))
            rectangle = lay_over(canvas, labels, image, column, row, number + 1)
            if rectangle is not None:
                covered.append(rectangle)
        return sizes


class _Pan:
    """The way of the camera over the panorama: to and fro, with the trembling of a hand."""

    def __init__(self, rng: np.random.Generator, size: tuple[int, int], pan: float) -> None:
        self._size, self._sweep = size, pan * size[0]
        self._period, self._phases = rng.uniform(14, 26), rng.uniform(0, 2 * np.pi, 3)
        self._shake = rng.uniform(0, 0.0025) * size[1] if pan > 0 else 0.0
        self.panorama = size[0] + 2 * round(self._sweep) + 2 * _BORDER, size[1] + 2 * _BORDER

    def offset(self, time: float) -> tuple[float, float]:
        """Left and top of the image in the panorama at a time in seconds."""
        turn = 2 * np.pi * time / self._period + 0.3 * self._phases[0]
        left = _BORDER + self._sweep * (1 - np.cos(turn)) + self._shake * np.sin(2.1 * time + self._phases[1])
        top = _BORDER + self._shake * np.sin(2.7 * time + self._phases[2])
        limit = self.panorama[0] - self._size[0] - 1
        return float(np.clip(left, 0, limit)), float(np.clip(top, 0, 2 * _BORDER - 1))

    def view(self, time: float) -> tuple[float, float]:
        """Leftmost and rightmost column of the panorama in view."""
        left, _ = self.offset(time)
        return left, left + self._size[0]


def _overlap(rectangles: Sequence[Rectangle], column: int, row: int, image: Image) -> Rectangle | None:
    """The part of a picture with its top left pixel at (column, row) that holds all its overlaps with rectangles."""
    right, bottom = column + image.shape[1], row + image.shape[0]
    parts = [(max(x1, column), max(y1, row), min(x2, right), min(y2, bottom)) for x1, y1, x2, y2 in rectangles]
    parts = [part for part in parts if part[0] < part[2] and part[1] < part[3]]
    if not parts:
        return None
    x1, y1, x2, y2 = zip(*parts, strict=True)
    return min(x1), min(y1), max(x2), max(y2)


def _count(labels: Image, label: int, box: tuple[float, float, float, float], size: tuple[int, int]) -> int:
    """How many pixels inside the image carry a label; all of them lie within the box, give or take a pixel."""
    left, top = max(int(box[0]) - 2, 0), max(int(box[1]) - 2, 0)
    right, bottom = min(int(box[2]) + 3, size[0]), min(int(box[3]) + 3, size[1])
    return int(np.count_nonzero(labels[top : max(bottom, 0), left : max(right, 0)] == label))
