"""Which runtime executes a network: the fastest that is installed for the device, or the one asked for."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from tracker.errors import InputError
from tracker.extras import require

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
PRECISIONS = ("auto", "f32", "bf16", "f16", "int8")
OFFERS = {"openvino": ("f32", "bf16", "int8"), "torch": ("f32", "f16"), "onnxruntime": ("f32",), "tensorrt": ("f32",)}
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
    require(f"runtime {name}", *PACKAGES[name])
    return name


def is_installed(runtime: str) -> bool:
    """Whether the packages of a runtime are there, told without importing them."""
    return all(importlib.util.find_spec(package) is not None for package in PACKAGES[runtime])


def check_precision(precision: str, runtime: str, device: str) -> str:
    """Return the precision that a runtime is asked for on a device; `auto` is f32 where it does not choose itself.

    Args:
        precision: One of `PRECISIONS`.
        runtime: One of `RUNTIMES`.
        device: `cpu`, `cuda[:INDEX]` or `mps`.

    Raises:
        InputError: The name is unknown, or the runtime does not offer it there.

    >>> check_precision("auto", "torch", "cpu"), check_precision("auto", "openvino", "cpu")
    ('f32', 'auto')
    """
    if precision not in PRECISIONS:
        raise InputError(f"precision must be one of {', '.join(PRECISIONS)}, got {precision!r}")
    offers = [name for name in OFFERS[runtime] if name != "f16" or device.startswith("cuda")]
    if precision == "auto":
        return "auto" if runtime == "openvino" else "f32"
    if precision not in offers:
        raise InputError(f"runtime {runtime} on {device} computes in {' or '.join(offers)}, not in {precision}")
    return precision


def precision_of_file(precision: str, runtime: str, device: str) -> str:
    """Return the precision for a graph in a file, of which nothing was measured: `auto` is f32.

    Args:
        precision: As of `check_precision`, and so are the others.
        runtime: What executes the file.
        device: Where.

    Raises:
        InputError: As `check_precision`, and int8 and f16, which must be in the graph itself.
    """
    asked = check_precision(precision, runtime, device)
    if asked in ("int8", "f16"):
        raise InputError(f"precision {asked} must be in the graph itself, which is executed as it is; use f32 or bf16")
    return "f32" if asked == "auto" else asked


def make_runtime(
    weights: Weights, name: str, device: str, decoding: DecodeOptions, streams: int = 1, precision: str = "auto"
) -> Runtime:
    """Build a runtime.

    Args:
        weights: What it executes.
        name: One of `RUNTIMES`, not `auto`.
        device: `cpu`, `cuda[:INDEX]` or `mps`.
        decoding: How boxes are read from the network's maps.
        streams: Calls that are worth making at the same time, where the runtime can.
        precision: One of `PRECISIONS`.

    Raises:
        InputError: The runtime does not offer the precision there.
        MissingPackageError: Its packages are not installed.
    """
    precision = check_precision(precision, name, device)
    if name == "torch":
        from centertrack.runtime.torch import TorchRuntime

        return TorchRuntime(weights.load(), device, decoding, precision)
    if name == "openvino":
        from centertrack.runtime.openvino import OpenVinoRuntime

        return OpenVinoRuntime(weights, decoding, streams, precision)
    from centertrack.runtime.onnx import OnnxRuntime

    return OnnxRuntime(weights, decoding, name, device)
