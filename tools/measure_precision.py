"""Measure what weights lose where they compute with fewer bits, and keep it beside them for `--precision auto`.

    python tools/measure_precision.py fairmot-nano FOLDER_OF_DATA

Tracks the sequences of `tools/measure_weights.py` with the default tracker and detects in MOT17-mini, in each precision
that this processor has units for. Prints MOTA, IDF1 and HOTA over the three sequences together, AP50, and milliseconds
of the network, timed in turns. Writes `NAME.precision.json` beside the weights.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from jsonargparse import auto_cli
from measure_weights import MINI, SEQUENCES, average_precision, track_stretch

from centertrack.bench.model import time_alternately
from centertrack.predictor import Predictor
from centertrack.runtime.openvino_core import UNITS, core, has_units
from centertrack.runtime.openvino_precision import path_of_losses
from centertrack.runtime.shipped import has_int8
from centertrack.runtime.weights import open_weights
from tracker import DEFAULT_TRACKER
from tracker.evaluation.evaluator import load_sequences
from tracker.evaluation.scores import combine, measure
from tracker.io.atomic import atomic_path


def measure_precision(weights: str, data: Path, write: bool = True) -> dict[str, dict[str, float]]:
    """Measure all precisions of weights.

    Args:
        weights: Name of shipped weights, or a file of `save_weights`.
        data: Folder that holds MOT15/, MOT17/ and MOT17-mini/.
        write: Keep the figures beside the weights.
    """
    opened = open_weights(weights)
    assert opened.path is not None
    names = [name for name in UNITS if has_units(name) and (name != "int8" or has_int8(opened))]
    figures = {name: _figures(weights, data, name) for name in names}
    width, height = opened.config["input_format"]["size"]
    pixels = np.zeros((1, height, width, 3), np.uint8)
    runtimes = [Predictor(weights, precision=name).runtime for name in names]
    times = time_alternately([lambda runtime=runtime: runtime(pixels) for runtime in runtimes], repeats=20)
    for (name, values), milliseconds in zip(figures.items(), times, strict=True):
        print(name.ljust(6), "  ".join(f"{key} {value:.4f}" for key, value in values.items()), f"{milliseconds:.1f} ms")
    if write:
        found = {
            "weights": opened.digest,
            "processor": core().get_property("CPU", "FULL_DEVICE_NAME"),
            "figures": {name: {key: round(value, 4) for key, value in one.items()} for name, one in figures.items()},
        }
        with atomic_path(path_of_losses(opened.path)) as temporary:
            temporary.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return figures


def _figures(weights: str, data: Path, precision: str) -> dict[str, float]:
    predictor = Predictor(weights, precision=precision)
    sequences = []
    with tempfile.TemporaryDirectory() as folder:
        for path, frames in SEQUENCES.items():
            results = Path(folder, f"{Path(path).name}.txt")
            track_stretch(predictor, data / path, frames, (DEFAULT_TRACKER, {}), ()).write(results)
            sequences += load_sequences(data / path, results, frames="{}:{}".format(*frames))
        scores = combine([measure(sequence) for sequence in sequences]).metrics()
        finder = Predictor(weights, precision=precision, min_score=0.001)
        return {
            **{name: float(scores[name]) for name in ("MOTA", "IDF1", "HOTA")},
            "AP50": average_precision(finder, data / MINI, Path(folder, "mini")),
        }


if __name__ == "__main__":
    auto_cli(measure_precision)
