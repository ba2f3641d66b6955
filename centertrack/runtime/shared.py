"""One network for several callers at once: what they ask at the same time goes into one call."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from centertrack.runtime.contract import Array, RawDetections, Runtime


@dataclass(slots=True, eq=False)
class _Request:
    images: Array
    is_taken: bool = False
    found: RawDetections | BaseException | None = None


class SharedRuntime:
    """Lends a runtime to more threads than it has streams; who came first is served first.

    Args:
        runtime: What executes the network.
        most: Images that go into one call, of callers whose images have one shape; 1 makes no batches.

    Attributes:
        streams: 1: calls worth making at the same time for each of the callers.
        most: As given.
    """

    streams = 1

    def __init__(self, runtime: Runtime, most: int) -> None:
        self.name, self.precision = runtime.name, runtime.precision
        self.most = most
        self._runtime, self._free = runtime, runtime.streams
        self._waiting: list[_Request] = []
        self._news = threading.Condition()

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images.

        Raises:
            Exception: Whatever the runtime raised for this call.
        """
        own = _Request(images)
        with self._news:
            self._waiting.append(own)
        while own.found is None:
            with self._news:
                self._news.wait_for(lambda: own.found is not None or (self._free and not own.is_taken))
                if own.found is not None:
                    break
                self._free -= 1
                group = self._take()
            try:
                self._execute(group)
            finally:
                with self._news:
                    self._free += 1
                    self._news.notify_all()
        if isinstance(own.found, BaseException):
            raise own.found
        return own.found

    def _take(self) -> list[_Request]:
        """Return whoever has waited longest, and those who fit into the same call."""
        group: list[_Request] = []
        for one in self._waiting:
            count = sum(len(other.images) for other in group) + len(one.images)
            if not group or (one.images.shape[1:] == group[0].images.shape[1:] and count <= self.most):
                one.is_taken = True
                group.append(one)
        self._waiting = [one for one in self._waiting if not one.is_taken]
        return group

    def _execute(self, group: list[_Request]) -> None:
        try:
            images = group[0].images if len(group) == 1 else np.concatenate([one.images for one in group])
            found = self._runtime(images)
        except BaseException as error:  # belongs to whoever asked
            for one in group:
                one.found = error
            return
        start = 0
        for one in group:
            end = start + len(one.images)
            one.found = RawDetections(*(values[start:end] for values in found))
            start = end
