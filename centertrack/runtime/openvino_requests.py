"""The inference requests of a compiled OpenVINO model, lent to one thread each."""

from __future__ import annotations

from collections.abc import Mapping
from queue import SimpleQueue
from typing import Any

import numpy as np

from centertrack.runtime.contract import Array


class Requests:
    """Executes a compiled model from as many threads at a time as it has requests; further ones wait.

    Args:
        compiled: The model.
        count: Of requests.
    """

    def __init__(self, compiled: Any, count: int) -> None:
        self._idle: SimpleQueue[Any] = SimpleQueue()
        for _ in range(count):
            self._idle.put(compiled.create_infer_request())

    def infer(self, inputs: Mapping[Any, Array]) -> list[Array]:
        """Return a copy of each output.

        Args:
            inputs: Name or place of each input -> its values.
        """
        request = self._idle.get()
        try:
            found = request.infer(dict(inputs), share_inputs=True)
            return [np.array(values) for values in found.values()]
        finally:
            self._idle.put(request)
