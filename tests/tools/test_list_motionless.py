from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from list_motionless import list_motionless, longest_stretch

from tracker import Detections


def rows(xs: list[float], first: int = 1) -> np.ndarray:
    return np.array([(first + i, x, 0, x + 40, 100, 0.5) for i, x in enumerate(xs)])


def test_the_longest_stretch_within_a_tenth_of_the_height() -> None:
    walk = [20.0 * i for i in range(10)]
    wait = [180 + 4.0 * (i % 3) for i in range(40)]  # sways by 8 of 100 px
    still = longest_stretch(7, rows([*walk, *wait, 300.0]), frame_rate=10)
    assert still is not None
    assert (still.identity, still.first, still.last, still.seconds) == (7, 10, 50, 4.0)
    assert still.score == pytest.approx(0.5)
    assert longest_stretch(7, rows([*walk, *wait, 300.0]), frame_rate=20) is None  # 2 s
    assert longest_stretch(7, rows([6.0 * i for i in range(99)]), frame_rate=10) is None


def test_frames_without_the_track_count_as_time() -> None:
    track = np.concatenate((rows([5.0] * 3), rows([6.0] * 3, first=40)))
    still = longest_stretch(1, track, frame_rate=10)
    assert still is not None and (still.first, still.last) == (1, 42)


def test_a_post_is_listed_and_pictured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Finder:
        """Finds a post and somebody who walks by."""

        def __init__(self, *_: object, **__: object) -> None:
            self.number = 0

        def __call__(self, image: np.ndarray) -> list[Detections]:
            self.number += 1
            left = 4.0 * self.number
            boxes = np.array([[10, 10, 30, 60], [left, 70, left + 20, 115]], np.float32)
            return [Detections(boxes, np.array([0.8, 0.9]), np.zeros(2, int))]

    monkeypatch.setattr("list_motionless.Predictor", Finder)
    (tmp_path / "yard").mkdir()
    for number in range(1, 101):
        cv2.imwrite(str(tmp_path / "yard" / f"{number:03d}.png"), np.zeros((120, 640, 3), np.uint8))
    list_motionless("any", [tmp_path / "yard"], tmp_path / "sheet.png", tracker="sort")
    first, second = capsys.readouterr().out.splitlines()
    assert first == "yard: 1 of 2 tracks stand still for 3 s or more"
    assert second.endswith("10 10 30 60")
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (200, 12 * 120, 3)
