"""Small ONNX graphs that give known boxes, in the layouts of detectors of other projects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Shape = Sequence[int | str]
IMAGES = "images"
TYPES = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "int64": TensorProto.INT64,
         "uint8": TensorProto.UINT8}  # fmt: skip


def save(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, tuple[str, Shape]],
    outputs: Mapping[str, str],
    constants: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a graph.

    Args:
        path: Of the file.
        nodes: In order.
        inputs: Name -> type and shape.
        outputs: Name -> type.
        constants: Name -> value.
        metadata: Of the file.
    """
    graph = helper.make_graph(
        list(nodes),
        "detector",
        [helper.make_tensor_value_info(name, TYPES[kind], shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, TYPES[kind], None) for name, kind in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    helper.set_model_props(model, dict(metadata or {}))
    onnx.save(model, path)
    return path


def write_detector(
    path: Path,
    outputs: Mapping[str, Any],
    bright: tuple[str, tuple[int, ...], float] | None = None,
    image: Shape = (1, 3, 64, 64),
    image_type: str = "float32",
    metadata: Mapping[str, str] | None = None,
) -> Path:
    """Write a graph whose outputs are known arrays, but for one number that tells what the pixels were scaled to.

    Args:
        path: Of the file.
        outputs: Name -> array; whole numbers come out as int64.
        bright: Output, place in it, and factor: there stands the factor times the mean of the image's first channel.
        image: Shape of the input.
        image_type: Of its numbers.
        metadata: Of the file.
    """
    channels = next(axis for axis, length in enumerate(image) if length in (3, "channels"))
    axes = [axis for axis in range(len(image)) if axis != channels]
    nodes = [
        helper.make_node("Cast", [IMAGES], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["channels"], axes=axes, keepdims=0),
        helper.make_node("Gather", ["channels", "first"], ["brightness"], axis=0),
    ]
    constants: dict[str, np.ndarray] = {"first": np.array(0)}
    kinds = {}
    for name, given in outputs.items():
        values = np.asarray(given)
        kinds[name] = "int64" if values.dtype.kind == "i" else "float32"
        factors = np.zeros(values.shape, np.float32)
        if bright is not None and bright[0] == name:
            factors[bright[1]] = bright[2]
        constants |= {f"{name}_values": values.astype(np.float32), f"{name}_factors": factors}
        nodes += [
            helper.make_node("Mul", [f"{name}_factors", "brightness"], [f"{name}_bright"]),
            helper.make_node("Add", [f"{name}_values", f"{name}_bright"], [f"{name}_sum"]),
            helper.make_node("Cast", [f"{name}_sum"], [name], to=TYPES[kinds[name]]),
        ]
    return save(path, nodes, {IMAGES: (image_type, image)}, kinds, constants, metadata)


def write_colour_yolo(path: Path, image: Shape, metadata: Mapping[str, str] | None = None) -> Path:
    """Write a YOLO graph (1, 5, cells) for images of any size whose every cell reads a box from its colour.

    Red is the centre's x, green its y, blue the side, each in pixels of the input; the score is 0.9.
    """
    weights = np.zeros((5, 3, 1, 1), np.float32)
    for row, channel in enumerate((0, 1, 2, 2)):
        weights[row, channel] = 255
    nodes, levels = [], []
    for stride in (8, 16, 32):
        size = {"kernel_shape": [stride] * 2, "strides": [stride] * 2}
        nodes += [
            helper.make_node("AveragePool", [IMAGES], [f"mean{stride}"], **size),
            helper.make_node("Conv", [f"mean{stride}", "weights", "bias"], [f"map{stride}"]),
            helper.make_node("Shape", [f"map{stride}"], [f"shape{stride}"]),  # as exports do that take any size
            helper.make_node("Gather", [f"shape{stride}", "sides"], [f"sides{stride}"]),
            helper.make_node("ReduceProd", [f"sides{stride}"], [f"cells{stride}"], keepdims=1),
            helper.make_node("Concat", ["rows", f"cells{stride}"], [f"flat{stride}"], axis=0),
            helper.make_node("Reshape", [f"map{stride}", f"flat{stride}"], [f"level{stride}"]),
        ]
        levels.append(f"level{stride}")
    nodes.append(helper.make_node("Concat", levels, ["output0"], axis=2))
    constants = {
        "weights": weights,
        "bias": np.array([0, 0, 0, 0, 0.9], np.float32),
        "sides": np.array([2, 3]),
        "rows": np.array([1, 5]),
    }
    return save(path, nodes, {IMAGES: ("float32", image)}, {"output0": "float32"}, constants, metadata)


def write_crop_network(path: Path, image: Shape = ("batch", 3, 32, 16)) -> Path:
    """Write a network that describes a crop by the means of its three channels."""
    nodes = [helper.make_node("ReduceMean", [IMAGES], ["embeddings"], axes=[2, 3], keepdims=0)]
    return save(path, nodes, {IMAGES: ("float32", image)}, {"embeddings": "float32"}, {})
