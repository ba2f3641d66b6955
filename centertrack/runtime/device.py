"""Where to compute: `auto`, `cpu`, `cuda` or `mps`, without importing torch only to learn that there is no GPU."""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys

from tracker.errors import InputError

DEVICES = ("auto", "cpu", "cuda", "mps")
_INDEXED = {"cuda": "[0-9]+", "mps": "0"}


def resolve_device(name: str) -> str:
    """Return `cpu`, or `cuda` or `mps` (with its index, if one is given).

    `auto` is a GPU of NVIDIA where there is one, and the CPU elsewhere: on Apple's processors OpenVINO computes on the
    CPU, `mps` is PyTorch on the GPU.

    Raises:
        InputError: The name is unknown, there is no GPU of this index, or a GPU is asked for and cannot be used.

    >>> resolve_device("cpu")
    'cpu'
    """
    family, colon, index = name.partition(":")
    if family not in DEVICES or (colon and not re.fullmatch(_INDEXED.get(family, "never"), index)):
        raise InputError(f"device must be one of {', '.join(DEVICES)}, or cuda:INDEX, got {name!r}")
    if family == "cpu" or (family == "auto" and not _has_driver()):
        return "cpu"
    if family == "auto" and importlib.util.find_spec("torch") is None:
        return "cpu"
    import torch

    if family == "mps":
        if torch.backends.mps.is_available():
            return name
        raise InputError(f"device {name!r} was asked for, but PyTorch {torch.__version__} finds no Apple GPU; use cpu")
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        if colon and int(index) >= count:
            raise InputError(f"device {name!r} was asked for, but there are cuda:0 to cuda:{count - 1} only")
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
