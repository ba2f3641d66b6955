"""In processes of their own: what is set stays set, and would change the memory of all tests after it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

IS_GLIBC = platform.libc_ver()[0] == "glibc"
ASK = "from centertrack.training.allocator import keep_freed_memory; print(keep_freed_memory())"
COUNT = """
import resource, sys
import numpy as np
from centertrack.training.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
np.ones(2**27, np.uint8)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    np.ones(2**27, np.uint8)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def run(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout.strip()


def test_it_says_whether_the_c_library_knows_how() -> None:
    assert run(ASK) == str(IS_GLIBC)


@pytest.mark.skipif(not IS_GLIBC, reason="the C library is not glibc, whose memory this is about")
def test_freed_memory_is_used_again() -> None:
    """Five blocks of 128 MiB after a first one: as they come, or in the place of the first."""
    assert int(run(COUNT, "return")) > 5 * int(run(COUNT, "keep")) + 100
