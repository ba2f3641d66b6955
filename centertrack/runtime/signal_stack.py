"""Signal stacks that were unmapped while a thread still had them, taken away before a signal meets them.

On processors with matrix units (AMX) OpenVINO gives the thread that compiles first an alternate signal stack, and
unmaps it when the last core and model are released, perhaps by another thread. The next signal would end the process.
"""

from __future__ import annotations

import ctypes
import mmap
import sys

DISABLED = 2  # SS_DISABLE of signal.h


class _Stack(ctypes.Structure):
    """`stack_t` of signal.h on Linux."""

    _fields_ = [("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t)]


def drop_lost_signal_stack() -> bool:
    """Let signals of this thread use its own stack again, if its alternate one is no longer mapped.

    Returns:
        Whether it was so. On systems other than Linux nothing is done.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    stack = _Stack()
    if library.sigaltstack(None, ctypes.byref(stack)) or stack.flags & DISABLED or not stack.address:
        return False
    start = stack.address // mmap.PAGESIZE * mmap.PAGESIZE
    length = stack.address + stack.size - start
    pages = (ctypes.c_ubyte * (length // mmap.PAGESIZE + 1))()
    if library.mincore(ctypes.c_void_p(start), ctypes.c_size_t(length), pages) == 0:  # all of it is mapped
        return False
    library.sigaltstack(ctypes.byref(_Stack(None, DISABLED, 0)), None)
    return True
