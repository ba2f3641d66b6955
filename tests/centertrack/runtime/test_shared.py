from __future__ import annotations

import threading

import numpy as np
import pytest

from centertrack.runtime.contract import RawDetections
from centertrack.runtime.shared import SharedRuntime


class Network:
    """Finds in each image one box that says which image it is; it works when the test lets it."""

    name, precision = "fake", "f32"

    def __init__(self, streams: int = 1) -> None:
        self.streams = streams
        self.calls: list[list[int]] = []
        self.begun, self.may_end = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, images: np.ndarray) -> RawDetections:
        marks = images[:, 0, 0, 0].astype(int).tolist()
        self.calls.append(marks)
        self.begun.release()
        assert self.may_end.acquire(timeout=20)
        if 13 in marks:
            raise RuntimeError("unlucky")
        boxes = np.array(marks, np.float32)[:, None, None] * np.ones((1, 1, 4), np.float32)
        count = len(marks)
        return RawDetections(
            boxes, np.ones((count, 1), np.float32), np.zeros((count, 1), np.int64), np.zeros((count, 1, 0), np.float32)
        )


def image(mark: int, height: int = 4) -> np.ndarray:
    return np.full((1, height, 8, 3), mark, np.uint8)


class Callers:
    """Threads that ask, and what they are answered."""

    def __init__(self, runtime: SharedRuntime) -> None:
        self._runtime = runtime
        self.answers: dict[int, object] = {}
        self._threads: list[threading.Thread] = []

    def ask(self, images: np.ndarray) -> None:
        thread = threading.Thread(target=self._ask, args=(images,))
        thread.start()
        self._threads.append(thread)

    def _ask(self, images: np.ndarray) -> None:
        mark = int(images[0, 0, 0, 0])
        try:
            self.answers[mark] = self._runtime(images).boxes[0, 0, 0]
        except RuntimeError as error:
            self.answers[mark] = str(error)

    def join(self) -> None:
        for thread in self._threads:
            thread.join(20)
            assert not thread.is_alive()


def start_waiting(runtime: SharedRuntime, callers: Callers, network: Network, *images: np.ndarray) -> None:
    """Let one call begin, and the others wait behind it in their order."""
    callers.ask(images[0])
    assert network.begun.acquire(timeout=20)
    for place, one in enumerate(images[1:], start=1):
        callers.ask(one)
        with runtime._news:  # given back while waiting: the caller gets in line meanwhile
            while len(runtime._waiting) < place:
                runtime._news.wait(0.01)


@pytest.mark.parametrize(
    ("most", "calls"),
    [
        (1, [[1], [2], [3], [4], [5]]),
        (2, [[1], [2, 3], [4, 5]]),
        (9, [[1], [2, 3, 4, 5]]),
    ],
)
def test_who_waits_at_the_same_time_shares_a_call(most, calls):
    network = Network()
    runtime = SharedRuntime(network, most)
    callers = Callers(runtime)
    start_waiting(runtime, callers, network, *(image(mark) for mark in (1, 2, 3, 4, 5)))
    for _ in calls:
        network.may_end.release()
    callers.join()
    assert network.calls == calls
    assert callers.answers == {mark: float(mark) for mark in (1, 2, 3, 4, 5)}


def test_images_of_other_shapes_go_into_calls_of_their_own():
    network = Network()
    runtime = SharedRuntime(network, 9)
    callers = Callers(runtime)
    start_waiting(runtime, callers, network, image(1), image(2), image(3, height=6), image(4), image(5, height=6))
    for _ in range(3):
        network.may_end.release()
    callers.join()
    assert network.calls == [[1], [2, 4], [3, 5]]
    assert callers.answers == {mark: float(mark) for mark in (1, 2, 3, 4, 5)}


def test_a_failure_comes_to_those_of_its_call_and_the_others_go_on():
    network = Network()
    runtime = SharedRuntime(network, 2)
    callers = Callers(runtime)
    start_waiting(runtime, callers, network, image(1), image(13), image(3), image(4))
    for _ in range(3):
        network.may_end.release()
    callers.join()
    assert callers.answers == {1: 1.0, 13: "unlucky", 3: "unlucky", 4: 4.0}


def test_as_many_calls_at_a_time_as_the_runtime_has_streams():
    network = Network(streams=2)
    runtime = SharedRuntime(network, 1)
    assert (runtime.streams, runtime.name, runtime.precision) == (1, "fake", "f32")
    callers = Callers(runtime)
    for mark in (1, 2, 3):
        callers.ask(image(mark))
    assert network.begun.acquire(timeout=20)
    assert network.begun.acquire(timeout=20)
    assert len(network.calls) == 2
    for _ in range(3):
        network.may_end.release()
    callers.join()
    assert sorted(network.calls) == [[1], [2], [3]]
