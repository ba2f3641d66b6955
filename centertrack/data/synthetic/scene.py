"""A street scene as a video with exact ground truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from centertrack.data.synthetic.figures import Sprite, render_figure
from centertrack.data.synthetic.look import LAYOUTS, TIMES_OF_DAY, Camera, random_light
from centertrack.data.synthetic.painter import Array, Image, fractal_noise
from centertrack.data.synthetic.street import build_street
from centertrack.data.synthetic.walkers import Walker, random_walkers
from tracker.io.frame import Frame

_YAWS, _PHASES, _VIGOURS = 16, 16, 2  # how finely poses are told apart; every distinct pose is drawn once
_BORDER = 8  # pixels of panorama beyond the image on every side
_FURNITURE_LABEL = 255


@dataclass(frozen=True, slots=True)
class SceneConfig:
    """What to film. Whatever is None is drawn from the seed.

    Attributes:
        size: Width and height of the image in pixels.
        seconds: Length of the clip.
        frame_rate: Frames per second.
        seed: Another seed is another street with other people.
        people: How many people pass, at most 250.
        furniture: How many things stand in the street.
        pan: How far the camera pans to either side, in image widths; 0 holds it still.
        layout: `facades`, `avenue` or `park`.
        time_of_day: `noon`, `overcast`, `evening` or `dusk`.
        camera_height: Metres above the ground.
        zoom: Focal length in image widths.
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
        if self.people is not None and not 0 <= self.people <= 250:
            raise ValueError(f"people must be between 0 and 250, got {self.people}")
        if self.layout not in (None, *LAYOUTS):
            raise ValueError(f"layout must be one of {', '.join(LAYOUTS)}, got {self.layout!r}")
        if self.time_of_day not in (None, *TIMES_OF_DAY):
            raise ValueError(f"time_of_day must be one of {', '.join(TIMES_OF_DAY)}, got {self.time_of_day!r}")


@dataclass(frozen=True, slots=True)
class SyntheticFrame:
    """An image and the truth about it; rows are the figures whose box touches the image.

    Attributes:
        frame: Number, time and RGB image.
        boxes: (N, 4) float32 xyxy, the full extent of each figure, hidden parts included; may leave the image.
        ids: (N,) int64, from 1.
        visibility: (N,) float32, share of the figure's pixels that is seen: not covered and inside the image.
    """

    frame: Frame
    boxes: npt.NDArray[np.float32]
    ids: npt.NDArray[np.int64]
    visibility: npt.NDArray[np.float32]


