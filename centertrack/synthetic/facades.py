"""House fronts: windows above, shops below."""

from __future__ import annotations

import cv2
import numpy as np

from centertrack.synthetic.painter import Array, Colour, fractal_noise

_WALLS = [
    (196, 178, 150), (164, 92, 70), (208, 202, 190), (148, 138, 126), (186, 156, 120), (126, 74, 60),
    (170, 176, 178), (214, 190, 142), (120, 128, 136), (188, 136, 110), (222, 214, 204),
]  # fmt: skip
_SIGNS = ("CAFE", "BOOKS", "MARKET", "OPTICS", "BAKERY", "SHOES", "HOTEL", "PHARMA", "FLOWERS", "BANK", "MODA", "TEA")
_FLOOR = 3.2  # metres


def house_front(rng: np.random.Generator, width: float, height: float, scale: float, lit: bool) -> Array:
    """Paint the front of one house.

    Args:
        rng: Source of randomness.
        width: Metres.
        height: Metres.
        scale: Pixels per metre.
        lit: Whether lamps are on behind the windows.

    Returns:
        (height * scale, width * scale, 3) float32 RGB, top row first.
    """
    rows, columns = max(round(height * scale), 8), max(round(width * scale), 8)
    wall = np.array(_WALLS[rng.integers(len(_WALLS))], np.float32) * np.float32(rng.uniform(0.75, 1.1))
    front = np.ones((rows, columns, 3), np.float32) * wall
    front *= 1 + 0.06 * fractal_noise(rng, rows, columns, 2.5 * scale, 4)[..., None]
    if rng.random() < 0.4:
        _bricks(rng, front, scale)
    shop = 3.6 if rng.random() < 0.75 else 0.0
    trim = np.clip(wall * rng.uniform(0.6, 1.35), 0, 245)
    _windows(rng, front, scale, shop, lit, trim)
    if shop:
        _shop(rng, front, scale, shop, lit)
    _bar(front, 0, 0.35 * scale, trim)  # cornice
    front *= np.linspace(1.06, 0.9, rows, dtype=np.float32)[:, None, None]
    return np.clip(front, 0, 255).astype(np.float32)


def _bar(front: Array, top: float, thickness: float, colour: Array) -> None:
    """A ledge across the whole front, with its shadow below."""
    start, end = round(top), round(top + max(thickness, 1))
    front[start:end] = colour
    front[end : end + max(round(thickness * 0.6), 1)] *= 0.72


def _bricks(rng: np.random.Generator, front: Array, scale: float) -> None:
    course = max(0.16 * scale, 3.0)
    rows, columns = np.mgrid[: front.shape[0], : front.shape[1]].astype(np.float32)
    level = np.floor(rows / course)
    joint = (rows % course < 0.18 * course) | ((columns + (level % 2) * 1.3 * course) % (2.6 * course) < 0.18 * course)
    front[joint] *= rng.uniform(0.86, 1.12)


def _glass(rng: np.random.Generator, rows: int, columns: int, lit: bool) -> Array:
    """A pane that mirrors the sky, with something vague behind it."""
    tone = np.array([70, 84, 98], np.float32) * rng.uniform(0.55, 1.5)
    if lit and rng.random() < 0.6:
        tone = np.array([250, 214, 140], np.float32) * rng.uniform(0.8, 1.3)
    pane = np.linspace(1.25, 0.75, rows, dtype=np.float32)[:, None, None] * tone
    pane = pane * (1 + 0.22 * fractal_noise(rng, rows, columns, max(columns * 0.6, 2), 2)[..., None])
    slope = (np.arange(columns)[None] + np.arange(rows)[:, None] * 0.7) / max(columns, 1)
    pane[(slope > 0.5) & (slope < 0.75)] *= 1.15
    return pane


