"""Quantise the OpenVINO conversion of weights to int8, for processors that multiply whole numbers fastest.

    python tools/quantise_weights.py fairmot-nano FOLDER_OF_PICTURES [--pictures 200]

Calibrates on pictures of the training, spread evenly over the folder and its subfolders, with NNCF (post-training
quantisation). The two ends of the network and what reads boxes from its maps stay in float32. The graph joins the
conversion beside the weights, `NAME.openvino.zip`; `tools/measure_precision.py` then tells what it loses.
"""

from __future__ import annotations

from pathlib import Path

import nncf
import numpy as np
from jsonargparse import auto_cli

from centertrack.predictor import Predictor
from centertrack.runtime.contract import DecodeOptions
from centertrack.runtime.openvino_ends import find_ends
from centertrack.runtime.shipped import add_int8, read_shipped
from centertrack.runtime.weights import open_weights
from tracker.errors import InputError
from tracker.io.frames import is_image
from tracker.io.images import read_image


def quantise_weights(weights: str, pictures: Path, count: int = 200) -> Path:
    """Quantise one conversion.

    Args:
        weights: Name of shipped weights, or a file with a conversion beside it.
        pictures: Folder of the pictures to calibrate on.
        count: How many of them.

    Returns:
        The file that the graph has joined.
    """
    files = sorted(path for path in pictures.rglob("*") if is_image(path))
    if not files:
        raise InputError(f"{pictures}: expected a folder of pictures")
    predictor = Predictor(weights, precision="f32")
    chosen = files[:: max(1, len(files) // count)][:count]
    opened = open_weights(weights)
    width, height = predictor.input_format.size
    model = read_shipped(opened, (1, height, width, 3), DecodeOptions.of_weights(opened.config))
    if model is None:
        raise InputError(f"{weights}: there is no conversion beside it (tools/convert_shipped_weights.py)")
    images = nncf.Dataset(chosen, lambda path: _prepared(predictor, path, (width, height)))
    quantised = nncf.quantize(
        model,
        images,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(chosen),
        ignored_scope=nncf.IgnoredScope(names=[node.get_friendly_name() for node in find_ends(model)]),
    )
    return add_int8(opened, quantised)


def _prepared(predictor: Predictor, path: Path, size: tuple[int, int]) -> np.ndarray:
    """Return (1, H, W, 3) uint8 pixels of this size, as the network sees the picture."""
    pixels = predictor.prepare(read_image(path)).pixels
    canvas = np.full((size[1], size[0], 3), 127, np.uint8)
    rows, columns = min(size[1], pixels.shape[0]), min(size[0], pixels.shape[1])
    canvas[:rows, :columns] = pixels[:rows, :columns]
    return canvas[None]


if __name__ == "__main__":
    auto_cli(quantise_weights)
