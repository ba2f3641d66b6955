"""How exactly OpenVINO computes: in float32, or with fewer bits where the processor is faster at them.

`NAME.precision.json` beside weights holds what `tools/measure_precision.py` found: MOTA, IDF1, HOTA over the validation
sequences together, and AP50, for each precision. `auto` believes only that.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from centertrack.runtime.openvino_core import has_units
from centertrack.runtime.shipped import has_int8
from centertrack.runtime.weights import Weights
from tracker.errors import InputError

FASTEST_FIRST = ("bf16", "int8")
MOST_LOST = 0.003  # of MOTA, IDF1, HOTA and AP50, as fractions


def choose_precision(asked: str, weights: Weights) -> str:
    """Turn `auto` into the fastest precision that loses little, and check any other.

    Args:
        asked: `auto`, `f32`, `bf16` or `int8`.
        weights: Those of the network.

    Raises:
        InputError: There is no int8 conversion of these weights.
    """
    if asked == "auto":
        losses = read_losses(weights)
        good = (name for name in FASTEST_FIRST if losses.get(name, 1.0) < MOST_LOST and has_units(name))
        return next((name for name in good if name != "int8" or has_int8(weights)), "f32")
    if asked == "int8" and not has_int8(weights):
        raise InputError(
            "precision int8 needs a quantised conversion beside the weights, of which there is none; use f32"
        )
    return asked


def path_of_losses(weights: Path) -> Path:
    """Return where the measured precisions of a weights file are.

    >>> path_of_losses(Path("weights/nano.safetensors")).as_posix()
    'weights/nano.precision.json'
    """
    return weights.with_suffix(".precision.json")


def read_losses(weights: Weights) -> dict[str, float]:
    """Return by precision how much the worst of the four figures lost against f32, as a fraction.

    Empty where nothing was measured, or of other weights.
    """
    path = path_of_losses(weights.path) if weights.path is not None else None
    if path is None or not path.is_file():
        return {}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if found["weights"] != weights.digest:
        return {}
    exact = found["figures"]["f32"]
    return {
        name: max(exact[metric] - value for metric, value in figures.items())
        for name, figures in found["figures"].items()
    }
