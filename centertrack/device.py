"""Where to compute: `auto`, `cpu` or `cuda`, without importing torch only to learn that there is no GPU."""

from __future__ import annotations

import ctypes
import sys

from tracker.errors import InputError

DEVICES = ("auto", "cpu", "cuda")


def resolve_device(name: str) -> str:
    """Return `cpu`, or `cuda` (with its index, if one is given).

    Raises:
        InputError: The name is unknown, or CUDA is asked for and cannot be used.

    >>> resolve_device("cpu")
    'cpu'
    """
    family = name.split(":")[0]
    if family not in DEVICES:
        raise InputError(f"device must be one of {', '.join(DEVICES)}, got {name!r}")
    if family == "cpu" or (family == "auto" and not _has_driver()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda" if family == "auto" else name
    if family == "auto":
        return "cpu"
    raise InputError(f"device {name!r} was asked for, but PyTorch {torch.__version__} finds no usable GPU; use cpu")


def _has_driver() -> bool:
    """Whether NVIDIA's driver is installed: a matter of milliseconds, where importing torch takes seconds."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True
