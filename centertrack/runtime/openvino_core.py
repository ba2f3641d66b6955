"""The one OpenVINO core of the process."""

from __future__ import annotations

import threading
from typing import Any

PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}
"""float32 throughout: processors with bfloat16 units would otherwise round scores and boxes."""

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
