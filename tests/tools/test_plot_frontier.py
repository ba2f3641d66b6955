from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from measure_weights import MINI, Find
from plot_frontier import plot_frontier

TRUTH = [(10, 10, 30, 70), (60, 20, 80, 80)]


def write_sequence(folder: Path) -> None:
    """Two people who stand still for two frames."""
    (folder / "img1").mkdir(parents=True)
    (folder / "gt").mkdir()
    rows = []
    for frame in (1, 2):
        cv2.imwrite(str(folder / "img1" / f"{frame:06d}.jpg"), np.zeros((100, 120, 3), np.uint8))
        for number, (x1, y1, x2, y2) in enumerate(TRUTH, start=1):
            rows.append(f"{frame},{number},{x1 + 1},{y1 + 1},{x2 - x1},{y2 - y1},1,1,1")
    (folder / "gt" / "gt.txt").write_text("\n".join(rows) + "\n")
    info = "[Sequence]\nname=a\nimDir=img1\nframeRate=10\nseqLength=2\nimWidth=120\nimHeight=100\nimExt=.jpg\n"
    (folder / "seqinfo.ini").write_text(info)


def test_every_network_is_measured_at_every_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib")
    write_sequence(tmp_path / MINI / "a")
    calls: list[str] = []

    def find(count: int, image: np.ndarray) -> np.ndarray:
        assert image.shape == (100, 120, 3)
        return np.array([(*box, 0.9) for box in TRUTH[:count]], float).reshape(-1, 5)

    def open_stubs(teachers: Path) -> Iterator[tuple[str, tuple[int, int], Find, Callable[[], object]]]:
        for name, count, size in (("fairmot-nano", 1, (640, 384)), ("large", 2, (640, 384)), ("large", 0, (320, 192))):
            yield name, size, partial(find, count), partial(calls.append, name)

    monkeypatch.setattr("plot_frontier.open_networks", open_stubs)
    plot_frontier(tmp_path, tmp_path, tmp_path / "images" / "frontier")
    assert calls[:4] == ["fairmot-nano", "large", "large", "fairmot-nano"]  # in turns
    with (tmp_path / "images" / "frontier.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["name"], row["width"], row["height"]) for row in rows] == [
        ("fairmot-nano", "640", "384"),
        ("large", "640", "384"),
        ("large", "320", "192"),
    ]
    assert [float(row["ap50"]) for row in rows] == pytest.approx([0.505, 1.0, 0.0], abs=0.01)  # of 101 recalls
    assert all(float(row["milliseconds"]) >= 0 for row in rows)
    assert (tmp_path / "images" / "frontier.png").read_bytes()[:4] == b"\x89PNG"
