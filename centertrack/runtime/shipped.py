"""An OpenVINO model that lies beside its weights and takes images of any size, so that no start needs PyTorch.

`NAME.openvino.zip` beside `NAME.safetensors` holds the graph, its constants as float16, and what it was made from: the
digest of the weights, how boxes are read, and the digest of the code that converted them. Where these differ it is not
used. Where the weights were quantised, it holds that graph, too.
"""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

from centertrack.runtime.contract import DecodeOptions
from centertrack.runtime.openvino_convert import code_digest, convert
from centertrack.runtime.openvino_core import core
from centertrack.runtime.weights import Weights, open_weights
from tracker.io.atomic import atomic_path

GRAPH, CONSTANTS, ORIGIN = "graph.xml", "graph.bin", "origin.txt"
INT8_GRAPH, INT8_CONSTANTS = "int8.xml", "int8.bin"
EXAMPLE = (2, 256, 320, 3)  # of the images that the graph is traced with


def path_beside(weights: Path) -> Path:
    """Return where the conversion of a weights file lies, or would lie.

    >>> path_beside(Path("weights/nano.safetensors")).as_posix()
    'weights/nano.openvino.zip'
    """
    return weights.with_suffix(".openvino.zip")


def has_int8(weights: Weights) -> bool:
    """Whether a conversion with quantised layers lies beside the weights."""
    path = path_beside(weights.path) if weights.path is not None else None
    if path is None or not path.is_file():
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return INT8_GRAPH in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def read_shipped(
    weights: Weights, shape: tuple[int, ...], decoding: DecodeOptions, is_int8: bool = False
) -> Any | None:
    """Return the model beside the weights for one shape of images, or None where there is none of just these.

    Args:
        weights: Their file says where to look.
        shape: (N, H, W, 3) of the images.
        decoding: How boxes are read from the network's maps.
        is_int8: The graph with quantised layers.
    """
    path = path_beside(weights.path) if weights.path is not None else None
    if path is None or not path.is_file():
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.read(ORIGIN).decode() != _origin(weights, decoding):
                return None
            graph, constants = (INT8_GRAPH, INT8_CONSTANTS) if is_int8 else (GRAPH, CONSTANTS)
            model = core().read_model(archive.read(graph), archive.read(constants))
        model.reshape(list(shape))
    except (OSError, RuntimeError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):  # damaged, or of the future
        return None
    return model if _has_cells_enough(model) else None


def _has_cells_enough(model: Any) -> bool:
    """Whether the maps have as many cells as boxes are taken from them: how many these are is a constant."""
    for node in model.get_ops():
        if node.get_type_name() == "TopK":
            axis, cells = node.get_attributes()["axis"], node.get_input_shape(0)
            if int(node.input_value(1).get_node().data) > cells[axis]:
                return False
    return True


def write_shipped(path: Path) -> Path:
    """Convert weights for images of any number and size, with the default way to read boxes.

    Args:
        path: The weights file.

    Returns:
        The file beside it.

    Raises:
        InputError: No such weights, or OpenVINO cannot execute the network.
    """
    import openvino

    weights = open_weights(path)
    decoding = DecodeOptions.of_weights(weights.config)
    model = convert(weights.load(), EXAMPLE, decoding, dynamic_batch=True, dynamic_size=True)
    output = path_beside(path)
    with tempfile.TemporaryDirectory() as folder:
        openvino.save_model(model, Path(folder, GRAPH), compress_to_fp16=True)
        parts = {name: Path(folder, name).read_bytes() for name in (GRAPH, CONSTANTS)}
    parts[ORIGIN] = _origin(weights, decoding).encode()
    return _write(output, parts)


def add_int8(weights: Weights, model: Any) -> Path:
    """Put a graph with quantised layers beside the exact one of the same conversion.

    Args:
        weights: With a conversion beside them.
        model: The OpenVINO model; its images may have any number and size.

    Returns:
        The file.
    """
    import openvino

    assert weights.path is not None
    output = path_beside(weights.path)
    with tempfile.TemporaryDirectory() as folder:
        openvino.save_model(model, Path(folder, INT8_GRAPH), compress_to_fp16=False)  # scales do not fit it
        quantised = {name: Path(folder, name).read_bytes() for name in (INT8_GRAPH, INT8_CONSTANTS)}
    with zipfile.ZipFile(output) as archive:
        parts = {name: archive.read(name) for name in (GRAPH, CONSTANTS, ORIGIN)}
    return _write(output, {**parts, **quantised})


def _write(output: Path, parts: dict[str, bytes]) -> Path:
    with atomic_path(output) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, content in parts.items():  # without the time, so that the same input gives the same file
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return output


def _origin(weights: Weights, decoding: DecodeOptions) -> str:
    return f"{weights.digest} {decoding} {code_digest()}"
