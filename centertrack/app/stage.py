"""One step of a pipeline: a function applied to a stream in threads of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from typing_extensions import override

Item = TypeVar("Item")
Result = TypeVar("Result")
JOIN_SECONDS = 5.0  # a thread that hangs in a camera is left behind (it is a daemon) after so long


class Stage(Generic[Item, Result], Iterator[Result]):
    """Applies a function to every item of a stream, ahead of whoever iterates over the results.

    Results come in the order of the items. The stage stops when the items end, when the items or the function raise
    (the iterating thread gets the exception, after all results before it), or when it is closed; a function that
    raises StopIteration ends the stream. Stages chain: closing the last one closes all.

    Args:
        function: Called once an item; with several workers, from several threads at once.
        items: What to work on; an iterator is only ever advanced by one thread at a time.
        workers: Threads.
        ahead: Results that may wait, besides those in the making; this bounds the memory.
        may_hang: Whether the function waits for a device, so that `close` does not wait for it for ever.

    Attributes:
        busy_seconds: Time spent in the function until now, the mean over the workers.

    >>> stage = Stage(abs, [-3, 2, -1])
    >>> list(stage)
    [3, 2, 1]
    """

    def __init__(
        self,
        function: Callable[[Item], Result],
        items: Iterable[Item],
        workers: int = 1,
        ahead: int = 2,
        may_hang: bool = False,
    ) -> None:
        self._function = function
        self._items = iter(items)
        self._room = threading.Semaphore(workers + ahead)
        self._pulling = threading.Lock()
        self._results: SimpleQueue[Future[Result]] = SimpleQueue()
        self._stopped = False
        self._join_seconds = JOIN_SECONDS if may_hang else None
        self._busy = [0.0] * workers
        self._making: list[Future[Result] | None] = [None] * workers
        self._threads = [threading.Thread(target=self._work, args=(i,), daemon=True) for i in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def busy_seconds(self) -> float:
        """Time spent in the function until now, the mean over the workers."""
        return sum(self._busy) / len(self._busy)

    @override
    def __next__(self) -> Result:
        """Return the next result, or raise what came in its place."""
        try:
            result = self._results.get().result()
        except BaseException:
            self._stop()
            raise
        self._room.release()
        return result

    def close(self) -> None:
        """Stop working, here and in the stages before, and wait for the threads; results not yet taken are dropped."""
        self._stop()
        if isinstance(self._items, Stage):
            self._items.close()
        for worker, thread in enumerate(self._threads):
            thread.join(self._join_seconds)
            making = self._making[worker]
            if (
                thread.is_alive() and making is not None
            ):  # it hangs; who waits for its result, in the next stage, must not
                making.cancel()

    def __enter__(self) -> Stage[Item, Result]:
        """Return the stage."""
        return self

    def __exit__(self, *error: Any) -> None:
        """Close the stage."""
        self.close()

    def _work(self, worker: int) -> None:
        while True:
            self._room.acquire()
            result: Future[Result] = Future()
            self._making[worker] = result
            try:
                with self._pulling:
                    if self._stopped:
                        return
                    try:
                        item = next(self._items)
                    finally:  # inside the lock: the order of the items is the order of the results
                        self._results.put(result)
                start = time.perf_counter()
                value = self._function(item)
                self._busy[worker] += time.perf_counter() - start
                result.set_result(value)
            except InvalidStateError:  # it hung until after the end
                return
            except BaseException as error:  # whatever it is belongs to the thread that iterates
                with suppress(InvalidStateError):
                    result.set_exception(error)
                self._stop()
                return

    def _stop(self) -> None:
        """Let nobody wait for ever: the workers for room, the iterating thread for a result."""
        self._stopped = True
        self._room.release(len(self._threads))
        end: Future[Result] = Future()
        end.set_exception(StopIteration())
        self._results.put(end)
