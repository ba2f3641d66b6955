"""Pictures with alpha: how they are placed on an image and laid over it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from centertrack.synthetic.painter import Array, Image, Point

Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels, right and bottom excluded."""


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A picture that stands on the ground.

    Attributes:
        image: (h, w, 4) uint8 RGBA, premultiplied.
        anchor: x, y in its pixels of the point that touches the ground.
        scale: Its pixels per metre.
        bounds: x1, y1, x2, y2 in its pixels of what is opaque.
    """

    image: Image
    anchor: Point
    scale: float
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class SpritePlacement:
    """Where a sprite stands in an image.

    Attributes:
        sprite: The picture.
        x: Pixel of its anchor.
        y: Pixel of its anchor.
        scale: Pixels per metre there.
    """

    sprite: Sprite
    x: float
    y: float
    scale: float

    @property
    def factor(self) -> float:
        """Pixels of the image per pixel of the sprite."""
        return self.scale / self.sprite.scale

    @property
    def box(self) -> tuple[float, float, float, float]:
        """The sprite's opaque extent, xyxy in pixels of the image."""
        (ax, ay), factor = self.sprite.anchor, self.factor
        x1, y1, x2, y2 = self.sprite.bounds
        return (
            self.x + factor * (x1 - ax), self.y + factor * (y1 - ay),
            self.x + factor * (x2 - ax), self.y + factor * (y2 - ay),
        )  # fmt: skip


def trimmed(image: Image, anchor: Point, scale: float) -> Sprite:
    """Cut the empty border off a picture; `bounds` covers what is at least half opaque."""
    solid = image[..., 3] >= 128
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    if len(rows) == 0:
        return Sprite(image, anchor, scale, (0.0, 0.0, 0.0, 0.0))
    top, left = max(rows[0] - 2, 0), max(columns[0] - 2, 0)
    cut = np.ascontiguousarray(image[top : rows[-1] + 3, left : columns[-1] + 3])
    x1, y1, x2, y2 = columns[0] - left, rows[0] - top, columns[-1] + 1 - left, rows[-1] + 1 - top
    return Sprite(cut, (anchor[0] - left, anchor[1] - top), scale, (float(x1), float(y1), float(x2), float(y2)))


def rasterise(placement: SpritePlacement) -> tuple[Image, int, int]:
    """Resample a sprite to the pixels of the image.

    Returns:
        (h, w, 4) uint8 premultiplied RGBA, and the column and row of its top left pixel.
    """
    sprite, factor = placement.sprite, placement.factor
    left, top = placement.x - factor * sprite.anchor[0], placement.y - factor * sprite.anchor[1]
    column, row = int(np.floor(left)), int(np.floor(top))
    width = int(np.ceil(left + factor * sprite.image.shape[1])) - column
    height = int(np.ceil(top + factor * sprite.image.shape[0])) - row
    half = 0.5 * factor - 0.5  # opencv counts from the centre of the first pixel
    move = np.array([[factor, 0, left - column + half], [0, factor, top - row + half]], np.float32)
    return np.asarray(cv2.warpAffine(sprite.image, move, (width, height)), np.uint8), column, row


def lay_over(
    canvas: Image, labels: Image, image: Image, column: int, row: int, label: int, within: Rectangle | None = None
) -> Rectangle | None:
    """Lay a picture over the canvas and write its label wherever it is opaque.

    Args:
        canvas: (H, W, 3) uint8 RGB, changed.
        labels: (H, W) uint8, changed.
        image: (h, w, 4) uint8 premultiplied RGBA.
        column: Of the picture's left border in the canvas; may lie outside.
        row: Of its upper border.
        label: Which number marks its pixels.
        within: Leave everything else as it is.

    Returns:
        The part of the canvas that was covered, None if there is none.
    """
    left, top, right, bottom = within or (0, 0, canvas.shape[1], canvas.shape[0])
    left, top = max(left, column, 0), max(top, row, 0)
    right = min(right, column + image.shape[1], canvas.shape[1])
    bottom = min(bottom, row + image.shape[0], canvas.shape[0])
    if right <= left or bottom <= top:
        return None
    part = image[top - row : bottom - row, left - column : right - column]
    area, alpha = canvas[top:bottom, left:right], part[..., 3]
    behind = cv2.multiply(area, cv2.cvtColor(255 - alpha, cv2.COLOR_GRAY2RGB), scale=1 / 255)
    cv2.add(behind, cv2.cvtColor(part, cv2.COLOR_RGBA2RGB), dst=area)
    labels[top:bottom, left:right][alpha >= 128] = label
    return left, top, right, bottom


def lay_shadow(canvas: Image, placement: SpritePlacement, shift: Point, strength: float) -> Rectangle | None:
    """Darken the ground where a standing body keeps the sun away.

    Args:
        canvas: (H, W, 3) uint8 RGB, changed.
        placement: The body.
        shift: Where the shadow of a point falls, per pixel of its height: to the right, down.
        strength: 0 (none) to 1 (black).

    Returns:
        The part of the canvas that was darkened, None if there is none.
    """
    sprite, factor = placement.sprite, placement.factor
    across, down = shift[0] * factor, shift[1] * factor
    move = np.array([[factor, -across, placement.x - factor * sprite.anchor[0] + across * sprite.anchor[1]],
                     [0, -down, placement.y + down * sprite.anchor[1]]], np.float32)  # fmt: skip
    height, width = sprite.image.shape[:2]
    corners = np.array([(0, 0), (width, 0), (0, height), (width, height)], np.float32) @ move[:, :2].T + move[:, 2]
    left, top = np.maximum(np.floor(corners.min(0)).astype(int) - 2, 0).tolist()
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + 2, canvas.shape[1::-1]).tolist()
    if right <= left or bottom <= top:
        return None
    move[:, 2] -= (left, top)
    shadow = cv2.warpAffine(sprite.image[..., 3], move, (right - left, bottom - top), flags=cv2.INTER_AREA)
    blur = int(0.02 * placement.scale) * 2 + 1
    _darken(canvas[top:bottom, left:right], cv2.blur(shadow, (blur, blur)), strength)
    return left, top, right, bottom


def lay_contact_shadow(canvas: Image, x: float, y: float, half_width: float, strength: float) -> Rectangle | None:
    """Darken the ground softly around the place (x, y) where something stands, `half_width` pixels to the sides."""
    radii = max(half_width, 1.5), max(0.27 * half_width, 1.0)
    left, top = max(int(x - 1.7 * radii[0]), 0), max(int(y - 1.7 * radii[1]), 0)
    right = min(int(x + 1.7 * radii[0]) + 1, canvas.shape[1])
    bottom = min(int(y + 1.7 * radii[1]) + 1, canvas.shape[0])
    if right <= left or bottom <= top:
        return None
    across = (np.arange(left, right, dtype=np.float32) + 0.5 - np.float32(x)) / np.float32(radii[0])
    down = (np.arange(top, bottom, dtype=np.float32) + 0.5 - np.float32(y)) / np.float32(radii[1])
    shadow = 255 * np.exp(-1.6 * across**2)[None] * np.exp(-1.6 * down**2)[:, None]
    _darken(canvas[top:bottom, left:right], shadow.astype(np.uint8), strength)
    return left, top, right, bottom


def _darken(area: Image, shadow: Array, strength: float) -> None:
    keep = cv2.convertScaleAbs(shadow, alpha=-strength, beta=255)
    cv2.multiply(area, cv2.cvtColor(keep, cv2.COLOR_GRAY2RGB), dst=area, scale=1 / 255)
