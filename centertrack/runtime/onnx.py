"""Networks converted to ONNX, and executed by ONNX Runtime or by TensorRT inside it."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from centertrack.runtime.contract import Array, DecodeOptions, RawDetections
from centertrack.runtime.last_used import LastUsed
from tracker.errors import InputError
from tracker.extras import named_extra, require

if TYPE_CHECKING:
    from centertrack.models.network import CenterNetwork
    from centertrack.runtime.weights import Weights

OPSET = 20  # deformable convolution is standard from 19 on
INPUT = "images"
OUTPUTS = ("boxes", "scores", "labels", "embeddings")
MOST_IMAGES = 1024  # of a dynamic batch
PROVIDERS = {"onnxruntime": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}


def convert(model: CenterNetwork, shape: tuple[int, ...], decoding: DecodeOptions, dynamic_batch: bool = False) -> Any:
    """Convert the whole graph from uint8 pixels to boxes.

    Args:
        model: The network, in evaluation mode.
        shape: (N, H, W, 3) of the images.
        decoding: How boxes are read from its maps.
        dynamic_batch: Let N vary.

    Returns:
        A `torch.onnx.ONNXProgram`.

    Raises:
        MissingPackageError: The packages for it are not installed.
    """
    require("writing ONNX", "onnx", "onnxscript")
    import torch

    from centertrack.runtime.graph import DetectionGraph

    # An example batch of 1 would make 1 a constant of the graph.
    example = torch.zeros((max(shape[0], 2) if dynamic_batch else shape[0], *shape[1:]), dtype=torch.uint8)
    batch = {INPUT: {0: torch.export.Dim("batch", min=1, max=MOST_IMAGES)}} if dynamic_batch else None
    with quiet(), torch.no_grad():
        return torch.onnx.export(
            DetectionGraph(model, decoding).eval(),
            (example,),
            dynamo=True,
            opset_version=OPSET,
            verbose=False,
            input_names=[INPUT],
            output_names=list(OUTPUTS),
            dynamic_shapes=batch,
        )


def open_session(model: bytes | Path, runtime: str = "onnxruntime", device: str = "cpu") -> Any:
    """Open a session of ONNX Runtime.

    Args:
        model: An ONNX model or its file.
        runtime: `onnxruntime`, or `tensorrt`: TensorRT inside ONNX Runtime, for a GPU.
        device: `cpu` or `cuda[:INDEX]`.

    Raises:
        InputError: ONNX Runtime is not installed, not for this device, or cannot read the model.
    """
    onnxruntime = import_onnxruntime()
    providers: list[Any] = ["CPUExecutionProvider"]
    if device != "cpu":
        wanted = PROVIDERS[runtime]
        if wanted not in available_providers():
            raise InputError(f"this ONNX Runtime has no {wanted}; pip install onnxruntime-gpu, or use --runtime torch")
        providers.insert(0, (wanted, {"device_id": int(device.partition(":")[2] or 0)}))
    source = str(model) if isinstance(model, Path) else model
    options = onnxruntime.SessionOptions()
    # Threads that wait for work by spinning take the processor from decoding, drawing and writing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(source, options, providers=providers)
    except Exception as error:  # of a C++ library, without a common base
        name = model if isinstance(model, Path) else "the converted network"
        raise InputError(f"{name}: ONNX Runtime cannot read it ({str(error).splitlines()[0]})") from error


def import_onnxruntime() -> Any:
    """Import ONNX Runtime.

    Raises:
        MissingPackageError: It is not installed.
    """
    with named_extra("executing ONNX on this device"):
        import onnxruntime
    return onnxruntime


def available_providers() -> list[str]:
    """Return what the installed ONNX Runtime computes with, by its own names."""
    return list(import_onnxruntime().get_available_providers())


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what exporters say about operations of other networks and about their own future."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


class OnnxRuntime:
    """Executes with ONNX Runtime, or with TensorRT inside it.

    Args:
        weights: Converted in memory for every new shape.
        decoding: How boxes are read from the network's maps.
        name: `onnxruntime` or `tensorrt`.
        device: `cpu` or `cuda[:INDEX]`.
    """

    streams = 1
    precision = "f32"

    def __init__(
        self, weights: Weights, decoding: DecodeOptions, name: str = "onnxruntime", device: str = "cpu"
    ) -> None:
        self.name = name
        self._weights = weights
        self._decoding = decoding
        self._device = device
        self._sessions = LastUsed(self._convert)

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images."""
        session = self._sessions[images.shape]
        return RawDetections(*session.run(None, {INPUT: np.ascontiguousarray(images)}))

    def _convert(self, shape: tuple[int, ...]) -> Any:
        model = convert(self._weights.load(), shape, self._decoding).model_proto.SerializeToString()
        return open_session(model, self.name, self._device)
