"""A camera of this computer as a source of frames."""

from __future__ import annotations

import time
from collections.abc import Iterator

import cv2
import numpy as np

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource
from tracker.io.mot import DEFAULT_FRAME_RATE


class Camera(FrameSource):
    """Live images; `Frame.time` is the moment of reading, by the computer's clock.

    Args:
        index: 0 is the first camera.

    Raises:
        InputError: The camera is not there or gives no image; while iterating: it stops giving images.
    """

    def __init__(self, index: int) -> None:
        self.name, self.frame_count = f"camera-{index}", None
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the error below says it better
        try:
            self._capture = cv2.VideoCapture(index)
            found, image = self._capture.read()
        finally:
            cv2.utils.logging.setLogLevel(level)
        if not found:
            self._capture.release()
            raise InputError(f"camera {index} gives no image; is it connected and free, and may this program use it?")
        self.size = image.shape[1], image.shape[0]
        self.frame_rate = self._capture.get(cv2.CAP_PROP_FPS) or DEFAULT_FRAME_RATE

    def __iter__(self) -> Iterator[Frame]:
        start, number = time.perf_counter(), 0
        while True:
            found, image = self._capture.read()
            if not found:
                raise InputError(f"{self.name} stopped giving images after frame {number}")
            number += 1
            rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
            yield Frame(number, time.perf_counter() - start, rgb)

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()
