"""Batched sampling equals a plain loop over boxes and cells written from the definitions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from centertrack.losses.sampling import SAMPLINGS, BoxSamples, sample_cells
from centertrack.losses.targets import Objects
from tests.centertrack.losses.test_targets import make_objects, random_objects
from tracker.errors import InputError

SHAPE = (13, 17)
Plain = dict[tuple[int, int, int], tuple[int, float]]  # (image, row, column) -> object, weight


def as_plain(samples: BoxSamples) -> Plain:
    keys = zip(samples.image.tolist(), samples.row.tolist(), samples.column.tolist(), strict=True)
    values = list(zip(samples.object.tolist(), samples.weight.tolist(), strict=True))
    plain = dict(zip(keys, values, strict=True))
    assert len(plain) == len(values)  # no cell is given twice
    return plain


def plain_samples(objects: Objects, strategy: str) -> Plain:
    candidates: dict[tuple[int, int, int], list[tuple[float, int, float]]] = {}
    for i, (x1, y1, x2, y2) in enumerate(objects.boxes.tolist()):
        area = (x2 - x1) * (y2 - y1)
        for row, column, weight, priority in CELLS[strategy](x1, y1, x2, y2):
            key = (int(objects.image[i]), row, column)
            candidates.setdefault(key, []).append((-area if priority is None else priority, i, weight))
    return {key: max(found)[1:] for key, found in candidates.items()}


def centre_cell(x1: float, y1: float, x2: float, y2: float) -> tuple[int, int]:
    height, width = SHAPE
    row, column = math.floor((y1 + y2) / 2), math.floor((x1 + x2) / 2)
    return min(max(row, 0), height - 1), min(max(column, 0), width - 1)


def all_cells() -> list[tuple[int, int]]:
    return [(row, column) for row in range(SHAPE[0]) for column in range(SHAPE[1])]


def three_by_three(*box: float) -> list[tuple[int, int, float, None]]:
    row, column = centre_cell(*box)
    return [(y, x, 1.0, None) for y, x in all_cells() if abs(y - row) <= 1 and abs(x - column) <= 1]


def gaussian(x1: float, y1: float, x2: float, y2: float) -> list[tuple[int, int, float, None]]:
    row, column = centre_cell(x1, y1, x2, y2)
    rx, ry = int(0.27 * (x2 - x1)), int(0.27 * (y2 - y1))
    sx, sy = (2 * rx + 1) / 6, (2 * ry + 1) / 6
    window = [(y, x) for y, x in all_cells() if abs(y - row) <= ry and abs(x - column) <= rx]
    values = [math.exp(-((x - column) ** 2) / (2 * sx**2) - (y - row) ** 2 / (2 * sy**2)) for y, x in window]
    scale = max(0.0, math.log((x2 - x1) * (y2 - y1) * 16)) / sum(values)
    return [(y, x, scale * value, None) for (y, x), value in zip(window, values, strict=True)]


def inside(x1: float, y1: float, x2: float, y2: float) -> list[tuple[int, int, float, None]]:
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    return [
        (y, x, 1.0, None)
        for y, x in all_cells()
        if x1 < x + 0.5 < x2 and y1 < y + 0.5 < y2 and abs(x + 0.5 - cx) < 1.5 and abs(y + 0.5 - cy) < 1.5
    ]


def adaptive(x1: float, y1: float, x2: float, y2: float) -> list[tuple[int, int, float, float]]:
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    nearest = sorted(all_cells(), key=lambda cell: math.hypot(cell[1] + 0.5 - cx, cell[0] + 0.5 - cy))[:9]

    def iou(cell: tuple[int, int]) -> float:
        x, y = cell[1] + 0.5, cell[0] + 0.5
        w, h = min(x2, x + 4) - max(x1, x - 4), min(y2, y + 4) - max(y1, y - 4)
        overlap = max(w, 0) * max(h, 0)
        return overlap / ((x2 - x1) * (y2 - y1) + 64 - overlap)

    ious = [iou(cell) for cell in nearest]
    mean = sum(ious) / 9
    threshold = mean + math.sqrt(sum((v - mean) ** 2 for v in ious) / 8)
    is_inside = [x1 < x + 0.5 < x2 and y1 < y + 0.5 < y2 for y, x in nearest]
    rows = list(zip(nearest, ious, is_inside, strict=True))
    positive = [(cell, v) for cell, v, within in rows if within and v >= threshold - 1e-6]
    if not positive:
        positive = [max(((cell, v) for cell, v, _ in rows), key=lambda r: r[1] + is_inside[nearest.index(r[0])])]
    return [(*cell, 1.0, v) for cell, v in positive]


CELLS: dict[str, Callable[..., list[tuple[int, int, float, Any]]]] = {
    "center3x3": three_by_three,
    "ttfnet": gaussian,
    "fcos": inside,
    "atss": adaptive,
}


@pytest.mark.parametrize("strategy", CELLS)
@pytest.mark.parametrize("seed", range(3))
def test_batched_equals_box_by_box(strategy: str, seed: int) -> None:
    objects = random_objects(25, images=3, classes=1, shape=SHAPE, seed=seed)
    found, expected = as_plain(sample_cells(objects, SHAPE, strategy)), plain_samples(objects, strategy)
    assert found.keys() == expected.keys()
    assert [found[key][0] for key in expected] == [owner for owner, _ in expected.values()]
    assert [found[key][1] for key in expected] == pytest.approx([weight for _, weight in expected.values()], rel=1e-4)


def test_centres_keep_every_object_even_on_one_cell() -> None:
    objects = make_objects([[2.0, 2.0, 5.0, 5.0], [3.0, 3.0, 4.0, 4.0], [90.0, 0.0, 99.0, 2.0]])
    samples = sample_cells(objects, SHAPE, "center")
    assert list(zip(samples.row.tolist(), samples.column.tolist(), strict=True)) == [(3, 3), (3, 3), (1, 16)]


def test_the_smaller_box_owns_a_shared_cell() -> None:
    objects = make_objects([[0.0, 0.0, 9.0, 9.0], [4.0, 4.0, 6.0, 6.0]])
    owners = as_plain(sample_cells(objects, SHAPE, "fcos", center_radius=0))
    assert owners[(0, 4, 5)][0] == 1
    assert owners[(0, 2, 2)][0] == 0
    assert len(owners) == 81


def test_centerness_is_one_in_the_middle_and_falls_to_the_border() -> None:
    objects = make_objects([[0.0, 0.0, 9.0, 3.0]])
    weights = as_plain(sample_cells(objects, SHAPE, "fcos", center_radius=0, centerness=True))
    assert weights[(0, 1, 4)][1] == pytest.approx(1)
    assert weights[(0, 0, 1)][1] == pytest.approx(math.sqrt((1.5 / 7.5) * (0.5 / 2.5)))


@pytest.mark.parametrize("strategy", SAMPLINGS)
def test_no_objects_give_no_samples(strategy: str) -> None:
    assert len(sample_cells(make_objects([]), SHAPE, strategy).row) == 0


@pytest.mark.parametrize("strategy", SAMPLINGS)
def test_maps_smaller_than_a_window_work(strategy: str) -> None:
    samples = sample_cells(make_objects([[0.0, 0.0, 3.0, 2.0]]), (2, 3), strategy)
    assert len(samples.row) >= 1
    assert samples.row.max() <= 1
    assert samples.column.max() <= 2


@pytest.mark.parametrize("strategy", ["center", "center3x3", "ttfnet", "atss"])
def test_every_lonely_box_gets_a_cell_even_a_tiny_one(strategy: str) -> None:
    objects = make_objects([[3.1, 3.1, 3.2, 3.3], [-6.0, 5.0, 1.0, 9.0]], images=[0, 1])
    assert set(sample_cells(objects, SHAPE, strategy).object.tolist()) == {0, 1}


def test_unknown_sampling_is_refused() -> None:
    with pytest.raises(InputError, match="atss"):
        sample_cells(make_objects([]), SHAPE, "fcos2")