def _windows(rng: np.random.Generator, front: Array, scale: float, shop: float, lit: bool, trim: Array) -> None:
    rows, columns = front.shape[:2]
    pitch, width, height = rng.uniform(1.8, 3.4), rng.uniform(0.9, 1.5), rng.uniform(1.3, 2.1)
    count = max(int(columns / (pitch * scale)), 1)
    margin = (columns - count * pitch * scale) / 2
    frame = max(round(0.08 * scale), 1)
    floor_top = rows - shop * scale - _FLOOR * scale
    while floor_top > 0.3 * scale:
        top, bottom = round(floor_top + 0.6 * scale), round(floor_top + (0.6 + height) * scale)
        for index in range(count):
            left = round(margin + (index * pitch + (pitch - width) / 2) * scale)
            right = left + round(width * scale)
            if right - left < 3 or bottom - top < 3 or left < 0 or right > columns:
                continue
            front[top - frame : bottom + frame, left - frame : right + frame] = trim
            front[top:bottom, left:right] = _glass(rng, bottom - top, right - left, lit)
            middle = (left + right) // 2
            front[top:bottom, middle : middle + max(frame // 2, 1)] = trim * 0.9
            if rng.random() < 0.35:  # a curtain or blind
                drop = top + round((bottom - top) * rng.uniform(0.2, 0.8))
                front[top:drop, left:right] = front[top:drop, left:right] * 0.3 + 150
            front[bottom + frame : bottom + 2 * frame + 1, left - frame : right + frame] *= 0.7
        floor_top -= _FLOOR * scale


def _shop(rng: np.random.Generator, front: Array, scale: float, height: float, lit: bool) -> None:
    rows, columns = front.shape[:2]
    top = rows - round(height * scale)
    colour = np.array(_random_paint(rng), np.float32)
    front[top:] = colour * 0.55
    front[top:] *= 1 + 0.05 * fractal_noise(rng, rows - top, columns, scale, 3)[..., None]
    sign = round(0.75 * scale)
    front[top : top + sign] = colour
    _write(rng, front, top, sign)
    left = round(0.3 * scale)
    bottom = rows - round(0.45 * scale)
    while left < columns - scale:
        door = rng.random() < 0.25
        right = min(left + round((1.1 if door else rng.uniform(1.6, 3.2)) * scale), columns - round(0.2 * scale))
        low = rows - 1 if door else bottom
        if right - left > 3 and low - top - sign > 6:
            pane = _glass(rng, low - top - sign - 2, right - left, lit)
            if not door:
                _goods(rng, pane, scale)
            front[top + sign + 2 : low, left:right] = pane
        left = right + max(round(0.12 * scale), 1)
    if rng.random() < 0.5:
        _awning(rng, front, top + sign, round(rng.uniform(0.6, 1.0) * scale), scale)
    front[rows - max(round(0.12 * scale), 1) :] *= 0.6


def _goods(rng: np.random.Generator, pane: Array, scale: float) -> None:
    """Coloured things in a shop window."""
    rows, columns = pane.shape[:2]
    for _ in range(int(rng.integers(3, 12))):
        width, height = (max(round(rng.uniform(0.1, 0.5) * scale), 1) for _ in range(2))
        left = int(rng.integers(0, max(columns - width, 1)))
        bottom = rows - round(rng.choice([0.05, 0.5]) * rows * rng.uniform(0.2, 1.0))
        area = pane[max(bottom - height, 0) : bottom, left : left + width]
        area[:] = 0.5 * area + 0.5 * np.array(_random_paint(rng))


def _awning(rng: np.random.Generator, front: Array, top: int, drop: int, scale: float) -> None:
    stripe = max(round(0.3 * scale), 2)
    band = front[top : top + drop]
    columns = np.arange(band.shape[1])
    first, second = np.array(_random_paint(rng)), np.array([228, 224, 214])
    band[:] = np.where((columns // stripe % 2 == 0)[None, :, None], first, second)
    band *= np.linspace(1.1, 0.8, band.shape[0])[:, None, None]
    front[top + drop : top + drop + max(drop // 2, 1)] *= 0.65


def _write(rng: np.random.Generator, front: Array, top: int, height: int) -> None:
    if height < 8:
        return
    text = str(rng.choice(_SIGNS))
    size = height / 32
    (width, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, size, max(round(size * 2), 1))
    at = (max((front.shape[1] - width) // 2, 0), top + round(height * 0.75))
    letters = np.zeros(front.shape[:2], np.uint8)
    cv2.putText(letters, text, at, cv2.FONT_HERSHEY_DUPLEX, size, 255, max(round(size * 2), 1), cv2.LINE_AA)
    cover = letters[..., None] / np.float32(255)
    front += cover * (np.array((236, 232, 220), np.float32) - front)


def _random_paint(rng: np.random.Generator) -> Colour:
    colour = rng.uniform(30, 210, 3)
    red, green, blue = colour.mean() + (colour - colour.mean()) * 0.9
    return float(red), float(green), float(blue)
