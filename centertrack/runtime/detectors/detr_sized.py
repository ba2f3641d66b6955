"""RT-DETR, D-FINE and DEIM with their postprocessing: the size is a second input, and boxes come in its pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from typing_extensions import override

from centertrack.runtime.detectors.family import Array, Candidates, Family, Signature


class DetrSized(Family):
    """Labels, corners in pixels of the size that is given, and scores."""

    name = "detr-sized"
    expects = "labels and scores (1, queries), boxes (1, queries, 4) in pixels of the input orig_target_sizes (1, 2)"
    resize = "stretch"

    def __init__(self, signature: Signature) -> None:
        super().__init__(signature)
        self._boxes, self._labels, self._scores = _places(signature)

    @override
    @classmethod
    def has_shapes(cls, signature: Signature) -> bool:
        sizes = [port for port in signature.inputs if len(port.shape) == 2 and port.shape[1] == 2]
        return len(sizes) == len(signature.inputs) == 1 and bool(_places(signature))

    @override
    def read(self, outputs: Sequence[Array], size: tuple[int, int]) -> Candidates:
        labels = outputs[self._labels][0].astype(np.int64)
        return Candidates(outputs[self._boxes][0], outputs[self._scores][0], labels)

    @override
    def further_inputs(self, size: tuple[int, int]) -> list[Array]:
        return [np.array([size], self.inputs[0].dtype)]


def _places(signature: Signature) -> tuple[int, ...]:
    """Return the places of boxes, labels and scores, () if one is missing."""
    return signature.find_all((3, 4, False), (2, None, True), (2, None, False))
