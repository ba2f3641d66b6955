"""The one OpenVINO core of the process."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from centertrack.runtime.openvino_ends import with_exact_ends
from tracker.errors import InputError

UNITS = {"f32": "FP32", "bf16": "BF16", "int8": "INT8"}
"""Precision -> OpenVINO's name of what a processor has units for."""

_making = threading.Lock()
_core: list[Any] = []


def core() -> Any:
    """Return the core, which lives as long as the process; any thread may ask for it.

    On processors with matrix units OpenVINO gives the thread that compiles first a signal stack of its own, and unmaps
    it with the last core: a thread that is still there would die at its next signal.
    """
    with _making:
        if not _core:
            import numpy as np
            import openvino

            # Two threads that make the first tensor of a process at the same time wait for each other for ever: each
            # has one of Python's lock and the lock of a static variable in the bindings.
            openvino.Tensor(np.zeros(1, np.uint8), shared_memory=True)
            _core.append(openvino.Core())
    return _core[0]


def has_units(precision: str) -> bool:
    """Whether the processor has units for `f32`, `bf16` or `int8`."""
    return UNITS[precision] in core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def compile_model(model: Any, precision: str = "f32", streams: int = 1) -> Any:
    """Compile a model for the CPU.

    Args:
        model: An OpenVINO model.
        precision: `f32` throughout, which processors with bfloat16 units would not do by themselves; `bf16` between its
            two ends; or `int8` for a model with quantised layers, the rest of which stays in float32.
        streams: Calls executed side by side.

    Raises:
        InputError: The processor has no units for it.
    """
    if not has_units(precision):
        raise InputError(f"this processor has no units for precision {precision}; use --precision auto")
    options = {"NUM_STREAMS": streams, "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32"}
    if precision == "bf16":
        model = with_exact_ends(model, core().read_model)
    return core().compile_model(model, "CPU", options)


def read_model(path: Path) -> Any:
    """Read an OpenVINO model, or an ONNX graph by its own reader: trying all, the core lets others complain aloud.

    Raises:
        Exception: It cannot be read; of no common base.
    """
    if path.suffix != ".onnx":
        return core().read_model(path)
    from openvino.frontend import FrontEndManager

    reader = FrontEndManager().load_by_framework("onnx")
    return reader.convert(reader.load(str(path)))


def reason_of(error: Exception) -> str:
    r"""Return what an error of a library says, as one line; OpenVINO begins with places in its own code.

    >>> reason_of(RuntimeError("Exception from src/core.cpp:12:\nno such file"))
    'no such file'
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Exception from", "Check '")) and not line.endswith(":")]
    return (telling or lines or [type(error).__name__])[0][:200]
