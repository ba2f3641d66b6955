"""The tools that picture what weights fail at."""

from __future__ import annotations

import numpy as np
from picture_failures import Verdict, judge, worst


def test_failures_are_what_was_missed_and_what_was_invented() -> None:
    truth = np.array([[0, 0, 10, 20], [50, 0, 60, 20]], float)
    boxes = np.array([[0, 0, 10, 18], [49, 12, 59, 32], [80, 0, 90, 20]], float)
    found, missed, invented = judge(boxes, truth)
    assert found.tolist() == [[0, 0, 10, 18]]
    assert missed.tolist() == [[50, 0, 60, 20]]
    assert invented.tolist() == [[49, 12, 59, 32], [80, 0, 90, 20]]
    assert [len(part) for part in judge(boxes[:0], truth)] == [0, 2, 0]


def test_the_worst_frames_lie_apart() -> None:
    mistakes = {1: 5, 2: 9, 20: 8, 27: 4, 60: 0}
    verdicts = {n: Verdict(np.zeros((0, 4)), np.zeros((m, 4)), np.zeros((0, 4))) for n, m in mistakes.items()}
    assert worst(verdicts, 2) == [2, 27]
