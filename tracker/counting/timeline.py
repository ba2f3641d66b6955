"""How many there were, over time."""

from __future__ import annotations

import numpy as np

from tracker.arrays import Image
from tracker.counting.chart import GRID, INK, Canvas, nice_step
from tracker.draw import Colour

_WIDTH, _HEIGHT = 960, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 34, 40
_COLOURS: tuple[Colour, ...] = (
    (30, 90, 200),
    (220, 110, 0),
    (20, 140, 60),
    (170, 40, 150),
    (0, 150, 160),
    (120, 90, 40),
)


class Timeline:
    """Collects numbers frame by frame, and draws them over time.

    Args:
        names: Of the curves, such as "in the image".
    """

    def __init__(self, names: list[str]) -> None:
        self._names = names
        self._times: list[float] = []
        self._counts: list[tuple[int, ...]] = []

    def add(self, time: float, *counts: int) -> None:
        """Take the numbers of the next frame at `time` seconds, one a curve."""
        self._times.append(time)
        self._counts.append(counts)

    def picture(self) -> Image:
        """Return the chart, (320, 960, 3) uint8 RGB: the number of each frame holds until the next one."""
        canvas = Canvas(_WIDTH, _HEIGHT)
        times = np.array(self._times or [0.0])
        counts = np.array(self._counts or [(0,) * len(self._names)])
        first, last = float(times[0]), max(float(times[-1]), float(times[0]) + 1e-6)
        most = max(int(counts.max(initial=0)), 1)

        def x(time: float) -> float:
            return _LEFT + (time - first) / (last - first) * (_WIDTH - _LEFT - _RIGHT)

        def y(count: float) -> float:
            return _HEIGHT - _BOTTOM - count / most * (_HEIGHT - _TOP - _BOTTOM)

        step = max(nice_step(most / 6), 1.0)
        for count in np.arange(0, most + 1e-9, step).tolist():
            canvas.line((_LEFT, y(count)), (_WIDTH - _RIGHT, y(count)), INK if count == 0 else GRID)
            canvas.text(f"{count:g}", (_LEFT - 8, y(count) + 4), to_the_left=True)
        step = nice_step((last - first) / 8)
        for time in (np.arange(round(np.ceil(first / step - 1e-9)), last / step + 1e-9) * step).tolist():
            canvas.line((x(time), y(0)), (x(time), y(0) + 4))
            canvas.text(f"{time:.6g}", (x(time), y(0) + 18), centred=True)
        canvas.text("seconds", (_WIDTH - _RIGHT, _HEIGHT - 8), to_the_left=True)
        left = float(_LEFT)
        for i, name in enumerate(self._names):
            colour = _COLOURS[i % len(_COLOURS)]
            xs = [x(time) for time in times.tolist()]
            ys = [y(count) for count in counts[:, i].tolist()]
            corners = list(zip(np.repeat(xs, 2)[1:].tolist(), np.repeat(ys, 2)[:-1].tolist(), strict=True))
            canvas.path(corners, colour)
            text = f"{name}: {_mean(times, counts[:, i]):.1f} on average, at most {int(counts[:, i].max())}"
            canvas.text(text, (left, 20), colour)
            left += 10 + 8.2 * len(text)
        return canvas.image


def _mean(times: np.ndarray, counts: np.ndarray) -> float:
    """Return the average over time, the last frame apart; of a single frame its number."""
    steps = np.diff(times)
    return float((counts[:-1] * steps).sum() / steps.sum()) if steps.sum() > 0 else float(counts[0])
