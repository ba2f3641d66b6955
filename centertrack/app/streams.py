"""Several live sources at once: a session each, in a thread of its own, and one network for all of them."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from queue import Queue

import numpy as np

from centertrack.app.pipeline import FrameResult
from centertrack.app.session import Session
from centertrack.app.termination import shielded
from centertrack.predictor import Predictor
from centertrack.runtime.shared import SharedRuntime

_WAITING = 2  # results of each stream that may wait for whoever looks at them


def share(predictor: Predictor, streams: int) -> Predictor:
    """Return a predictor for several streams at once, which uses the network of this one.

    On a GPU what they ask at the same time goes into one batch; on a CPU a batch is no faster than its images one by
    one, so that they take turns.

    Args:
        predictor: As it is; it is left so.
        streams: How many will use it, from a thread each.
    """
    shared = copy.copy(predictor)
    shared.runtime = SharedRuntime(predictor.runtime, 1 if predictor.device == "cpu" else streams)
    return shared


class Streams:
    """Runs sessions of live sources side by side.

    Args:
        sessions: That have not run.
    """

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.sessions = sessions
        self._events: Queue[tuple[int, FrameResult | BaseException | None]] = Queue(_WAITING * len(sessions))
        self._stopping = threading.Event()

    def warm_up(self) -> None:
        """Load, convert and compile the network, for batches of every size that may come."""
        for session in self.sessions:
            session.warm_up()
            runtime, (width, height) = session.predictor.runtime, session.frames.size
            prepared = session.predictor.prepare(np.zeros((height, width, 3), np.uint8))
            for count in range(2, runtime.most + 1 if isinstance(runtime, SharedRuntime) else 0):
                session.predictor.detect([prepared] * count)

    def run(
        self,
        on_frame: Callable[[int, FrameResult], None] = lambda index, result: None,
        on_end: Callable[[int, BaseException | None], None] = lambda index, error: None,
    ) -> None:
        """Process all frames of all sessions; one that fails does not keep the others from going on.

        Args:
            on_frame: Called with the place of the session and each finished frame, in the calling thread.
            on_end: Called with the place of a session that has ended, and why it failed, if it did.

        Raises:
            KeyboardInterrupt: In the calling thread; all outputs are finished then.
        """
        threads = [
            threading.Thread(target=self._run_one, args=(index, session), daemon=True)
            for index, session in enumerate(self.sessions)
        ]
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                index, event = self._events.get()
                if isinstance(event, FrameResult):
                    on_frame(index, event)
                    continue
                running -= 1
                on_end(index, event)
        finally:
            with shielded(lambda: [name for session in self.sessions for name in session.unfinished()]):
                self.stop()
                while running:  # what waits for room goes on
                    running -= not isinstance(self._events.get()[1], FrameResult)
                for thread in threads:
                    thread.join()

    def stop(self) -> None:
        """End all sources; `run` returns once their outputs are finished."""
        self._stopping.set()
        for session in self.sessions:
            session.frames.stop()

    def _run_one(self, index: int, session: Session) -> None:
        try:
            session.run(lambda result: self._tell(index, result))
        except BaseException as error:  # whatever it is belongs to the calling thread
            self._events.put((index, error))
        else:
            self._events.put((index, None))

    def _tell(self, index: int, result: FrameResult) -> None:
        if not self._stopping.is_set():
            self._events.put((index, result))
