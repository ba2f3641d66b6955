from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SHARED_DATA = Path(os.environ.get("CENTERTRACK_SHARED_DATA", PROJECT.parent / "shared" / "data"))


@pytest.fixture(autouse=True)
def _no_handler_of_ended_children() -> Iterator[None]:
    """Take back the SIGCHLD handler that PyTorch's loader processes leave behind.

    It runs on the stack that pytest's fault handler sets aside for signals; the kernel ended a test run with a
    segmentation fault when a later subprocess ended.
    """
    yield
    if hasattr(signal, "SIGCHLD"):
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real frames and labels, which is not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data is not there: {SHARED_DATA} (set CENTERTRACK_SHARED_DATA to its folder)")
    return SHARED_DATA
