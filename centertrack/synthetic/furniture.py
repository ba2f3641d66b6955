"""What stands in a street and hides people: cars, lamps, trees, bushes, kiosks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from centertrack.synthetic.painter import Colour, Painter, fractal_noise
from centertrack.synthetic.sprite import Sprite, trimmed

_CAR_PAINT = [(34, 36, 40), (180, 184, 188), (226, 226, 222), (136, 28, 32), (34, 58, 110), (92, 98, 104), (46, 82, 62)]


def draw_furniture(rng: np.random.Generator, kind: str, scale: float, light: float) -> Sprite:
    """Paint one piece of street furniture.

    Args:
        rng: Source of randomness for its shape and colours.
        kind: `car` (from the side), `rear` (a car from behind), `lamp`, `bush`, `kiosk`, `tree`, `bin` or `sign`.
        scale: Pixels per metre.
        light: Where the light comes from, -1 (left) to 1 (right).
    """
    return _DRAWERS[kind](rng, scale, light)


def _canvas(width: float, height: float, scale: float, light: float) -> tuple[Painter, float, float]:
    painter = Painter(round(width * scale) + 4, round(height * scale) + 4, light)
    return painter, painter.width / 2, painter.height - 2.0


def _car(rng: np.random.Generator, scale: float, light: float) -> Sprite:
    length, height = rng.uniform(3.9, 4.8), rng.uniform(1.42, 1.85)
    painter, centre, ground = _canvas(length + 0.2, height + 0.1, scale, light)
    paint: Colour = _CAR_PAINT[rng.integers(len(_CAR_PAINT))]
    flip = 1 if rng.random() < 0.5 else -1

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """From fractions of length (-0.5 rear .. 0.5 front) and height above ground."""
        return [(centre + flip * x * length * scale, ground - y * height * scale) for x, y in points]

    painter.rectangle(centre - 0.44 * length * scale, ground - 0.2 * scale, centre + 0.44 * length * scale,
                      ground - 0.05 * scale, (14, 14, 16))  # fmt: skip
    roof = float(rng.uniform(-0.34, -0.26))
    cabin = [(-0.43, 0.6), (roof, 0.96), (-0.2, 1.0), (0.02, 1.0), (0.1, 0.96), (0.27, 0.62)]
    painter.polygon(at(cabin), paint, roundness=0.25 * scale)
    body = [(-0.49, 0.3), (-0.49, 0.58), (-0.44, 0.64), (0.26, 0.64), (0.45, 0.55), (0.495, 0.45), (0.495, 0.2),
            (0.42, 0.14), (-0.46, 0.14)]  # fmt: skip
    painter.polygon(at(body), paint, roundness=0.35 * scale, glow=0.12)
    painter.polygon(at([(-0.38, 0.63), (roof + 0.03, 0.91), (-0.12, 0.94), (-0.12, 0.63)]), (38, 46, 54), 0.1 * scale)
    painter.polygon(
        at([(-0.1, 0.63), (-0.1, 0.94), (0.03, 0.94), (0.09, 0.9), (0.22, 0.63)]), (46, 56, 64), 0.1 * scale
    )
    painter.polygon(at([(0.44, 0.5), (0.485, 0.44), (0.46, 0.4), (0.42, 0.46)]), (238, 236, 220))
    painter.polygon(at([(-0.49, 0.56), (-0.46, 0.58), (-0.45, 0.48), (-0.49, 0.46)]), (170, 24, 22))
    for door in (-0.1, 0.2):
        painter.polygon(at([(door, 0.62), (door + 0.006, 0.62), (door + 0.006, 0.2), (door, 0.2)]), (20, 20, 22))
    for wheel in (-0.3, 0.31):
        x, y = at([(wheel, 0)])[0]
        painter.ellipse((x, y - 0.31 * scale), (0.36 * scale, 0.36 * scale), (16, 16, 18), roundness=0)
        painter.ellipse((x, y - 0.3 * scale), (0.3 * scale, 0.3 * scale), (30, 30, 32))
        painter.ellipse((x, y - 0.3 * scale), (0.18 * scale, 0.18 * scale), (150, 152, 156))
    return trimmed(painter.finish(), (centre, ground), scale)


def _car_from_behind(rng: np.random.Generator, scale: float, light: float) -> Sprite:
    """A parked car seen along the street: from behind or from the front."""
    width, height = rng.uniform(1.7, 1.95), rng.uniform(1.42, 1.8)
    painter, centre, ground = _canvas(width + 0.3, height + 0.1, scale, light)
    paint: Colour = _CAR_PAINT[rng.integers(len(_CAR_PAINT))]
    lamp: Colour = (176, 26, 24) if rng.random() < 0.5 else (236, 234, 222)

    def at(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """From fractions of width (-0.5 .. 0.5) and height above ground."""
        return [(centre + x * width * scale, ground - y * height * scale) for x, y in points]

    painter.polygon(at([(-0.4, 0.2), (0.4, 0.2), (0.4, 0.04), (-0.4, 0.04)]), (14, 14, 16))
    for side in (-1, 1):
        x, y = at([(side * 0.4, 0)])[0]
        painter.rectangle(x - 0.11 * scale, y - 0.34 * scale, x + 0.11 * scale, y, (20, 20, 22), 0.08 * scale)
    painter.polygon(at([(-0.43, 0.58), (-0.34, 0.96), (-0.26, 1), (0.26, 1), (0.34, 0.96), (0.43, 0.58)]), paint,
                    0.2 * scale)  # fmt: skip
    painter.polygon(at([(-0.37, 0.62), (-0.3, 0.92), (0.3, 0.92), (0.37, 0.62)]), (44, 54, 62), 0.1 * scale, glow=0.25)
    painter.polygon(at([(-0.49, 0.2), (-0.5, 0.5), (-0.46, 0.62), (0.46, 0.62), (0.5, 0.5), (0.49, 0.2), (0.45, 0.13),
                        (-0.45, 0.13)]), paint, 0.3 * scale, glow=0.15)  # fmt: skip
    for side in (-1, 1):
        painter.polygon(at([(side * 0.47, 0.56), (side * 0.33, 0.54), (side * 0.33, 0.45), (side * 0.48, 0.44)]), lamp)
    painter.polygon(at([(-0.14, 0.36), (0.14, 0.36), (0.14, 0.28), (-0.14, 0.28)]), (224, 222, 206))
    return trimmed(painter.finish(), (centre, ground), scale)


def _lamp(rng: np.random.Generator, scale: float, light: float) -> Sprite:
    height, radius = rng.uniform(4, 7), rng.uniform(0.07, 0.12)
    painter, centre, ground = _canvas(2.6, height + 0.3, scale, light)
    grey = float(rng.uniform(40, 120))
    colour = (grey, grey * 1.03, grey)
    side = 1 if rng.random() < 0.5 else -1
    top = ground - height * scale
    painter.capsule((centre, top), (centre + side * 0.9 * scale, top - 0.1 * scale), 0.04 * scale, 0.04 * scale, colour)
    painter.ellipse((centre + side * 0.95 * scale, top - 0.05 * scale), (0.28 * scale, 0.1 * scale), (222, 220, 208))
    painter.capsule((centre, top), (centre, ground - 0.1 * scale), radius * 0.7 * scale, radius * scale, colour)
    painter.capsule(
        (centre, ground - 0.7 * scale),
        (centre, ground - 0.12 * scale),
        radius * 1.5 * scale,
        radius * 1.7 * scale,
        colour,
    )
    return trimmed(painter.finish(), (centre, ground), scale)


def _leaves(
    rng: np.random.Generator, painter: Painter, centre: tuple[float, float], radii: tuple[float, float], count: int
) -> None:
    """A crown of overlapping tufts, the lit ones on top."""
    green = np.array([rng.uniform(40, 90), rng.uniform(78, 112), rng.uniform(28, 56)])
    tuft = 1 + 0.45 * fractal_noise(rng, 32, 32, 7, 3)
    for index in range(count):
        rank = index / count  # 0 lies deep in the shade, 1 outside in the light
        angle, reach = rng.uniform(0, 2 * np.pi), np.sqrt(rng.random()) * 0.85
        x = centre[0] + radii[0] * reach * np.cos(angle)
        y = centre[1] + radii[1] * reach * np.sin(angle) * (1 - 0.4 * rank) - 0.16 * radii[1] * rank
        size = rng.uniform(0.1, 0.3) * min(radii) * (1.3 - 0.6 * rank)
        red, green_, blue = green * (0.5 + 0.6 * rank) * rng.uniform(0.8, 1.2)
        corners = [(x + size * 1.15 * r * np.cos(a), y + size * r * np.sin(a))
                   for a, r in zip(np.arange(9) * 0.698, rng.uniform(0.7, 1.15, 9), strict=True)]  # fmt: skip
        painter.polygon(corners, (red, green_, blue), roundness=0.6 * size, texture=np.roll(tuft, 5 * index, 1))


def _bush(rng: np.random.Generator, scale: float, light: float) -> Sprite:
    width, height = rng.uniform(1.2, 3.4), rng.uniform(0.8, 1.6)
    painter, centre, ground = _canvas(width + 0.4, height + 0.4, scale, light)
    middle = (centre, ground - 0.48 * height * scale)
    _leaves(rng, painter, middle, (width / 2 * scale, height / 2 * scale), 130)
    return trimmed(painter.finish(), (centre, ground), scale)


def _tree(rng: np.random.Generator, scale: float, light: float) -> Sprite:
    height, width = rng.uniform(5, 8), rng.uniform(3, 4.6)
    painter, centre, ground = _canvas(width + 0.4, height + 0.3, scale, light)
    bark = (84 * rng.uniform(0.7, 1.2), 70.0, 56.0)
    painter.capsule((centre, ground - 0.6 * height * scale), (centre, ground), 0.1 * scale, 0.19 * scale, bark,
                    texture=1 + 0.3 * fractal_noise(rng, 64, 12, 5, 2))  # fmt: skip
    crown = (centre, ground - 0.68 * height * scale)
    _leaves(rng, painter, crown, (width / 2 * scale, 0.33 * height * scale), 240)
    return trimmed(painter.finish(), (centre, ground), scale)


def _kiosk(rng: np.random.Generator, scale: float, light: float) -> Sprite:
    width, height = rng.uniform(1.6, 2.8), rng.uniform(2.4, 2.9)
    painter, centre, ground = _canvas(width + 0.8, height + 0.2, scale, light)
    paint = tuple(rng.uniform(30, 190, 3).tolist())
    colour: Colour = (paint[0], paint[1], paint[2])
    left, right, top = centre - width / 2 * scale, centre + width / 2 * scale, ground - height * scale
    painter.polygon([(left, top), (right, top), (right, ground), (left, ground)], colour, 0.1 * scale, glow=0.1)
    painter.rectangle(left + 0.12 * scale, top + 0.6 * scale, right - 0.12 * scale, top + 1.5 * scale, (36, 42, 48))
    for _ in range(9):
        x, y = rng.uniform(left + 0.15 * scale, right - 0.45 * scale), top + rng.uniform(0.65, 1.2) * scale
        red, green, blue = rng.uniform(60, 235, 3)
        painter.rectangle(x, y, x + 0.25 * scale, y + 0.28 * scale, (red, green, blue))
    painter.rectangle(left, top + 1.5 * scale, right, top + 1.6 * scale, (200, 196, 184))
    for stripe in range(int(width / 0.2)):
        shade = (226.0, 222.0, 214.0) if stripe % 2 else colour
        x = left + stripe * 0.2 * scale
        painter.polygon([(x, top + 0.1 * scale), (x + 0.21 * scale, top + 0.1 * scale),
                         (x + 0.21 * scale, top + 0.55 * scale), (x, top + 0.55 * scale)], shade, glow=0.2)  # fmt: skip
    painter.rectangle(left - 0.15 * scale, top, right + 0.15 * scale, top + 0.14 * scale, (90, 90, 92))
    return trimmed(painter.finish(), (centre, ground), scale)


def _bin(rng: np.random.Generator, scale: float, light: float) -> Sprite:
    painter, centre, ground = _canvas(0.8, 1.2, scale, light)
    colour: Colour = (40.0, float(rng.uniform(50, 110)), float(rng.uniform(40, 80)))
    top, low = 0.28 * scale, 0.24 * scale
    corners = [(centre - top, ground - scale), (centre + top, ground - scale), (centre + low, ground),
               (centre - low, ground)]  # fmt: skip
    painter.polygon(corners, colour, top)
    painter.ellipse((centre, ground - scale), (0.31 * scale, 0.09 * scale), (30, 32, 32))
    return trimmed(painter.finish(), (centre, ground), scale)


def _sign(rng: np.random.Generator, scale: float, light: float) -> Sprite:
    painter, centre, ground = _canvas(1.0, 2.7, scale, light)
    painter.capsule((centre, ground - 2.4 * scale), (centre, ground), 0.035 * scale, 0.035 * scale, (130, 132, 134))
    red: Colour = (190, 30, 34) if rng.random() < 0.5 else (30, 70, 160)
    painter.ellipse((centre, ground - 2.2 * scale), (0.32 * scale, 0.32 * scale), red, roundness=0)
    painter.ellipse((centre, ground - 2.2 * scale), (0.24 * scale, 0.24 * scale), (232, 232, 228), roundness=0)
    return trimmed(painter.finish(), (centre, ground), scale)


_DRAWERS: dict[str, Callable[[np.random.Generator, float, float], Sprite]] = {
    "car": _car,
    "rear": _car_from_behind,
    "lamp": _lamp,
    "bush": _bush,
    "kiosk": _kiosk,
    "tree": _tree,
    "bin": _bin,
    "sign": _sign,
}
