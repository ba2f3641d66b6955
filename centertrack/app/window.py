"""Annotated frames in windows, where there is a screen."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress

import cv2
import numpy as np

from centertrack.app.pipeline import FrameResult
from centertrack.app.sinks import Annotator, Overlay
from centertrack.app.window_process import READY
from tracker.errors import InputError

_LARGEST = (1280, 720)
_START_SECONDS = 30.0
_INSTEAD = "leave out --show, or watch in a browser with --serve"


class Windows:
    """Shows frames in windows, one for each source.

    A process of their own draws them: windows belong to the main thread of a process, OpenCV ends it where a display
    does not answer, and libraries that its windows and PyAV both bring have been seen to stop each other.

    Raises:
        InputError: There is no display, it cannot be reached, or OpenCV comes without windows.
    """

    def __init__(self) -> None:
        display = os.environ.get("DISPLAY")
        if sys.platform == "linux" and not display:
            raise InputError(f"there is no display to show a window on (DISPLAY is not set); {_INSTEAD}")
        quiet = {"QT_LOGGING_RULES": "default.warning=false"}  # about fonts, which nothing here needs
        self._process = subprocess.Popen(
            [sys.executable, "-m", "centertrack.app.window_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**quiet, **os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            start_new_session=True,  # Ctrl-C ends the run, and the run its windows
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._pipe = self._process.stdin
        too_late = threading.Timer(_START_SECONDS, self._process.kill)
        too_late.start()
        answer = self._process.stdout.readline()
        too_late.cancel()
        if answer.strip() != READY:
            self.close()
            raise InputError(
                f"no window can be opened on the display {display or 'of this computer'}: it does not answer, or this "
                f"OpenCV is without windows (opencv-python-headless); {_INSTEAD}"
            )

    def show(self, name: str, image: np.ndarray) -> bool:
        """Show a (H, W, 3) uint8 RGB image in the window of this name, smaller where it is larger than a screen.

        Returns:
            Whether to go on: not once q or Esc was pressed, or a window closed.
        """
        height, width = image.shape[:2]
        scale = min(_LARGEST[0] / width, _LARGEST[1] / height)
        if scale < 1:
            size = max(round(width * scale), 1), max(round(height * scale), 1)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        pixels = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), np.uint8)
        try:
            self._pipe.write(json.dumps([name, *pixels.shape[:2]]).encode() + b"\n")
            self._pipe.write(pixels.tobytes())
            self._pipe.flush()
        except OSError:
            return False
        return True

    def close(self) -> None:
        """Close all windows."""
        with suppress(OSError):  # closed at the other end
            self._pipe.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Windows:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Window:
    """The frames of one source in its window.

    Args:
        windows: In whose process.
        name: Of the source: the title.
        class_names: Name of each label, where there are several.
        overlay: As of `Annotator`.
    """

    def __init__(
        self, windows: Windows, name: str, class_names: Sequence[str] = (), overlay: Overlay | None = None
    ) -> None:
        self._windows, self._name = windows, name
        self._annotator = Annotator(class_names, overlay)

    def update(self, result: FrameResult) -> bool:
        """Show the next frame; tells whether to go on, as `Windows.show`."""
        return self._windows.show(self._name, self._annotator.draw(result))
