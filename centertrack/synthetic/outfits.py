"""What a figure wears and how it is built, drawn at random."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from centertrack.synthetic.painter import Array, Colour, fractal_noise

_SKIN = [(241, 205, 178), (224, 180, 148), (198, 146, 110), (158, 108, 76), (112, 74, 52), (78, 52, 40)]
_HAIR = [(28, 22, 20), (48, 34, 26), (82, 56, 36), (130, 92, 52), (186, 150, 96), (150, 148, 146), (96, 40, 24)]
_LEATHER = [(30, 28, 28), (66, 44, 32), (120, 80, 50), (40, 44, 60), (150, 40, 44), (196, 180, 150)]
_SHOES = [(24, 24, 26), (58, 40, 30), (226, 226, 224), (120, 116, 112), (40, 50, 90), (150, 50, 46)]


@dataclass(frozen=True, slots=True)
class Outfit:
    """The looks of one figure. Colours are RGB in 0..255.

    Attributes:
        height: Metres from sole to crown.
        girth: Width relative to a slim adult.
        top: `shirt`, `tee`, `jacket`, `coat` or `dress`.
        bottom: `trousers`, `shorts` or `skirt`.
        hair: `short`, `long`, `bun`, `bald`, `cap` or `scarf`.
        bag: `none`, `backpack`, `shoulder` or `hand`.
        fabric: (h, w, 3) float32 picture of the cloth of the top.
        folds: (h, w) float32 brightness of the cloth's folds, about 1.
    """

    height: float
    girth: float
    skin: Colour
    hair: str
    hair_colour: Colour
    top: str
    top_colour: Colour
    shirt_colour: Colour
    bottom: str
    bottom_colour: Colour
    shoes_colour: Colour
    bag: str
    bag_colour: Colour
    fabric: Array
    folds: Array


def random_outfit(rng: np.random.Generator) -> Outfit:
    """Draw a figure's looks: mostly muted clothes, some vivid, one in ten a child."""
    child = rng.random() < 0.1
    height = rng.uniform(1.1, 1.45) if child else rng.normal(1.72, 0.085)
    top = str(rng.choice(["shirt", "tee", "jacket", "coat", "dress"], p=[0.27, 0.27, 0.25, 0.12, 0.09]))
    bottom = "skirt" if top == "dress" else str(rng.choice(["trousers", "shorts", "skirt"], p=[0.76, 0.12, 0.12]))
    top_colour = _cloth_colour(rng)
    return Outfit(
        height=float(np.clip(height, 1.05, 1.98)),
        girth=float(np.clip(rng.normal(1.08, 0.12), 0.88, 1.45)),
        skin=_pick(rng, _SKIN),
        hair=str(rng.choice(["short", "long", "bun", "bald", "cap", "scarf"], p=[0.4, 0.25, 0.1, 0.06, 0.12, 0.07])),
        hair_colour=_pick(rng, _HAIR),
        top=top,
        top_colour=top_colour,
        shirt_colour=_cloth_colour(rng),
        bottom=bottom,
        bottom_colour=top_colour if top == "dress" else _trouser_colour(rng),
        shoes_colour=_pick(rng, _SHOES),
        bag=str(rng.choice(["none", "backpack", "shoulder", "hand"], p=[0.5, 0.2, 0.15, 0.15])),
        bag_colour=_pick(rng, _LEATHER) if rng.random() < 0.7 else _cloth_colour(rng),
        fabric=_fabric(rng, top_colour),
        folds=1 + 0.16 * fractal_noise(rng, 48, 32, 14, 2),
    )


def _pick(rng: np.random.Generator, colours: list[tuple[int, int, int]]) -> Colour:
    red, green, blue = np.clip(np.array(colours[rng.integers(len(colours))]) * rng.uniform(0.85, 1.12), 8, 250)
    return float(red), float(green), float(blue)


def _cloth_colour(rng: np.random.Generator) -> Colour:
    kind = rng.random()
    if kind < 0.3:  # black to grey
        saturation, value = rng.uniform(0, 0.08), rng.uniform(0.1, 0.55)
    elif kind < 0.45:  # white to cream
        saturation, value = rng.uniform(0, 0.12), rng.uniform(0.78, 0.96)
    elif kind < 0.78:  # muted
        saturation, value = rng.uniform(0.2, 0.5), rng.uniform(0.25, 0.7)
    else:  # vivid
        saturation, value = rng.uniform(0.6, 0.9), rng.uniform(0.5, 0.9)
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), saturation, value)
    return red * 255, green * 255, blue * 255


def _trouser_colour(rng: np.random.Generator) -> Colour:
    if rng.random() < 0.4:  # denim
        red, green, blue = colorsys.hsv_to_rgb(rng.uniform(0.58, 0.64), rng.uniform(0.25, 0.6), rng.uniform(0.2, 0.6))
        return red * 255, green * 255, blue * 255
    if rng.random() < 0.5:
        dark = rng.uniform(22, 60)
        return dark, dark, dark * 1.06
    return _cloth_colour(rng)


def _fabric(rng: np.random.Generator, base: Colour) -> Array:
    """Paint a piece of cloth: plain, striped, checked, in blocks of colour or printed."""
    height, width = 96, 64
    cloth = np.ones((height, width, 3), np.float32) * np.array(base, np.float32)
    other = np.array(_cloth_colour(rng), np.float32)
    rows, columns = np.mgrid[:height, :width]
    pattern = rng.choice(["plain", "rows", "columns", "checks", "blocks", "print"], p=[0.5, 0.12, 0.08, 0.1, 0.1, 0.1])
    period = int(rng.integers(6, 18))
    if pattern == "rows":
        cloth[rows % period < period // 2] = other
    elif pattern == "columns":
        cloth[columns % period < period // 3] = other
    elif pattern == "checks":
        cloth[rows % period < period // 3] = 0.5 * np.array(base, np.float32) + 0.5 * other
        cloth[columns % period < period // 3] *= 0.7
    elif pattern == "blocks":
        cloth[: int(height * rng.uniform(0.25, 0.6))] = other
    elif pattern == "print":
        inside = ((rows - 34) / rng.uniform(8, 18)) ** 2 + ((columns - 32) / rng.uniform(8, 18)) ** 2 < 1
        cloth[inside] = other
    return cloth * (1 + 0.13 * fractal_noise(rng, height, width, 24, 3))[..., None]
