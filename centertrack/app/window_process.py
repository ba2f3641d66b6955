"""The process that `Windows` draws in: pictures come through standard input, of each window the newest is shown.

A picture is a line of JSON, [name, height, width], and its pixels: (H, W, 3) uint8 BGR.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import BinaryIO

import cv2
import numpy as np

READY = b"ready"
_LEAVE = (ord("q"), 27)  # 27: Esc
_PAUSE = 15  # milliseconds between two looks for pictures and keys


class _Newest:
    """Reads pictures in a thread, and keeps the newest of each window."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._pictures: dict[str, np.ndarray] = {}
        self._changing = threading.Lock()
        self.has_ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def take(self) -> dict[str, np.ndarray]:
        """Return what has come since the last call, by window."""
        with self._changing:
            taken, self._pictures = self._pictures, {}
        return taken

    def _read(self) -> None:
        while line := self._pipe.readline():
            name, height, width = json.loads(line)
            content = self._pipe.read(height * width * 3)
            if len(content) < height * width * 3:
                break
            with self._changing:
                self._pictures[name] = np.frombuffer(content, np.uint8).reshape(height, width, 3)
        self.has_ended = True


def main() -> None:
    """Show pictures until there are no more, q or Esc is pressed, or a window is closed."""
    cv2.namedWindow("centertrack")  # fails here where it cannot be
    cv2.destroyWindow("centertrack")
    sys.stdout.buffer.write(READY + b"\n")
    sys.stdout.buffer.flush()
    newest = _Newest(sys.stdin.buffer)
    names: set[str] = set()
    while not newest.has_ended:
        for name, picture in newest.take().items():
            if name not in names:
                names.add(name)
                cv2.namedWindow(name, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
                cv2.resizeWindow(name, picture.shape[1], picture.shape[0])
            cv2.imshow(name, picture)
        key = cv2.waitKey(_PAUSE) & 0xFF
        if key in _LEAVE or any(cv2.getWindowProperty(name, cv2.WND_PROP_VISIBLE) < 1 for name in names):
            return


if __name__ == "__main__":
    main()
