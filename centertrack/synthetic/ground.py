"""The ground in perspective: paving, asphalt, grass, kerbs and markings."""

from __future__ import annotations

import cv2
import numpy as np

from centertrack.synthetic.look import Viewpoint
from centertrack.synthetic.painter import Array, fractal_noise

_PAVING = [(168, 162, 152), (142, 140, 138), (186, 174, 156), (158, 146, 134), (124, 124, 126)]
_GRAIN = 512  # pixels of the repeating grain picture


class Ground:
    """The ground points that the pixels below the horizon show, and ways to colour them.

    Every pattern fades out where it becomes finer than a pixel, so nothing flickers when the camera moves.

    Attributes:
        x: (h, w) float32, metres to the right.
        z: (h, 1) float32, metres away.
        top: The first row, in pixels.
    """

    def __init__(self, rng: np.random.Generator, camera: Viewpoint, width: int, height: int) -> None:
        self.top = max(int(np.ceil(camera.horizon + 2)), 0)
        rows = np.arange(self.top, height, dtype=np.float32)[:, None] + 0.5
        columns = np.arange(width, dtype=np.float32)[None] + 0.5
        self.z = np.float32(camera.focal * camera.height) / (rows - np.float32(camera.horizon))
        self.x = (columns - np.float32(camera.centre)) * (self.z / np.float32(camera.focal))
        self._depth_step = self.z**2 / np.float32(camera.focal * camera.height)  # metres a pixel covers in depth
        self._side_step = self.z / np.float32(camera.focal)
        self._rng = rng
        self._grain = _repeating(fractal_noise(rng, _GRAIN, _GRAIN, 6, 2))
        self._stains = _repeating(fractal_noise(rng, _GRAIN, _GRAIN, 120, 4))

    def asphalt(self) -> Array:
        """Dark grey with fine grain and large stains."""
        return self._tinted(np.array([1.0, 1.0, 1.03]) * self._rng.uniform(72, 122), 0.16, 0.1)

    def grass(self) -> Array:
        """Green with tufts."""
        return self._tinted(np.array([92, 122, 58]) * self._rng.uniform(0.75, 1.1), 0.3, 0.2)

    def gravel(self) -> Array:
        """The sand of a park path."""
        return self._tinted(np.array([190, 174, 142]) * self._rng.uniform(0.85, 1.1), 0.14, 0.08)

    def paving(self) -> Array:
        """Slabs with joints, each slab a little different."""
        rng = self._rng
        side, depth = rng.uniform(0.35, 1.1), rng.uniform(0.35, 1.1)
        colours = self._tinted(np.array(_PAVING[rng.integers(len(_PAVING))]) * rng.uniform(0.8, 1.12), 0.07, 0.1)
        shift = 0.5 * side * (np.floor(self.z / depth) % 2) if rng.random() < 0.5 else 0.0
        column, row = np.floor((self.x + shift) / side), np.floor(self.z / depth)
        tones = rng.normal(1, rng.uniform(0.02, 0.07), 997).astype(np.float32)
        fade = np.clip(1.6 - 1.5 * self._depth_step / depth, 0, 1)
        tone = 1 + (tones[(column * 73 + row * 151).astype(int) % 997] - 1) * fade
        joints = np.maximum(
            _lines(self.x + shift, side, 0.015, self._side_step), _lines(self.z, depth, 0.015, self._depth_step)
        )
        return colours * (tone * (1 - 0.4 * joints * fade))[..., None]

    def band(self, colours: Array, over: Array, low: float, high: float, across: bool = True) -> Array:
        """Lay `over` on `colours` for distances (or, not `across`, for sideways positions) in [low, high] metres."""
        place, step = (self.z, self._depth_step) if across else (self.x, self._side_step)
        cover = np.clip((place - low) / step + 0.5, 0, 1) * np.clip((high - place) / step + 0.5, 0, 1)
        cover = np.broadcast_to(cover, self.x.shape)[..., None]
        return colours + cover * (over - colours)

    def dashes(self, colours: Array, at: float, across: bool = True, length: float = 3.0) -> Array:
        """Paint a broken white line."""
        along = self.x if across else np.broadcast_to(self.z, self.x.shape)
        white = np.where(((along / length) % 2 < 1)[..., None], np.float32(214), colours)
        return self.band(colours, white, at - 0.07, at + 0.07, across)

    def _tinted(self, colour: Array, grain: float, stains: float) -> Array:
        fade = np.clip(0.03 / self._depth_step, 0.25, 1)
        factor = 1 + grain * fade * self._sample(self._grain, 60) + stains * self._sample(self._stains, 14)
        return np.asarray(colour, np.float32) * factor[..., None].astype(np.float32)

    def _sample(self, picture: Array, pixels_per_metre: float) -> Array:
        rows = np.broadcast_to(self.z * np.float32(pixels_per_metre) % _GRAIN, self.x.shape)
        columns = self.x * np.float32(pixels_per_metre) % _GRAIN
        return np.asarray(
            cv2.remap(picture, columns, np.ascontiguousarray(rows), cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        )


def _lines(place: Array, period: float, width: float, step: Array) -> Array:
    """How much of each pixel (it covers `step` metres) lies on lines of a width, one every `period` metres."""
    distance = np.abs((place / period + 0.5) % 1 - 0.5) * period
    wide = np.maximum(width, step)
    return np.clip((wide / 2 - distance) / step + 0.5, 0, 1) * np.minimum(width / wide * 1.5, 1)


def _repeating(picture: Array) -> Array:
    """Blend the borders of a picture so that it can be laid side by side without a seam."""
    for axis in (0, 1):
        size = picture.shape[axis]
        weight = np.abs(np.linspace(-1, 1, size, dtype=np.float32)) ** 3
        weight = weight[:, None] if axis == 0 else weight[None]
        shifted = np.roll(picture, size // 2, axis)
        picture = (picture * (1 - weight) + shifted * weight) / np.sqrt((1 - weight) ** 2 + weight**2)
    return picture