class StreetScene:
    """A clip of a street, drawn on demand; any frame can be asked for at any time and always looks the same.

    >>> scene = StreetScene(SceneConfig(size=(160, 96), seconds=0.2, people=3, seed=5))
    >>> len(scene), scene.frame(4).frame.image.shape
    (5, (96, 160, 3))
    """

    def __init__(self, config: SceneConfig | None = None) -> None:
        self.config = config = config or SceneConfig()
        rng = np.random.default_rng(config.seed)
        width, height = config.size
        draws = rng.random(8)  # one stream for the open choices, so that fixing one leaves the others alone
        layout = config.layout or LAYOUTS[int(draws[0] * len(LAYOUTS))]
        time_of_day = config.time_of_day or TIMES_OF_DAY[int(draws[1] * len(TIMES_OF_DAY))]
        camera_height = 1.5 + 5 * draws[2] ** 1.5 if config.camera_height is None else config.camera_height
        zoom = 0.75 + 0.9 * draws[3] if config.zoom is None else config.zoom
        pan = max(draws[4] - 0.4, 0) * 0.5 if config.pan is None else config.pan
        people = round(8 + 40 * draws[5] ** 1.5) if config.people is None else config.people
        furniture = round(2 + 10 * draws[6]) if config.furniture is None else config.furniture
        horizon = (0.45 - 0.08 * (camera_height - 1.5) + 0.1 * (draws[7] - 0.5)) * height

        self._light = random_light(rng, time_of_day)
        self._times = np.arange(max(round(config.seconds * config.frame_rate), 1)) / config.frame_rate
        self._sweep = pan * width
        self._sway = rng.uniform(0, 2 * np.pi, 3), rng.uniform(0.0, 0.0025) * height * (pan > 0)
        self._period = rng.uniform(14, 26)
        panorama = (width + 2 * round(self._sweep) + 2 * _BORDER, height + 2 * _BORDER)
        self._camera = Camera(float(zoom * width), float(camera_height), panorama[0] / 2, float(horizon + _BORDER))
        self._street = build_street(rng, self._camera, *panorama, layout, self._light, furniture)
        depths = (self._street.near * 1.02, self._street.far)
        self._walkers = random_walkers(
            rng, people, self._times, self._camera, self._view, depths, self._street.half_width
        )
        self._noise_strength, self._blur = rng.uniform(1.0, 4.5), rng.uniform(0.3, 0.8)
        self._noise = _sensor_noise(rng, width, height, self._noise_strength)
        self._sprites: dict[tuple[int, int, int, int], Sprite] = {}

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[SyntheticFrame]:
        return (self.frame(index) for index in range(len(self)))

    def frame(self, index: int) -> SyntheticFrame:
        """Draw the frame at `index`, counted from 0 (its number counts from 1)."""
        if not 0 <= index < len(self):
            raise IndexError(f"frame index must be in 0..{len(self) - 1}, got {index}")
        width, height = self.config.size
        left, top = self._offset(self._times[index])
        column, row = int(left), int(top)
        canvas = self._street.background[row : row + height + 1, column : column + width + 1].copy()
        labels = np.zeros(canvas.shape[:2], np.uint8)
        placed = [
            (walker, self._place(number, walker, index, left, top)) for number, walker in enumerate(self._walkers)
        ]
        for walker, (_, x, y, scale) in placed:
            self._draw_shadow(canvas, walker.outfit.height * scale, x + left - column, y + top - row)
        totals = self._draw_bodies(canvas, labels, index, placed, (left, top), (column, row))
        image = self._develop(canvas, left - column, top - row, index)
        boxes, ids, visibility = [], [], []
        for number, (_, (sprite, x, y, scale)) in enumerate(placed):
            box = _box(sprite, x, y, scale)
            if box[0] >= width or box[1] >= height or box[2] <= 0 or box[3] <= 0:
                continue
            seen = np.count_nonzero(labels[:height, :width] == number + 1) if totals[number] else 0
            boxes.append(box)
            ids.append(number + 1)
            visibility.append(seen / max(totals[number], 1))
        return SyntheticFrame(
            Frame(index + 1, float(self._times[index]), image),
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
        folder = Path(folder)
        (folder / "gt").mkdir(parents=True, exist_ok=True)
        if images:
            (folder / "img1").mkdir(exist_ok=True)
        rows = []
        for item in self:
            number = item.frame.number
            for (x1, y1, x2, y2), identity, visible in zip(item.boxes, item.ids, item.visibility, strict=True):
                if visible > 0:
                    rows.append(
                        f"{number},{identity},{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,1,{visible:.4f}\n"
                    )
            if images:
                bgr = cv2.cvtColor(item.frame.image, cv2.COLOR_RGB2BGR)
                cv2.imwrite(str(folder / "img1" / f"{number:06d}.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, 92])
        (folder / "gt" / "gt.txt").write_text("".join(rows), encoding="utf-8")
        width, height = self.config.size
        (folder / "seqinfo.ini").write_text(
            f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate={self.config.frame_rate:g}\nseqLength={len(self)}\n"
            f"imWidth={width}\nimHeight={height}\nimExt=.jpg\n",
            encoding="utf-8",
        )

    def _offset(self, time: float) -> tuple[float, float]:
        """Left and top of the image in the panorama."""
        phases, shake = self._sway
        left = _BORDER + round(self._sweep) - self._sweep * np.cos(2 * np.pi * time / self._period + phases[0] * 0.3)
        left += shake * np.sin(2.1 * time + phases[1]) * np.sin(0.7 * time)
        top = _BORDER + shake * np.sin(2.7 * time + phases[2])
        limit = self._street_width() - self.config.size[0] - 1
        return float(np.clip(left, 0, limit)), float(np.clip(top, 0, 2 * _BORDER - 1))

    def _street_width(self) -> int:
        return self.config.size[0] + 2 * round(self._sweep) + 2 * _BORDER

    def _view(self, time: float) -> tuple[float, float]:
        left, _ = self._offset(time)
        return left, left + self.config.size[0]

    def _place(
        self, number: int, walker: Walker, index: int, left: float, top: float
    ) -> tuple[Sprite, float, float, float]:
        """A figure's picture, the image point where it stands, and the pixels per metre there."""
        x, z = walker.points[index]
        column, row = self._camera.project(x, z)
        return self._sprite(number, walker, index), column - left, row - top, self._camera.scale(z)

    def _sprite(self, number: int, walker: Walker, index: int) -> Sprite:
        yaw = round(walker.yaws[index] / (2 * np.pi) * _YAWS) % _YAWS
        vigour = round(walker.vigours[index] * _VIGOURS)
        phase = int(walker.phases[index] * _PHASES) % _PHASES if vigour else 0
        key = (number, yaw, vigour, phase)
        if key not in self._sprites:
            largest = walker.outfit.height * self._camera.scale(float(walker.points[:, 1].min()))
            pixels = int(np.clip(largest, 24, 300))
            turned = 2 * np.pi * yaw / _YAWS
            drawn = render_figure(walker.outfit, turned, phase / _PHASES, vigour / _VIGOURS, pixels, self._light.side)
            self._sprites[key] = Sprite(self._light.grade(drawn.image), drawn.anchor, drawn.scale, drawn.bounds)
        return self._sprites[key]

    def _draw_shadow(self, canvas: Image, height: float, x: float, y: float) -> None:
        """Darken the ground around the feet."""
        radii = (max(0.17 * height, 1.5), max(0.045 * height, 1.0))
        left, top, right, bottom = (
            int(x - 1.6 * radii[0]), int(y - 1.6 * radii[1]), int(x + 1.6 * radii[0]) + 1, int(y + 1.6 * radii[1]) + 1,
        )  # fmt: skip
        left, top = max(left, 0), max(top, 0)
        area = canvas[top : max(bottom, 0), left : max(right, 0)]
        if area.size == 0:
            return
        across = (np.arange(left, left + area.shape[1], dtype=np.float32) - x) / radii[0]
        down = (np.arange(top, top + area.shape[0], dtype=np.float32) - y) / radii[1]
        distance = across[None] ** 2 + down[:, None] ** 2
        keep = 255 * (1 - (0.3 + 0.3 * self._light.sun) * np.exp(-1.5 * distance))
        cv2.multiply(area, cv2.merge([keep.astype(np.uint8)] * 3), dst=area, scale=1 / 255)

    def _draw_bodies(
        self,
        canvas: Image,
        labels: Image,
        index: int,
        placed: list[tuple[Walker, tuple[Sprite, float, float, float]]],
        offset: tuple[float, float],
        corner: tuple[int, int],
    ) -> list[int]:
        """Draw furniture and figures, farthest first; returns the number of pixels of every figure."""
        totals = [0] * len(placed)
        shift = offset[0] - corner[0], offset[1] - corner[1]
        queue = [(float(walker.points[index, 1]), number) for number, (walker, _) in enumerate(placed)]
        queue += [(prop.z, -1 - number) for number, prop in enumerate(self._street.props)]
        for _, number in sorted(queue, reverse=True):
            if number >= 0:
                sprite, x, y, scale = placed[number][1]
                totals[number] = _composite(canvas, labels, sprite, x + shift[0], y + shift[1], scale, number + 1)
                continue
            prop = self._street.props[-1 - number]
            x, y = self._camera.project(prop.x, prop.z)
            scale = self._camera.scale(prop.z)
            _composite(canvas, labels, prop.sprite, x - corner[0], y - corner[1], scale, _FURNITURE_LABEL)
        return totals

    def _develop(self, canvas: Image, shift_x: float, shift_y: float, index: int) -> Image:
        """What lens and sensor make of the picture: the sub-pixel part of the pan, blur and noise."""
        width, height = self.config.size
        move = np.float32([[1, 0, -shift_x], [0, 1, -shift_y]])
        image = cv2.warpAffine(canvas, move, (width, height), flags=cv2.INTER_LINEAR)
        image = cv2.GaussianBlur(image, (3, 3), self._blur)
        rng = np.random.default_rng((self.config.seed, index))
        row, column = rng.integers(0, 64, 2)
        noise = self._noise[int(rng.integers(len(self._noise)))][row : row + height, column : column + width]
        return np.asarray(cv2.add(image, noise, dtype=cv2.CV_8U), np.uint8)


def _sensor_noise(rng: np.random.Generator, width: int, height: int, strength: float) -> list[Array]:
    """A few noise pictures, larger than the image: each frame adds another cut of one of them."""
    pictures = []
    for _ in range(2):
        grey = fractal_noise(rng, height + 64, width + 64, 2, 2) * strength
        colour = rng.normal(0, 0.5 * strength, (height + 64, width + 64, 3)).astype(np.float32)
        pictures.append(np.round(grey[..., None] + colour).astype(np.int16))
    return pictures


def _box(sprite: Sprite, x: float, y: float, scale: float) -> tuple[float, float, float, float]:
    """The opaque extent of a sprite whose anchor is at (x, y), drawn at `scale` pixels per metre."""
    factor = scale / sprite.scale
    left, top = x - factor * sprite.anchor[0], y - factor * sprite.anchor[1]
    x1, y1, x2, y2 = sprite.bounds
    return left + factor * x1, top + factor * y1, left + factor * x2, top + factor * y2


def _composite(canvas: Image, labels: Image, sprite: Sprite, x: float, y: float, scale: float, label: int) -> int:
    """Lay a sprite over the canvas with its anchor at (x, y); returns how many pixels it covers, inside or outside."""
    factor = scale / sprite.scale
    left, top = x - factor * sprite.anchor[0], y - factor * sprite.anchor[1]
    column, row = int(np.floor(left)), int(np.floor(top))
    width = int(np.ceil(left + factor * sprite.image.shape[1])) - column
    height = int(np.ceil(top + factor * sprite.image.shape[0])) - row
    first, last = (
        (max(-column, 0), max(-row, 0)),
        (min(width, canvas.shape[1] - column), min(height, canvas.shape[0] - row)),
    )
    if last[0] <= first[0] or last[1] <= first[1]:
        return 0
    # opencv counts from the centre of the first pixel, hence the half pixels
    half = 0.5 * factor - 0.5
    move = np.float32([[factor, 0, left - column + half], [0, factor, top - row + half]])
    image = cv2.warpAffine(sprite.image, move, (width, height), flags=cv2.INTER_LINEAR)
    total = int(np.count_nonzero(image[..., 3] >= 128))
    image = image[first[1] : last[1], first[0] : last[0]]
    rows, columns = slice(row + first[1], row + last[1]), slice(column + first[0], column + last[0])
    area, alpha = canvas[rows, columns], np.ascontiguousarray(image[..., 3])
    behind = cv2.multiply(area, cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2RGB), scale=1 / 255)
    cv2.add(behind, cv2.cvtColor(image, cv2.COLOR_RGBA2RGB), dst=area)
    labels[rows, columns][alpha >= 128] = label
    return total
