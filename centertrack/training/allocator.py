"""Memory that a training on a CPU frees and needs again in every step."""

from __future__ import annotations

import ctypes
import sys

# Of mallopt(3): give nothing back to the system at the heap's end, grow in steps of 256 MB, and map no block alone.
TRIM_THRESHOLD, TOP_PAD, MMAP_MAX = (-1, 2**31 - 1), (-2, 2**28), (-4, 0)


def keep_freed_memory() -> bool:
    """Let the C library keep memory that is freed, where it is glibc, from now on and for the whole process.

    By default every map above 32 MB is given back when it is freed, and the system fills its pages with zeros when it
    is asked for again: in a training step on a CPU that took longer than the convolutions.

    Returns:
        Whether the C library knows how.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and all(mallopt(*option) for option in (MMAP_MAX, TRIM_THRESHOLD, TOP_PAD))
