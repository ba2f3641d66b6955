"""The still part of a scene: a background wider than the image, and the furniture that can hide people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from centertrack.synthetic.backdrop import Plan, paint_backdrop, random_plan
from centertrack.synthetic.furniture import draw_furniture
from centertrack.synthetic.look import Light, Viewpoint
from centertrack.synthetic.painter import Image
from centertrack.synthetic.sprite import (
    Sprite,
    SpritePlacement,
    lay_contact_shadow,
    lay_over,
    lay_shadow,
    rasterise,
)

_WIDTHS = {"car": 4.4, "rear": 1.9, "kiosk": 2.3, "bush": 2.4, "tree": 3.8, "lamp": 1.0, "bin": 0.7, "sign": 0.7}
_CHOICES = {
    "facades": ("car", "car", "car", "lamp", "bush", "kiosk", "tree", "bin", "sign"),
    "avenue": ("rear", "rear", "rear", "lamp", "bush", "kiosk", "tree", "bin", "sign"),
    "park": ("tree", "tree", "bush", "bush", "lamp", "bin", "kiosk"),
}
_WIDEST = 0.34  # of the image's width: nothing fills the view
_DRAWN_AT_MOST = 160.0  # pixels per metre; nearer furniture is enlarged


@dataclass(frozen=True, slots=True, eq=False)
class Prop:
    """A piece of furniture at distance `z`, already part of the background.

    It is laid again over the people behind it: `image` (h, w, 4) uint8 premultiplied RGBA, its top left pixel at
    (`column`, `row`) of the background.
    """

    z: float
    image: Image
    column: int
    row: int


@dataclass(frozen=True, slots=True, eq=False)
class Street:
    """What `build_street` paints.

    Attributes:
        background: (h, w, 3) uint8 RGB panorama in which the image is a window.
        props: Furniture, farthest first.
        plan: Where people can walk.
    """

    background: Image
    props: list[Prop]
    plan: Plan


def build_street(
    rng: np.random.Generator,
    camera: Viewpoint,
    panorama: tuple[int, int],
    image_width: int,
    layout: str,
    light: Light,
    furniture: int,
) -> Street:
    """Paint a street.

    Args:
        rng: Source of randomness.
        camera: Its pixels are those of the panorama.
        panorama: Width and height of the background in pixels.
        image_width: Pixels of the panorama that are seen at a time.
        layout: `facades`, `avenue` or `park`.
        light: Colours of sky and light.
        furniture: How many things stand around.
    """
    plan = random_plan(rng, camera, *panorama, layout)
    background = light.grade(paint_backdrop(rng, camera, plan, *panorama, light))
    nothing = np.zeros(background.shape[:2], np.uint8)
    placements = [_place(rng, camera, plan, panorama[0], image_width, light) for _ in range(furniture)]
    props = []
    for z, placement in sorted(placements, key=lambda item: -item[0]):
        x1, _, x2, _ = placement.box
        lay_contact_shadow(background, placement.x, placement.y, 0.5 * (x2 - x1), 0.5)
        if light.sun > 0:
            lay_shadow(background, placement, light.shadow, 0.5 * light.sun)
        image, column, row = rasterise(placement)
        lay_over(background, nothing, image, column, row, 0)
        props.append(Prop(z, image, column, row))
    return Street(background, props, plan)


def _place(
    rng: np.random.Generator, camera: Viewpoint, plan: Plan, width: int, image_width: int, light: Light
) -> tuple[float, SpritePlacement]:
    """Choose a thing and a place for it: cars beside the kerb, lamps and trees behind it, the rest anywhere."""
    kind = str(rng.choice(_CHOICES[plan.layout]))
    if kind in ("car", "rear") and plan.kerbs is None:
        kind = "bush"
    nearest = max(plan.near * 1.15, camera.focal * _WIDTHS[kind] / (_WIDEST * image_width))
    z = nearest + max(plan.far - nearest, 0.0) * rng.random() ** 1.6
    beside = {"car": 1.0, "rear": 1.1, "lamp": -0.5, "tree": -0.8, "sign": -0.4}.get(kind)
    if plan.layout == "facades" and plan.kerbs is not None and beside is not None:
        z = plan.kerbs[0] + beside if rng.random() < 0.5 else plan.kerbs[1] - beside
        z = max(z, nearest)
    x = (rng.uniform(0, width) - camera.centre) / camera.scale(z)
    if plan.layout == "avenue":
        edge = plan.kerbs[1] if plan.kerbs is not None else 0.7 * plan.half_width
        x = rng.choice([-1, 1]) * (edge - (beside if beside is not None else rng.uniform(-1.5, -0.6)))
    scale = camera.scale(z)
    sprite = draw_furniture(rng, kind, min(scale, _DRAWN_AT_MOST), light.side)
    lit = Sprite(light.grade(sprite.image), sprite.anchor, sprite.scale, sprite.bounds)
    return z, SpritePlacement(lit, *camera.project(x, z), scale)
