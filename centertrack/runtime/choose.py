"""Which runtime executes a network: the fastest that is installed for the device, or the one asked for."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from tracker.errors import InputError, MissingPackageError
from tracker.extras import missing

if TYPE_CHECKING:
    from centertrack.runtime.contract import DecodeOptions, Runtime
    from centertrack.runtime.weights import Weights

RUNTIMES = ("auto", "torch", "onnxruntime", "openvino", "tensorrt")
PACKAGES: dict[str, tuple[str, ...]] = {  # beyond what is always there
    "torch": ("torch",),
    "openvino": ("openvino",),
    "onnxruntime": ("torch", "onnxruntime", "onnxscript"),
    "tensorrt": ("torch", "tensorrt", "onnxruntime", "onnxscript"),
}
COMPUTES_ON = {
    "torch": ("cpu", "cuda", "mps"),
    "openvino": ("cpu",),
    "onnxruntime": ("cpu", "cuda"),
    "tensorrt": ("cuda",),
}
FASTEST = {  # of those installed
    "cpu": ("openvino", "onnxruntime", "torch"),
    "cuda": ("tensorrt", "torch"),
    "mps": ("torch",),
}


def choose_runtime(name: str, device: str) -> str:
    """Turn `auto` into the fastest runtime there is for a device, and check any other name.

    Args:
        name: One of `RUNTIMES`.
        device: `cpu`, `cuda[:INDEX]` or `mps`.

    Raises:
        InputError: The name is unknown, or the runtime is not installed or not for this device.

    >>> choose_runtime("torch", "cuda")
    'torch'
    """
    if name not in RUNTIMES:
        raise InputError(f"runtime must be one of {', '.join(RUNTIMES)}, got {name!r}")
    if name == "auto":
        fastest = FASTEST[device.split(":")[0]]
        name = next((one for one in fastest if is_installed(one)), fastest[0])
    able = COMPUTES_ON[name]
    if device.split(":")[0] not in able:
        raise InputError(
            f"runtime {name} computes on {' or '.join(able)}, got device {device!r}; use --device {able[0]}"
        )
    for package in PACKAGES[name]:
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(missing(f"runtime {name}", package))
    return name


def is_installed(runtime: str) -> bool:
    """Whether the packages of a runtime are there, told without importing them."""
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES[runtime])


def make_runtime(weights: Weights, name: str, device: str, decoding: DecodeOptions, streams: int = 1) -> Runtime:
    """Build the runtime called `name`, which is not `auto`."""
    if name == "torch":
        from centertrack.runtime.torch import TorchRuntime

        return TorchRuntime(weights.load(), device, decoding)
    if name == "openvino":
        from centertrack.runtime.openvino import OpenVinoRuntime

        return OpenVinoRuntime(weights, decoding, streams)
    from centertrack.runtime.onnx import OnnxRuntime

    return OnnxRuntime(weights, decoding, name, device)
