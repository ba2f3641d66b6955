"""A small painter: shaded shapes with smooth edges on a transparent canvas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Image: TypeAlias = npt.NDArray[np.uint8]
Colour: TypeAlias = tuple[float, float, float]
Point: TypeAlias = tuple[float, float]

_FRACTION_BITS = 4  # opencv takes polygon corners as fixed-point numbers
_ANGLES = np.linspace(0, 2 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)


def fractal_noise(
    rng: np.random.Generator, height: int, width: int, cell: float, octaves: int = 3
) -> npt.NDArray[np.float32]:
    """Return smooth noise, the sum of octaves that halve in cell size and in strength.

    Args:
        rng: Source of randomness.
        height: Rows in pixels.
        width: Columns in pixels.
        cell: Size of the largest blobs in pixels.
        octaves: How many layers are summed.

    Returns:
        (height, width) float32, mean about 0, standard deviation about 0.5.
    """
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        size = max(cell / 2**octave, 1.0)
        grid = rng.normal(size=(int(height / size) + 2, int(width / size) + 2)).astype(np.float32)
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_LINEAR) * 0.5**octave
    return total * 0.6


class Painter:
    """Draws shapes from back to front; every shape is lit as if it were round.

    Coordinates are pixels of the finished sprite, origin at its top left.

    Args:
        width: Sprite width in pixels.
        height: Sprite height in pixels.
        light: Horizontal direction of the light, -1 (from the left) to 1 (from the right).
    """

    def __init__(self, width: int, height: int, light: float = 0.0) -> None:
        self.width, self.height = max(width, 1), max(height, 1)
        self._rgba = np.zeros((self.height, self.width, 4), np.uint8)
        self._light = light

    def polygon(
        self,
        corners: Sequence[Point] | Array,
        colour: Colour,
        roundness: float = 0.0,
        texture: Array | None = None,
        glow: float = 0.0,
    ) -> None:
        """Fill a polygon.

        Args:
            corners: (N, 2) x, y in pixels.
            colour: RGB in 0..255.
            roundness: Radius in pixels over which the edges fall away from the light; 0 paints flat.
            texture: Stretched over the shape's bounding box; (h, w) multiplies the colour, (h, w, 3) replaces it.
            glow: How much lighter the top is than the bottom, as a fraction.
        """
        points = np.asarray(corners, np.float64)
        low = np.maximum(np.floor(points.min(0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(points.max(0)).astype(int) + 2, (self.width, self.height))
        if (high - low).min() <= 0:
            return
        width, height = (high - low).tolist()
        mask = np.zeros((height, width), np.uint8)
        # opencv's whole numbers are pixel centres, ours are pixel corners
        fixed = np.round((points - low - 0.5) * 2**_FRACTION_BITS).astype(np.int32)
        cv2.fillPoly(mask, [fixed], 255, lineType=cv2.LINE_AA, shift=_FRACTION_BITS)
        shade: Array = self._shade(mask, float(roundness))
        if glow:
            shade = shade * np.linspace(1 + float(glow), 1 - float(glow), height, dtype=np.float32)[:, None]
        if texture is not None:
            texture = cv2.resize(np.asarray(texture, np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        if texture is not None and texture.ndim == 2:
            shade = cv2.multiply(shade, texture)
        if texture is not None and texture.ndim == 3:
            channels = list(cv2.split(cv2.multiply(texture, cv2.merge([shade] * 3))))
        else:
            channels = [shade * np.float32(level) for level in colour]
        pixels = cv2.convertScaleAbs(cv2.merge([*channels, np.full_like(shade, 255)]))
        cover = cv2.merge([mask] * 4)
        area = self._rgba[low[1] : high[1], low[0] : high[0]]
        behind = cv2.multiply(area, 255 - cover, scale=1 / 255)
        cv2.add(behind, cv2.multiply(pixels, cover, scale=1 / 255), dst=area)

    def capsule(
        self, start: Point, end: Point, radius: float, end_radius: float, colour: Colour, texture: Array | None = None
    ) -> None:
        """Draw a limb: two circles and what lies between them."""
        points = np.concatenate([np.asarray(start) + radius * _CIRCLE, np.asarray(end) + end_radius * _CIRCLE])
        hull = cv2.convexHull(points.astype(np.float32))[:, 0]
        self.polygon(hull, colour, roundness=(radius + end_radius) / 2, texture=texture)

    def ellipse(
        self, centre: Point, radii: Point, colour: Colour, roundness: float | None = None, texture: Array | None = None
    ) -> None:
        """Fill an upright ellipse, lit as a ball unless `roundness` says otherwise."""
        points = np.asarray(centre) + np.asarray(radii) * _CIRCLE
        self.polygon(points, colour, min(radii) if roundness is None else roundness, texture)

    def rectangle(
        self, left: float, top: float, right: float, bottom: float, colour: Colour, roundness: float = 0.0
    ) -> None:
        """Fill an upright rectangle."""
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], colour, roundness)

    def finish(self) -> Image:
        """Return the (height, width, 4) RGBA picture, colours premultiplied by alpha."""
        return self._rgba

    def _shade(self, mask: Image, radius: float) -> npt.NDArray[np.float32]:
        """Brightness factor of every pixel; the blurred mask serves as the height of a rounded body.

        It varies slowly, so it is computed on a coarse grid.
        """
        if radius < 1.5:
            return np.ones(mask.shape, np.float32)
        step = min(max(radius / 4, 1.0), max(min(mask.shape) / 4, 1.0))
        size = max(round(mask.shape[1] / step), 2), max(round(mask.shape[0] / step), 2)
        coarse = cv2.resize(mask, size, interpolation=cv2.INTER_AREA)
        reach = radius / step
        kernel = (int(reach) | 1, int(reach) | 1)
        padded = cv2.copyMakeBorder(coarse, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        body = cv2.blur(cv2.blur(padded, kernel), kernel).astype(np.float32) / 255
        across = (body[1:-1, 2:] - body[1:-1, :-2]) * reach
        down = (body[2:, 1:-1] - body[:-2, 1:-1]) * reach
        # facing the light brightens, facing away darkens; the light comes from above
        shade = np.clip(0.72 + 0.3 * body[1:-1, 1:-1] - 0.22 * self._light * across + 0.14 * down, 0.3, 1.35)
        return np.asarray(cv2.resize(shade, mask.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)
