"""The background of a scene, painted in neutral light: sky, skyline, ground and house fronts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from centertrack.synthetic.facades import house_front
from centertrack.synthetic.ground import Ground
from centertrack.synthetic.look import Light, Viewpoint
from centertrack.synthetic.painter import Array, fractal_noise

_HOUSES = (4.2, 7.5, 10.5, 14.0)  # heights in metres: one floor to four


@dataclass(frozen=True, slots=True)
class Plan:
    """The ground plan of a scene, in metres.

    Attributes:
        layout: `facades` (houses across the view), `avenue` (houses along both sides) or `park`.
        near: Nearest distance at which people walk.
        far: Farthest distance at which people walk.
        half_width: People stay within this to the sides; infinite on open ground.
        kerbs: Both sides of the road: distances for `facades`, sideways positions for `avenue`; None without a road.
    """

    layout: str
    near: float
    far: float
    half_width: float
    kerbs: tuple[float, float] | None


def random_plan(rng: np.random.Generator, camera: Viewpoint, width: int, height: int, layout: str) -> Plan:
    """Lay out a street for what the camera sees in a panorama of width x height pixels."""
    tallest, smallest = 0.72 * height, 0.065 * height  # of a grown figure in pixels
    near = max(camera.distance(height * 0.98), camera.focal * 1.75 / tallest)
    far, half_width = camera.focal * 1.75 / smallest, float("inf")
    kerbs: tuple[float, float] | None = None
    has_road = rng.random() < 0.7
    if layout == "facades":
        far = 0.96 * min(max(camera.distance(height * rng.uniform(0.4, 0.6)), near * 1.9), far * 1.2)
        low = near + rng.uniform(0.15, 0.4) * (far - near)
        if has_road:
            kerbs = low, low + min(rng.uniform(5, 8), 0.45 * (far - near))
    elif layout == "avenue":
        half_width = max(rng.uniform(5, 11), 0.42 * width / camera.scale(near) * rng.uniform(0.7, 1.3))
        road = rng.uniform(0.35, 0.6) * half_width
        if has_road:
            kerbs = -road, road
    return Plan(layout, near, far, half_width, kerbs)


def paint_backdrop(
    rng: np.random.Generator, camera: Viewpoint, plan: Plan, width: int, height: int, light: Light
) -> Array:
    """Paint everything that lies behind the people and the furniture.

    Returns:
        (height, width, 3) float32 RGB, to be graded by the light.
    """
    picture = _sky(rng, camera, width, height, light)
    _skyline(rng, picture, camera, light)
    _lay_ground(rng, picture, camera, plan)
    is_dark = min(light.gain) < 0.7
    if plan.layout == "facades":
        _fronts_across(rng, picture, camera, plan.far / 0.96, is_dark)
    elif plan.layout == "avenue":
        _fronts_along(rng, picture, camera, plan.half_width + 0.5, is_dark)
    return picture


def _sky(rng: np.random.Generator, camera: Viewpoint, width: int, height: int, light: Light) -> Array:
    share = np.clip(np.arange(height, dtype=np.float32) / max(camera.horizon, 1.0), 0, 1)[:, None, None]
    gain = np.array(light.gain, np.float32)  # is applied to the whole picture later
    top, bottom = np.array(light.sky_top, np.float32) / gain, np.array(light.sky_bottom, np.float32) / gain
    picture: Array = np.ascontiguousarray(np.broadcast_to(top + share * (bottom - top), (height, width, 3)))
    if rng.random() < 0.7:
        clouds = np.clip(fractal_noise(rng, height, width, height * 0.5, 5) * 1.2 - rng.uniform(-0.1, 0.3), 0, 1)
        picture += clouds[..., None].astype(np.float32) * (np.float32(245) - picture) * np.float32(0.7)
    return picture


def _skyline(rng: np.random.Generator, picture: Array, camera: Viewpoint, light: Light) -> None:
    """Far houses with rows of windows, then a belt of trees, pale with haze."""
    height, width = picture.shape[:2]
    horizon = int(np.clip(camera.horizon + 3, 0, height))
    haze = np.array(light.sky_bottom, np.float32) / np.array(light.gain, np.float32)
    left = 0
    while left < width:
        right = left + int(rng.uniform(0.03, 0.14) * height) + 4
        top = max(horizon - int(rng.uniform(0.04, 0.24) * height), 0)
        front = np.full((max(horizon - top, 1), right - left, 3), rng.uniform(90, 160), np.float32)
        front *= rng.uniform(0.9, 1.1, 3).astype(np.float32)
        pitch = max(int(0.012 * height), 3)
        front[pitch // 2 :: pitch, pitch // 2 :: pitch] *= 0.6
        front[pitch // 2 + 1 :: pitch, pitch // 2 :: pitch] *= 0.6
        area = picture[top:horizon, left:right]
        area[:] = 0.55 * haze + 0.45 * front[: area.shape[0], : area.shape[1]]
        left = right + (int(rng.uniform(0, 0.1) * height) if rng.random() < 0.3 else 0)
    crowns = fractal_noise(rng, 1, width, 0.05 * height, 4)[0] * 0.02 * height + rng.uniform(0.0, 0.06) * height
    rows = np.arange(height, dtype=np.float32)[:, None]
    belt = (rows > horizon - crowns) & (rows < horizon)
    leaves = np.array([78, 100, 62], np.float32) * (1 + 0.3 * fractal_noise(rng, height, width, 9, 2)[..., None])
    picture[belt] = (0.35 * haze + 0.65 * leaves)[belt]


def _lay_ground(rng: np.random.Generator, picture: Array, camera: Viewpoint, plan: Plan) -> None:
    ground = Ground(rng, camera, picture.shape[1], picture.shape[0])
    if plan.layout == "park":
        colours = ground.grass() if rng.random() < 0.6 else ground.paving()
        for _ in range(int(rng.integers(1, 4))):
            start = rng.uniform(plan.near, plan.far * 0.8)
            path = ground.gravel() if rng.random() < 0.5 else ground.asphalt()
            colours = ground.band(colours, path, start, start * rng.uniform(1.15, 1.8))
    else:
        colours = ground.paving()
    if plan.kerbs is not None:
        across = plan.layout == "facades"
        low, high = plan.kerbs
        colours = ground.band(colours, np.full_like(colours, 190), low - 0.12, high + 0.12, across)
        colours = ground.band(colours, ground.asphalt(), low, high, across)
        colours = ground.dashes(colours, (low + high) / 2, across)
    picture[ground.top :] = colours


def _fronts_across(rng: np.random.Generator, picture: Array, camera: Viewpoint, wall: float, is_dark: bool) -> None:
    """Houses in a row, seen face on, at distance `wall`."""
    scale = camera.scale(wall)
    base = round(camera.project(0, wall)[1])
    left = -rng.uniform(0, 6) * scale
    while left < picture.shape[1]:
        width, height = rng.uniform(6, 16), rng.choice(_HOUSES) * rng.uniform(0.9, 1.1)
        _paste(picture, house_front(rng, width, height, scale, is_dark), round(left), base)
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


def _fronts_along(rng: np.random.Generator, picture: Array, camera: Viewpoint, side: float, is_dark: bool) -> None:
    """Houses on both sides of a street that runs away from the camera."""
    for sign in (-1, 1):
        houses = []
        start = max(0.85 * camera.focal * side / (picture.shape[1] / 2), 1.0)
        while start < 160:
            end = start + float(rng.uniform(7, 18))
            houses.append((start, end, float(rng.choice(_HOUSES))))
            start = end
        for start, end, tall in reversed(houses):
            scale = min(camera.scale(start), 70.0)
            front = house_front(rng, end - start, tall, scale, is_dark) * np.float32(0.86 if sign > 0 else 1.0)
            left, right = (start, end) if sign < 0 else (end, start)
            _project(picture, front, camera, sign * side, left, right, tall)


def _project(
    picture: Array, front: Array, camera: Viewpoint, x: float, left: float, right: float, height: float
) -> None:
    """Paint a house front that stands at `x` along the view; its left edge is at distance `left`."""
    rows, columns = front.shape[:2]
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float32)
    corners = [(left, height), (right, height), (right, 0.0), (left, 0.0)]
    target = np.array([camera.project(x, z, up) for z, up in corners], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    cv2.warpPerspective(
        cv2.GaussianBlur(front, (0, 0), 0.6), matrix, picture.shape[1::-1], dst=picture,
        borderMode=cv2.BORDER_TRANSPARENT,
    )  # fmt: skip
