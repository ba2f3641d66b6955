"""What executes a network: PyTorch, ONNX Runtime, OpenVINO or TensorRT, behind one call from pixels to arrays.

A runtime is a callable (N, H, W, 3) uint8 RGB -> `RawDetections`. It prepares itself for every new shape once, and may
be called from as many threads as it has streams.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.catalog import Weights
    from centertrack.models import CenterNet

Array = NDArray[Any]
RUNTIMES = ("auto", "torch", "onnxruntime", "openvino", "tensorrt")
# float32 throughout: processors with bfloat16 units would otherwise round scores and boxes
OPENVINO_OPTIONS = {"INFERENCE_PRECISION_HINT": "f32"}
PACKAGES: dict[str, tuple[str, ...]] = {  # beyond what is always there
    "torch": (),
    "openvino": ("openvino",),
    "onnxruntime": ("onnxruntime", "onnxscript"),
    "tensorrt": ("tensorrt", "onnxruntime", "onnxscript"),
}
CANDIDATES = 3  # boxes read for each that may be kept, where overlapping ones are suppressed
FASTEST = {"cpu": ("openvino", "onnxruntime", "torch"), "cuda": ("tensorrt", "torch")}  # of those installed


@dataclass(frozen=True)
class DecodeOptions:
    """How boxes are read from the network's maps.

    Attributes:
        max_detections: K, boxes kept per image.
        nms_kernel: Odd side, in cells, of the neighbourhood in which only the highest peak counts.
    """

    max_detections: int = 300
    nms_kernel: int = 3

    @classmethod
    def of_weights(
        cls, config: Mapping[str, Any], max_detections: int = 300, nms_kernel: int | None = None
    ) -> DecodeOptions:
        """Return how the boxes of certain weights are read.

        Where overlapping boxes are suppressed afterwards (`nms_iou`), every cell is a candidate, since neighbouring
        cells may see two people, and more of them are read than are kept.

        Args:
            config: Options of the `CenterNet`.
            max_detections: Objects kept per image.
            nms_kernel: As the attribute; None: 1 where boxes are suppressed, else 3.
        """
        suppresses = config.get("nms_iou", 1.0) < 1
        kernel = nms_kernel if nms_kernel is not None else 1 if suppresses else 3
        return cls(max_detections * CANDIDATES if suppresses else max_detections, kernel)


class RawDetections(NamedTuple):
    """The K best objects of every image, by falling score.

    Attributes:
        boxes: (N, K, 4) float32 xyxy in input pixels.
        scores: (N, K) float32 in [0, 1].
        labels: (N, K) int64.
        embeddings: (N, K, D) float32 unit rows; D = 0 for a network without a re-identification head.
    """

    boxes: Array
    scores: Array
    labels: Array
    embeddings: Array


class Runtime(Protocol):
    """Executes one network.

    Attributes:
        name: One of `RUNTIMES`.
        streams: Calls worth making at the same time.
    """

    name: str
    streams: int

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images whose sides are divisible by 32."""


