"""The one OpenVINO core of the process."""

from __future__ import annotations

from functools import cache
from typing import Any

PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}
"""float32 throughout: processors with bfloat16 units would otherwise round scores and boxes."""


@cache
def core() -> Any:
    """Return the core, which lives as long as the process.

    On processors with matrix units OpenVINO gives the thread that compiles first a signal stack of its own, and unmaps
    it with the last core: a thread that is still there would die at its next signal.
    """
    import openvino

    return openvino.Core()
