"""SIGTERM, as `docker stop`, systemd and `timeout` send it, treated like Ctrl-C."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from centertrack.runtime.signal_stack import drop_lost_signal_stack


class Terminated(KeyboardInterrupt):
    """The process was asked to end; what stops for Ctrl-C and keeps its results stops for this as well."""


@contextmanager
def terminable() -> Iterator[None]:
    """Raise `Terminated` in the block when SIGTERM comes.

    Only the first counts: `timeout` sends two, and the second must not cut short the writing of results. Outside the
    main thread, where Python takes no signals, nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    drop_lost_signal_stack()
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminate(number: int, frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated
