"""The still part of a scene: a background wider than the image, and the furniture standing before it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from centertrack.data.synthetic.facades import house_front
from centertrack.data.synthetic.figures import Sprite
from centertrack.data.synthetic.furniture import draw_furniture
from centertrack.data.synthetic.ground import Ground
from centertrack.data.synthetic.look import Camera, Light
from centertrack.data.synthetic.painter import Array, Image, fractal_noise


@dataclass(frozen=True, slots=True)
class Prop:
    """A piece of furniture at the ground point (x, z), lit and ready to be drawn."""

    x: float
    z: float
    sprite: Sprite


@dataclass(frozen=True, slots=True)
class Street:
    """What `build_street` paints.

    Attributes:
        background: (h, w, 3) uint8 RGB panorama in which the image is a window.
        props: Furniture, farthest first.
        near: Nearest distance at which people walk, in metres.
        far: Farthest distance at which people walk, in metres.
        half_width: People stay within this many metres to the sides (infinite on an open ground).
    """

    background: Image
    props: list[Prop]
    near: float
    far: float
    half_width: float


def build_street(
    rng: np.random.Generator, camera: Camera, width: int, height: int, layout: str, light: Light, furniture: int
) -> Street:
    """Paint a street.

    Args:
        rng: Source of randomness.
        camera: Pixels here are those of the panorama.
        width: Width of the panorama in pixels.
        height: Height of the panorama in pixels.
        layout: `facades` (houses across the view), `avenue` (houses along both sides) or `park`.
        light: Colours of sky and light.
        furniture: How many things stand around.
    """
    near = max(camera.distance(height * 0.98), camera.focal * 1.75 / (0.72 * height))
    smallest = camera.focal * 1.75 / (0.065 * height)
    picture = _sky(rng, camera, width, height, light)
    _skyline(rng, picture, camera, light)
    lit = min(light.gain) < 0.7
    if layout == "facades":
        wall = min(max(camera.distance(height * rng.uniform(0.4, 0.6)), near * 1.9), smallest * 1.2)
        _fronts_across(rng, picture, camera, wall, lit)
        far, half_width = 0.96 * wall, np.inf
    elif layout == "avenue":
        half_width = max(rng.uniform(5, 11), 0.42 * width / camera.scale(near) * rng.uniform(0.7, 1.3))
        _fronts_along(rng, picture, camera, half_width + 0.5, lit)
        far = smallest
    else:
        far, half_width = smallest, np.inf
    kerbs = _lay_ground(rng, picture, camera, layout, near, far, half_width)
    background = light.grade(picture)
    props = _furnish(rng, camera, width, light, furniture, layout, near, far, half_width, kerbs)
    for prop in props:
        _shade_below(background, camera, prop)
    return Street(background, props, near, far, half_width)


def _sky(rng: np.random.Generator, camera: Camera, width: int, height: int, light: Light) -> Array:
    share = np.clip(np.arange(height, dtype=np.float32) / max(camera.horizon, 1), 0, 1)[:, None, None]
    gain = np.float32(light.gain)  # the light's gain is applied to the whole picture later
    top, bottom = np.float32(light.sky_top) / gain, np.float32(light.sky_bottom) / gain
    picture = np.broadcast_to(top + share * (bottom - top), (height, width, 3)).copy()
    if rng.random() < 0.7:
        clouds = np.clip(fractal_noise(rng, height, width, height * 0.5, 5) * 1.2 - rng.uniform(-0.1, 0.3), 0, 1)
        picture += clouds[..., None] * (np.float32(245) - picture) * 0.7
    return picture


def _skyline(rng: np.random.Generator, picture: Array, camera: Camera, light: Light) -> None:
    """Far houses and trees, pale with haze."""
    horizon = int(np.clip(camera.horizon + 2, 0, picture.shape[0]))
    haze = np.float32(light.sky_bottom) / np.float32(light.gain)
    for depth in (0.75, 0.5):
        left = 0
        while left < picture.shape[1]:
            right = left + int(rng.uniform(0.02, 0.12) * picture.shape[0]) + 4
            top = max(horizon - int(rng.uniform(0.03, 0.22) * picture.shape[0] * (1.4 - depth)), 0)
            colour = np.array(rng.uniform(70, 150, 3)) * (0.7, 1.0, 0.6) if rng.random() < 0.4 else rng.uniform(90, 150)
            picture[top:horizon, left:right] = depth * haze + (1 - depth) * np.asarray(colour, np.float32)
            left = right


def _fronts_across(rng: np.random.Generator, picture: Array, camera: Camera, wall: float, lit: bool) -> None:
    """Houses in a row, seen face on, at distance `wall`."""
    scale = camera.scale(wall)
    base = round(camera.project(0, wall)[1])
    left = -rng.uniform(0, 6) * scale
    while left < picture.shape[1]:
        width, height = rng.uniform(6, 16), rng.choice([4.2, 7.5, 10.5, 14.0], p=[0.2, 0.25, 0.3, 0.25])
        front = house_front(rng, width, height * rng.uniform(0.9, 1.1), scale, lit)
        _paste(picture, front, round(left), base)
        left += width * scale
        if rng.random() < 0.15:
            left += rng.uniform(1.5, 5) * scale


def _paste(picture: Array, front: Array, left: int, base: int) -> None:
    """Put a picture down with its bottom left corner at (left, base), cut at the borders."""
    top, start = base - front.shape[0], max(-left, 0)
    end = min(front.shape[1], picture.shape[1] - left)
    skip, stop = max(-top, 0), min(front.shape[0], picture.shape[0] - top)
    if end > start and stop > skip:
        picture[top + skip : top + stop, left + start : left + end] = front[skip:stop, start:end]


def _fronts_along(rng: np.random.Generator, picture: Array, camera: Camera, side: float, lit: bool) -> None:
    """Houses on both sides of a street that runs away from the camera."""
    height, width = picture.shape[:2]
    for sign in (-1, 1):
        houses = []
        start = max(0.85 * camera.focal * side / (width / 2), 1.0)
        while start < 160:
            end = start + rng.uniform(7, 18)
            houses.append((start, end, float(rng.choice([4.5, 7.5, 10.5, 14.0]))))
            start = end
        for start, end, tall in reversed(houses):
            scale = min(camera.scale(start), 70)
            front = house_front(rng, end - start, tall, scale, lit) * np.float32(0.86 if sign > 0 else 1.0)
            near, far = (sign * side, start), (sign * side, end)
            target = [
                camera.project(*near, tall),
                camera.project(*far, tall),
                camera.project(*far),
                camera.project(*near),
            ]
            rows, columns = front.shape[:2]
            source = np.float32([(0, 0), (columns, 0), (columns, rows), (0, rows)])
            matrix = cv2.getPerspectiveTransform(source, np.float32(target))
            blurred = cv2.GaussianBlur(front, (0, 0), 0.6)
            cv2.warpPerspective(blurred, matrix, (width, height), dst=picture, flags=cv2.INTER_LINEAR,
                                borderMode=cv2.BORDER_TRANSPARENT)  # fmt: skip


def _lay_ground(
    rng: np.random.Generator, picture: Array, camera: Camera, layout: str, near: float, far: float, half_width: float
) -> list[float]:
    """Paint the ground; returns the distances (in an avenue: the sideways positions) of its kerbs."""
    ground = Ground(rng, camera, picture.shape[1], picture.shape[0])
    kerbs: list[float] = []
    if layout == "park":
        colours = ground.grass() if rng.random() < 0.6 else ground.paving()
        for _ in range(int(rng.integers(1, 4))):
            start = rng.uniform(near, far * 0.8)
            path = ground.gravel() if rng.random() < 0.5 else ground.asphalt()
            colours = ground.band(colours, path, start, start * rng.uniform(1.15, 1.8))
    elif rng.random() < 0.3:
        colours = ground.paving()
    else:
        across = layout == "facades"
        colours = ground.paving()
        if across:
            low = near + rng.uniform(0.15, 0.4) * (far - near)
            kerbs = [low, low + min(rng.uniform(5, 8), 0.45 * (far - near))]
        else:
            road = rng.uniform(0.35, 0.6) * half_width
            kerbs = [-road, road]
        colours = ground.band(colours, colours * 0 + 190, kerbs[0] - 0.12, kerbs[1] + 0.12, across)
        colours = ground.band(colours, ground.asphalt(), *kerbs, across)
        colours = ground.dashes(colours, (kerbs[0] + kerbs[1]) / 2, across)
    visible = ground.z[:, 0] < (far / 0.96 if layout == "facades" else np.inf)
    inside = np.broadcast_to(visible[:, None], ground.x.shape)
    if layout == "avenue":
        inside = inside & (np.abs(ground.x) < half_width + 0.5)
    area = picture[ground.top :]
    area[inside] = colours[inside]
    return kerbs


def _furnish(
    rng: np.random.Generator, camera: Camera, width: int, light: Light, count: int, layout: str,
    near: float, far: float, half_width: float, kerbs: list[float],
) -> list[Prop]:  # fmt: skip
    """Put furniture around: cars and lamps along kerbs, bushes and kiosks anywhere."""
    kinds = {"park": ["tree", "bush", "bush", "lamp", "bin", "kiosk"]}.get(
        layout, ["car", "car", "lamp", "bush", "kiosk", "tree", "bin", "sign"]
    )
    props = []
    for _ in range(count):
        kind = str(rng.choice(kinds))
        z = near * 1.02 + (far - near) * rng.random() ** 1.6
        x = (rng.uniform(0, width) - camera.centre) / camera.scale(z)
        if kerbs and layout == "facades" and kind in ("car", "lamp", "tree", "sign"):
            z = kerbs[0] + 0.9 if rng.random() < 0.5 else kerbs[1] - 0.9
            z += 0.0 if kind == "car" else rng.choice([-1.4, 1.4])
            x = (rng.uniform(0, width) - camera.centre) / camera.scale(max(z, near))
        elif layout == "avenue":
            edge = kerbs[1] if kerbs else half_width * 0.7
            x = rng.choice([-1, 1]) * (edge + rng.uniform(-1.2, 1.2))
        sprite = draw_furniture(rng, kind, camera.scale(max(z, near)), light.side)
        graded = Sprite(light.grade(sprite.image), sprite.anchor, sprite.scale, sprite.bounds)
        props.append(Prop(float(x), float(max(z, near)), graded))
    return sorted(props, key=lambda prop: -prop.z)


def _shade_below(background: Image, camera: Camera, prop: Prop) -> None:
    """A soft dark patch where a piece of furniture stands."""
    x, y = camera.project(prop.x, prop.z)
    half = 0.55 * (prop.sprite.bounds[2] - prop.sprite.bounds[0])
    if prop.sprite.image.shape[0] > 2.4 * prop.sprite.image.shape[1]:
        half *= 0.5
    radii = (max(round(half), 2), max(round(half * 0.16), 2))
    left, top = max(round(x) - 2 * radii[0], 0), max(round(y) - 3 * radii[1], 0)
    area = background[top : round(y) + 3 * radii[1], left : max(round(x) + 2 * radii[0], 0)]
    if area.size == 0:
        return
    mask = np.zeros(area.shape[:2], np.float32)
    cv2.ellipse(mask, (round(x) - left, round(y) - top), radii, 0, 0, 360, 0.55, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(radii[1] * 0.6, 1))
    area[:] = (area * (1 - mask[..., None])).astype(np.uint8)
