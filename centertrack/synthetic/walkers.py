"""Where everybody is at every moment: paths over the ground, sampled once a frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from centertrack.synthetic.backdrop import Plan
from centertrack.synthetic.gait import STRIDE
from centertrack.synthetic.look import Viewpoint
from centertrack.synthetic.outfits import Outfit, random_outfit
from centertrack.synthetic.painter import Array

_FULL_SPEED = 1.35  # metres per second at which the legs swing fully


@dataclass(frozen=True, slots=True)
class Walker:
    """One figure and its whole way; arrays have one row a frame.

    Attributes:
        outfit: Build and clothes.
        points: (T, 2) x, z in metres on the ground.
        yaws: (T,) walking direction as the camera sees it, radians.
        phases: (T,) position in the walking cycle, 0 to 1.
        vigours: (T,) 0 stands, 1 walks at full stride.
    """

    outfit: Outfit
    points: Array
    yaws: Array
    phases: Array
    vigours: Array


def random_walkers(
    rng: np.random.Generator,
    count: int,
    times: Array,
    camera: Viewpoint,
    window: Callable[[float], tuple[float, float]],
    plan: Plan,
) -> list[Walker]:
    """Send people on their ways so that each of them passes through the image at some time.

    Args:
        rng: Source of randomness.
        count: Number of people.
        times: (T,) seconds of the frames.
        camera: The camera.
        window: Time -> leftmost and rightmost pixel column in view.
        plan: Where people can walk.
    """
    depths = 1.02 * plan.near, plan.far
    walkers: list[Walker] = []
    way: tuple[Array, float] | None = None
    for _ in range(count):
        outfit = random_outfit(rng)
        if way is not None and rng.random() < 0.22:  # walks beside the one before
            beside = np.array(
                [rng.choice([-1, 1]) * rng.uniform(0.1, 0.5), rng.choice([-1, 1]) * rng.uniform(0.3, 0.6)]
            )
            points, facing = way[0] + beside, way[1] + rng.normal(0, 0.2)
            way = None
        else:
            points, facing = way = _random_way(rng, times, camera, window, depths)
        points = np.stack([np.clip(points[:, 0], -plan.half_width, plan.half_width), np.clip(points[:, 1], *depths)], 1)
        walkers.append(_walk(rng, outfit, times, points, facing))
    return walkers


def _random_way(
    rng: np.random.Generator,
    times: Array,
    camera: Viewpoint,
    window: Callable[[float], tuple[float, float]],
    depths: tuple[float, float],
) -> tuple[Array, float]:
    """A path (T, 2) in metres and the direction faced when standing."""
    upper, lower = (camera.project(0, z)[1] for z in reversed(depths))
    z = camera.distance(rng.uniform(upper, lower))  # evenly over the rows of the image
    meeting = rng.uniform(times[0] - 0.05 * times[-1], times[-1])  # when the path crosses a place in view
    left, right = window(float(np.clip(meeting, times[0], times[-1])))
    x = (rng.uniform(left + 0.04 * (right - left), right - 0.04 * (right - left)) - camera.centre) / camera.scale(z)
    facing = float(rng.uniform(0, 2 * np.pi))
    kind = rng.choice(["across", "depth", "slant", "stand"], p=[0.56, 0.16, 0.16, 0.12])
    if kind == "stand":
        sway = 0.03 * np.sin(times * rng.uniform(0.5, 1.5) + rng.uniform(0, 6))
        return np.stack([x + sway, np.full(len(times), z)], 1), facing
    speed = rng.uniform(0.9, 1.65) if rng.random() < 0.95 else rng.uniform(2.2, 3.0)
    turn = {"across": rng.normal(0, 0.12), "depth": np.pi / 2 + rng.normal(0, 0.25), "slant": rng.uniform(0.3, 1.2)}[
        kind
    ]
    angle = turn * rng.choice([-1, 1]) + (np.pi if rng.random() < 0.5 else 0.0)
    gone = _progress(rng, times, meeting) * speed
    bend = rng.normal(0, 0.05) * gone
    heading = angle + np.clip(bend, -0.7, 0.7)
    steps = np.diff(gone, prepend=gone[0])
    start = np.array([x, z]) + gone[0] * np.array([np.cos(heading[0]), np.sin(heading[0])])
    way = start + np.cumsum(np.stack([np.cos(heading), np.sin(heading)], 1) * steps[:, None], 0)
    return way, facing


def _progress(rng: np.random.Generator, times: Array, meeting: float) -> Array:
    """Seconds walked relative to the meeting moment; some people stop for a while on the way."""
    if rng.random() > 0.18:
        return times - meeting
    start, pause = rng.uniform(times[0], times[-1]), rng.uniform(1.0, 3.0)
    fine = np.clip((times - start) / pause, 0, 1)
    return times - meeting - pause * fine


def _walk(rng: np.random.Generator, outfit: Outfit, times: Array, points: Array, facing: float) -> Walker:
    """Add direction and gait to a path."""
    reach = max(round(0.15 / max(times[1] - times[0], 1e-3)), 1) if len(times) > 1 else 1
    index = np.arange(len(times))
    late, early = np.minimum(index + reach, len(times) - 1), np.maximum(index - reach, 0)
    velocity = (points[late] - points[early]) / np.maximum(times[late] - times[early], 1e-6)[:, None]
    speed = np.hypot(velocity[:, 0], velocity[:, 1])
    moving = speed > 0.25
    last = np.maximum.accumulate(np.where(moving, index, -1))
    last = np.where(last < 0, np.argmax(moving), last)
    sight = np.arctan2(points[:, 0], points[:, 1])  # direction from the camera to the figure
    right = velocity[:, 0] * np.cos(sight) - velocity[:, 1] * np.sin(sight)
    toward = -velocity[:, 0] * np.sin(sight) - velocity[:, 1] * np.cos(sight)
    yaws = np.arctan2(toward, right)[last] if moving.any() else np.full(len(times), facing)
    vigours = np.where(moving, np.clip(speed / _FULL_SPEED, 0.45, 1.15), 0.0)
    steps = np.hypot(*np.diff(points, axis=0, prepend=points[:1]).T)
    cycles = np.cumsum(steps / (STRIDE * outfit.height * np.maximum(vigours, 0.45)))
    return Walker(outfit, points, yaws, (cycles + rng.random()) % 1, vigours)
