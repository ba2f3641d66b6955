"""Annotated frames in a window of their own, where there is a screen."""

from __future__ import annotations

import os
import subprocess
import sys

import cv2

from centertrack.app.pipeline import FrameResult
from centertrack.app.sinks import Annotator
from tracker.errors import InputError

_LARGEST = (1280, 720)
_LEAVE = (ord("q"), 27)  # 27: Esc
_PROBE = "import cv2; cv2.namedWindow('centertrack'); cv2.waitKey(1)"
_PROBE_SECONDS = 30


def check_display() -> None:
    """Make sure that a window can be opened.

    Where it cannot, OpenCV ends the process: another one tries first.

    Raises:
        InputError: There is no display, it cannot be reached, or OpenCV comes without windows.
    """
    instead = "leave out --show, or watch in a browser with --serve"
    if sys.platform not in ("linux", "freebsd"):
        return
    if not os.environ.get("DISPLAY"):
        raise InputError(f"there is no display to show a window on (DISPLAY is not set); {instead}")
    try:
        probe = subprocess.run([sys.executable, "-c", _PROBE], capture_output=True, timeout=_PROBE_SECONDS)
        opens = probe.returncode == 0
    except subprocess.TimeoutExpired:
        opens = False
    if not opens:
        raise InputError(
            f"no window can be opened on the display {os.environ['DISPLAY']}: it does not answer, or this OpenCV is "
            f"without windows (opencv-python-headless); {instead}"
        )


class Window:
    """A window that shows the frames of one source, used from the main thread.

    Args:
        name: Of the source: the title.
        size: Width and height of its frames in pixels; larger ones are shown smaller.
    """

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        self._name = name
        self._annotator = Annotator()
        scale = min(_LARGEST[0] / size[0], _LARGEST[1] / size[1], 1.0)
        cv2.namedWindow(name, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        cv2.resizeWindow(name, max(round(size[0] * scale), 1), max(round(size[1] * scale), 1))

    def update(self, result: FrameResult) -> bool:
        """Show the next frame.

        Returns:
            Whether to go on: not once q or Esc was pressed, or the window closed.
        """
        cv2.imshow(self._name, cv2.cvtColor(self._annotator.draw(result), cv2.COLOR_RGB2BGR))
        key = cv2.waitKey(1) & 0xFF
        return key not in _LEAVE and cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Close the window, unless somebody has."""
        if cv2.getWindowProperty(self._name, cv2.WND_PROP_VISIBLE) >= 1:
            cv2.destroyWindow(self._name)
        cv2.waitKey(1)
