"""The camera and the light of a scene: everything that gives a clip its look, drawn from one seed."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from centertrack.synthetic.painter import Array, Colour, Image, Point

TIMES_OF_DAY = ("noon", "overcast", "evening", "dusk")
LAYOUTS = ("facades", "avenue", "park")


@dataclass(frozen=True, slots=True)
class Viewpoint:
    """A level pinhole camera whose horizon may lie anywhere (a shift lens), looking over flat ground.

    Ground points are (x, z) in metres: to the right of and away from the camera.

    Attributes:
        focal: Focal length in pixels.
        height: Metres above the ground.
        centre: x in pixels of what lies straight ahead.
        horizon: y in pixels of the horizon.
    """

    focal: float
    height: float
    centre: float
    horizon: float

    def project(self, x: float, z: float, up: float = 0.0) -> Point:
        """Pixel of a point `up` metres above the ground point (x, z)."""
        scale = self.focal / z
        return self.centre + scale * x, self.horizon + scale * (self.height - up)

    def scale(self, z: float) -> float:
        """Pixels per metre at distance z."""
        return self.focal / z

    def distance(self, row: float) -> float:
        """Distance z of the ground that is seen at a pixel row below the horizon."""
        return self.focal * self.height / max(row - self.horizon, 1e-3)


@dataclass(frozen=True, slots=True)
class Light:
    """Colour and direction of the light.

    Attributes:
        sky_top: RGB overhead.
        sky_bottom: RGB at the horizon.
        gain: Factor on the RGB of everything that is lit.
        contrast: 1 leaves contrast as it is.
        saturation: 0 is grey, 1 leaves colours as they are.
        lift: Haze, added to every channel.
        side: -1 light from the left, 1 from the right.
        sun: Strength of cast shadows, 0 to 1.
        shadow: Where the shadow of a point falls, per pixel of its height: x to the right, y down in the image.
    """

    sky_top: Colour
    sky_bottom: Colour
    gain: Colour
    contrast: float
    saturation: float
    lift: float
    side: float
    sun: float
    shadow: Point

    def grade(self, image: Array) -> Image:
        """Light a picture (..., 3) RGB or (..., 4) premultiplied RGBA that was painted in neutral white light."""
        # alpha is the homogeneous coordinate of premultiplied colours, so grading is one matrix
        gain = np.diag(self.gain) * self.contrast
        matrix = np.zeros((4, 4), np.float32)
        matrix[:3, :3] = gain @ (self.saturation * np.eye(3) + (1 - self.saturation) / 3)
        matrix[:3, 3] = (115 * (1 - self.contrast) * np.array(self.gain) + self.lift) / 255
        matrix[3, 3] = 1
        if image.shape[-1] == 4:
            graded = cv2.transform(np.asarray(image, np.uint8), matrix)
            return np.minimum(graded, graded[..., 3:])
        matrix[:, 3] *= 255
        colours = cv2.transform(np.asarray(image, np.float32), matrix[:3])
        return np.asarray(np.clip(colours, 0, 255), np.uint8)


def random_light(rng: np.random.Generator, time_of_day: str) -> Light:
    """Draw the light of a time of day."""
    side = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 1.0))
    sky_top, sky_bottom, gain, sun = {
        "noon": ((92, 148, 214), (196, 220, 238), (1.06, 1.04, 1.0), rng.uniform(0.5, 0.9)),
        "overcast": ((176, 184, 192), (216, 219, 222), (0.95, 0.97, 1.0), 0.0),
        "evening": ((120, 150, 200), (246, 206, 160), (1.1, 0.98, 0.82), rng.uniform(0.4, 0.8)),
        "dusk": ((48, 62, 104), (170, 130, 128), (0.58, 0.58, 0.68), 0.0),
    }[time_of_day]
    exposure = rng.uniform(0.85, 1.12)
    return Light(
        sky_top=sky_top,
        sky_bottom=sky_bottom,
        gain=(gain[0] * exposure, gain[1] * exposure, gain[2] * exposure),
        contrast=float(rng.uniform(0.75, 1.05)),
        saturation=0.0 if rng.random() < 0.07 else float(rng.uniform(0.55, 1.0)),
        lift=float(rng.uniform(0, 16)),
        side=side,
        sun=float(sun),
        shadow=(-side * float(rng.uniform(0.3, 1.0)), float(rng.choice([-1.0, 1.0]) * rng.uniform(0.06, 0.16))),
    )
