"""The pictures of the walking figures, drawn when first needed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np

from centertrack.synthetic.figures import render_figure
from centertrack.synthetic.look import Light, Viewpoint
from centertrack.synthetic.sprite import Sprite
from centertrack.synthetic.walkers import Walker

_YAWS, _PHASES, _VIGOURS = 16, 16, 2  # how finely poses are told apart
_SMALLEST, _LARGEST = 24, 280  # pixels; larger figures are enlarged, like what a cheap lens sees
_MEMORY = 192 << 20  # bytes; the pictures not used for the longest time are dropped and drawn again when needed


class Wardrobe:
    """Gives every figure's picture at every frame; each distinct pose is drawn once.

    Args:
        walkers: The figures.
        camera: Tells how large they appear.
        light: Their light.
    """

    def __init__(self, walkers: Sequence[Walker], camera: Viewpoint, light: Light) -> None:
        self._walkers, self._light = walkers, light
        heights = [walker.outfit.height * camera.scale(float(walker.points[:, 1].min())) for walker in walkers]
        self._pixels = [int(np.clip(height, _SMALLEST, _LARGEST)) for height in heights]
        self._sprites: OrderedDict[tuple[int, int, int, int], Sprite] = OrderedDict()
        self._bytes = 0

    def sprite(self, number: int, index: int) -> Sprite:
        """Return the picture of walker `number` at frame `index`."""
        walker = self._walkers[number]
        yaw = round(walker.yaws[index] / (2 * np.pi) * _YAWS) % _YAWS
        vigour = round(walker.vigours[index] * _VIGOURS)
        phase = int(walker.phases[index] * _PHASES) % _PHASES if vigour else 0
        key = (number, yaw, vigour, phase)
        if key in self._sprites:
            self._sprites.move_to_end(key)
            return self._sprites[key]
        drawn = render_figure(
            walker.outfit, 2 * np.pi * yaw / _YAWS, phase / _PHASES, vigour / _VIGOURS, self._pixels[number],
            self._light.side,
        )  # fmt: skip
        sprite = Sprite(self._light.grade(drawn.image), drawn.anchor, drawn.scale, drawn.bounds)
        self._sprites[key] = sprite
        self._bytes += sprite.image.nbytes
        while self._bytes > _MEMORY:
            self._bytes -= self._sprites.popitem(last=False)[1].image.nbytes
        return sprite
