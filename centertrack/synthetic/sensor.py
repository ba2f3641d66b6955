"""What lens and sensor make of a picture."""

from __future__ import annotations

import cv2
import numpy as np

from centertrack.synthetic.painter import Array, Image, fractal_noise

_SPARE = 64  # pixels by which noise pictures are larger than the image: every frame gets another cut
_PICTURES = 2


class Sensor:
    """Adds the blur and noise of one camera.

    Args:
        rng: Source of randomness.
        width: Image width in pixels.
        height: Image height in pixels.
    """

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        self._size = width, height
        self._blur = float(rng.uniform(0.3, 0.8))
        strength = float(rng.uniform(0.8, 4.0))
        self._noise = []  # what is added and what is taken away: both uint8, which opencv handles fastest
        for _ in range(_PICTURES):
            grey = fractal_noise(rng, height + _SPARE, width + _SPARE, 2, 2) * strength
            colour = rng.standard_normal((height + _SPARE, width + _SPARE, 3), np.float32) * (0.5 * strength)
            noise = np.round(grey[..., None] + colour)
            self._noise.append((np.maximum(noise, 0).astype(np.uint8), np.maximum(-noise, 0).astype(np.uint8)))

    def develop(self, canvas: Image, shift: tuple[float, float], rng: np.random.Generator) -> Image:
        """Return the final image.

        Args:
            canvas: (height + 1, width + 1, 3) uint8 RGB.
            shift: Fractions of a pixel, in [0, 1), to the right and down at which the image begins.
            rng: Source of this frame's noise.
        """
        width, height = self._size
        across, down = shift
        image: Array = canvas[:, :width]
        if across > 0:
            image = cv2.addWeighted(image, 1 - across, canvas[:, 1 : width + 1], across, 0)
        if down > 0:
            image = cv2.addWeighted(image[:height], 1 - down, image[1 : height + 1], down, 0)
        image = cv2.GaussianBlur(image[:height], (3, 3), self._blur)
        row, column = rng.integers(0, _SPARE, 2)
        more, less = self._noise[int(rng.integers(_PICTURES))]
        cut = slice(row, row + height), slice(column, column + width)
        return np.asarray(cv2.subtract(cv2.add(image, more[cut]), less[cut]), np.uint8)
