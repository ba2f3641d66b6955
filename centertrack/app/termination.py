"""Ctrl-C, SIGTERM and SIGHUP: the first one ends the work, and its outputs are finished whatever comes after it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from centertrack.runtime.signal_stack import drop_lost_signal_stack

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
IMPATIENT_SECONDS = 1.0  # between two signals after the first: who sends them so fast does not want to wait


class Terminated(KeyboardInterrupt):
    """The process was asked to end; what stops for Ctrl-C and keeps its results stops for this as well.

    Args:
        number: Of the signal.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__()
        self.number = number


class _Termination:
    """What has come, and what is said about it."""

    def __init__(self) -> None:
        self._raised = self._said = False
        self._shields = 0
        self._waiting: KeyboardInterrupt | None = None
        self._last = 0.0
        self.unfinished: Callable[[], list[str]] = list

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Raise for the first signal; further ones wait for the outputs, unless they come fast."""
        before, self._last = self._last, time.monotonic()
        if self._raised or self._waiting is not None:
            if self._said and self._last - before < IMPATIENT_SECONDS:
                self._leave(number)
            if not self._said:
                self._said = True
                _write("finishing the outputs; two more signals within a second leave them unfinished\n")
            return
        error = KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)
        if self._shields:
            self._waiting = error
            return
        self._raised = True
        raise error

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Let a signal that comes in the block wait for its end."""
        self._shields += 1
        try:
            yield
        finally:
            self._shields -= 1
        if not self._shields and self._waiting is not None:
            error, self._waiting = self._waiting, None
            self._raised = True
            raise error

    def _leave(self, number: int) -> None:
        left = self.unfinished()
        _write(f"left at once; unfinished: {', '.join(left)}\n" if left else "left at once\n")
        os._exit(128 + number)


_active: list[_Termination] = []


@contextmanager
def terminable() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block when Ctrl-C comes, and `Terminated` when SIGTERM or SIGHUP does.

    Only the first raises: `timeout` sends two, impatient people more, and these must not cut short the writing of
    results. Outside of the main thread, where Python takes no signals, nothing changes. A signal that the process
    ignores, as `nohup` makes it ignore SIGHUP, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    drop_lost_signal_stack()
    termination = _Termination()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    taken = [number for number in SIGNALS if before[number] != signal.SIG_IGN]
    for number in taken:
        signal.signal(number, termination.handle)
    _active.append(termination)
    try:
        yield
    finally:
        _active.pop()
        for number in taken:
            signal.signal(number, before[number])


@contextmanager
def shielded(unfinished: Callable[[], list[str]] = list) -> Iterator[None]:
    """Let a signal that comes in the block wait for its end, where `terminable` takes the signals.

    Args:
        unfinished: Names the files that would be left unfinished, should somebody insist.
    """
    if not _active or threading.current_thread() is not threading.main_thread():
        yield
        return
    _active[-1].unfinished = unfinished
    with _active[-1].shield():
        yield


def _write(text: str) -> None:
    """Write to standard error, past the buffer that the interrupted code may be writing to."""
    with suppress(OSError, ValueError, AttributeError):  # closed, or none
        os.write(sys.stderr.fileno(), text.encode())
