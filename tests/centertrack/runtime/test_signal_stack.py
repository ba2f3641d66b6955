from __future__ import annotations

import subprocess
import sys

import pytest

from centertrack.runtime.signal_stack import drop_lost_signal_stack

LOSE_THE_STACK = """
import ctypes, mmap, signal
from centertrack.runtime.signal_stack import _Stack, drop_lost_signal_stack
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
size = 16 * mmap.PAGESIZE
address = libc.mmap(None, ctypes.c_size_t(size), 3, 0x22, -1, ctypes.c_long(0))
assert libc.sigaltstack(ctypes.byref(_Stack(address, 0, size)), None) == 0
assert not drop_lost_signal_stack()  # it is mapped: nothing to mend
assert libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(size)) == 0
"""
INTERRUPT = """
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("interrupted")
"""
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="alternate signal stacks are looked after on Linux")


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@linux_only
def test_a_signal_after_its_stack_was_unmapped() -> None:
    done = run(LOSE_THE_STACK + "assert drop_lost_signal_stack()\n" + INTERRUPT)
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


@linux_only
def test_without_it_the_process_would_die() -> None:
    assert run(LOSE_THE_STACK + INTERRUPT).returncode < 0


def test_a_thread_whose_stack_is_there_keeps_it() -> None:
    assert not drop_lost_signal_stack()