class TorchRuntime:
    """Executes with PyTorch, on a CPU or a GPU.

    Args:
        model: In evaluation mode; it is moved to the device.
        device: `cpu` or `cuda[:INDEX]`.
        decoding: How boxes are read from its maps.
    """

    name = "torch"
    streams = 1

    def __init__(self, model: CenterNet, device: str, decoding: DecodeOptions) -> None:
        import torch

        from centertrack.graph import DetectionGraph

        self._torch = torch
        self._device = torch.device(device)
        self._graph = DetectionGraph(model, decoding).to(self._device).eval()

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images."""
        with self._torch.inference_mode():
            found = self._graph(self._torch.from_numpy(np.ascontiguousarray(images)).to(self._device))
            return RawDetections(*(values.cpu().numpy() for values in found))


class OpenVinoRuntime:
    """Executes with OpenVINO on the CPU, 2 to 5 times as fast as PyTorch there.

    Args:
        weights: Loaded only if the conversion for a shape is not in the cache.
        decoding: How boxes are read from its maps.
        streams: Calls executed side by side. One gives the lowest latency, two the higher throughput on few cores.
    """

    name = "openvino"

    def __init__(self, weights: Weights, decoding: DecodeOptions, streams: int = 1) -> None:
        import openvino

        self._core = openvino.Core()
        self._weights = weights
        self._decoding = decoding
        self.streams = streams
        self._requests: dict[tuple[int, ...], SimpleQueue[Any]] = {}
        self._compiling = threading.Lock()

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images."""
        with self._compiling:
            if images.shape not in self._requests:
                self._requests[images.shape] = self._compile(images.shape)
        idle = self._requests[images.shape]
        request = idle.get()
        try:
            found = request.infer({0: np.ascontiguousarray(images)}, share_inputs=True)
            return RawDetections(*(np.array(values) for values in found.values()))
        finally:
            idle.put(request)

    def _compile(self, shape: tuple[int, ...]) -> SimpleQueue[Any]:
        from centertrack.openvino_model import load_or_convert

        model = load_or_convert(self._weights, shape, self._decoding)
        compiled = self._core.compile_model(model, "CPU", {"NUM_STREAMS": self.streams, **OPENVINO_OPTIONS})
        requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(self.streams):
            requests.put(compiled.create_infer_request())
        return requests


class OnnxRuntime:
    """Executes with ONNX Runtime, or with TensorRT inside it.

    Args:
        weights: Converted in memory for every new shape.
        decoding: How boxes are read from the network's maps.
        name: `onnxruntime` or `tensorrt`.
        device: `cpu` or `cuda[:INDEX]`.
    """

    streams = 1

    def __init__(
        self, weights: Weights, decoding: DecodeOptions, name: str = "onnxruntime", device: str = "cpu"
    ) -> None:
        self.name = name
        self._weights = weights
        self._decoding = decoding
        self._device = device
        self._sessions: dict[tuple[int, ...], Any] = {}

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images."""
        from centertrack.onnx_model import INPUT, convert, open_session

        if images.shape not in self._sessions:
            program = convert(self._weights.load(), images.shape, self._decoding)
            model = program.model_proto.SerializeToString()
            self._sessions[images.shape] = open_session(model, self.name, self._device)
        session = self._sessions[images.shape]
        return RawDetections(*session.run(None, {INPUT: np.ascontiguousarray(images)}))


def choose_runtime(name: str, device: str) -> str:
    """Turn `auto` into the fastest runtime there is for a device, and check any other name.

    Args:
        name: One of `RUNTIMES`.
        device: `cpu` or `cuda[:INDEX]`.

    Raises:
        InputError: The name is unknown, or the runtime is not installed or not for this device.

    >>> choose_runtime("torch", "cuda")
    'torch'
    """
    if name not in RUNTIMES:
        raise InputError(f"runtime must be one of {', '.join(RUNTIMES)}, got {name!r}")
    if name == "auto":
        return next(one for one in FASTEST[device.split(":")[0]] if is_installed(one))
    if name == "openvino" and device != "cpu":
        raise InputError(f"runtime openvino computes on the CPU here, got device {device!r}; use --device cpu")
    if name == "tensorrt" and device == "cpu":
        raise InputError("runtime tensorrt computes on a GPU, got device 'cpu'; use --device cuda")
    if not is_installed(name):
        raise InputError(f"runtime {name} needs the package {name}; pip install {name}, or use runtime torch")
    return name


def is_installed(runtime: str) -> bool:
    """Whether the packages of a runtime are there, told without importing them."""
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES[runtime])


def make_runtime(weights: Weights, name: str, device: str, decoding: DecodeOptions, streams: int = 1) -> Runtime:
    """Build the runtime called `name`, which is not `auto`."""
    if name == "torch":
        return TorchRuntime(weights.load(), device, decoding)
    if name == "openvino":
        return OpenVinoRuntime(weights, decoding, streams)
    return OnnxRuntime(weights, decoding, name, device)
