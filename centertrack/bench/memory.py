"""Peak memory of processes."""

from __future__ import annotations

import sys


def peak_megabytes(children: bool = False) -> float:
    """Return the peak memory of this process, or of the largest child that has ended; NaN on Windows."""
    if sys.platform == "win32":
        return float("nan")
    import resource

    peak = resource.getrusage(resource.RUSAGE_CHILDREN if children else resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
