"""Executes files of `export.py`: one fixed graph from pixels to boxes, without the network's code."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from centertrack.runtime.choose import COMPUTES_ON, precision_of_file
from centertrack.runtime.contract import RawDetections
from centertrack.runtime.onnx import (
    INPUT,
    PROVIDERS,
    available_providers,
    import_onnxruntime,
    open_session,
    quiet,
)
from centertrack.runtime.openvino_core import compile_model, read_model, reason_of
from tracker.errors import InputError, MissingPackageError
from tracker.extras import missing, named_extra, require
from tracker.io.reading import parse_json

Array = NDArray[Any]
Execute = Callable[[Array], Sequence[Array]]
METADATA = "centertrack"
FORMATS = {".onnx": "onnx", ".xml": "openvino", ".torchscript": "torchscript"}  # by suffix
RUNTIMES = {  # that can execute a format, fastest on a CPU first
    "onnx": ("openvino", "onnxruntime", "tensorrt"),
    "openvino": ("openvino",),
    "torchscript": ("torch",),
}


@dataclass(frozen=True)
class ExportedFile:
    """An exported network.

    Attributes:
        path: The file.
        config: Options of the `CenterNet` it is from; `input_format` says the one size it takes.
        batch: Images a call, None for any number.
    """

    path: Path
    config: dict[str, Any]
    batch: int | None

    @property
    def format(self) -> str:
        """One of `FORMATS`."""
        return FORMATS[self.path.suffix]

    @property
    def runtimes(self) -> tuple[str, ...]:
        """What can execute it, fastest on a CPU first."""
        return runtimes_of(self.path)


def runtimes_of(path: Path) -> tuple[str, ...]:
    """Return what can execute a file of one of `FORMATS`, fastest on a CPU first."""
    return RUNTIMES[FORMATS[path.suffix]] if openvino_can_read(path) else ("onnxruntime", "tensorrt")


def is_exported(weights: object) -> TypeGuard[str | Path]:
    """Whether these are weights in a file of a format that `export.py` writes, told by the suffix."""
    return isinstance(weights, str | Path) and Path(weights).suffix in FORMATS


def read_exported(path: str | Path) -> ExportedFile:
    """Read what an exported file says about itself.

    Raises:
        InputError: No such file, not written by `export.py`, or what reads the format is not installed.
    """
    found = find_exported(path)
    if found is None:
        raise InputError(f"{path}: carries no network configuration; expected a file of `centertrack export`")
    return found


def find_exported(path: str | Path) -> ExportedFile | None:
    """Read what an exported file says about itself; None for a graph that `export.py` did not write.

    Raises:
        InputError: No such file, it cannot be read, or what reads the format is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"no such exported network: {path}")
    readers = {".onnx": _read_onnx, ".xml": _read_openvino, ".torchscript": _read_torchscript}
    try:
        text = readers[path.suffix](path)
    except InputError:
        raise
    except Exception as error:  # every reader fails in its own way; a user needs one sentence
        raise InputError(f"{path}: cannot be read ({reason_of(error)})") from error
    if not text:
        return None
    about = parse_json(text, str(path), 1)
    about = about if isinstance(about, dict) else {}
    if not isinstance(about.get("config"), dict) or not isinstance(about.get("batch", ""), int | None):
        raise InputError(f"{path}: carries no network configuration; expected a file of `centertrack export`")
    return ExportedFile(path, about["config"], about["batch"])


def openvino_can_read(path: Path) -> bool:
    """Whether OpenVINO can read a file: its ONNX reader ends the process at a deformable convolution."""
    return path.suffix != ".onnx" or b"DeformConv" not in path.read_bytes()


def _read_onnx(path: Path) -> str:
    if importlib.util.find_spec("onnxruntime") is None and openvino_can_read(path):
        return _rt_info(read_model(path), ["framework", METADATA])
    options = import_onnxruntime().SessionOptions()
    options.graph_optimization_level = import_onnxruntime().GraphOptimizationLevel.ORT_DISABLE_ALL
    session = import_onnxruntime().InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return str(session.get_modelmeta().custom_metadata_map.get(METADATA, ""))


def _read_openvino(path: Path) -> str:
    return _rt_info(read_model(path), [METADATA])


def _rt_info(model: Any, key: list[str]) -> str:
    return str(model.get_rt_info(key).value) if model.has_rt_info(key) else ""


def _read_torchscript(path: Path) -> str:
    with named_extra("a file of TorchScript"):
        import torch

    files = {METADATA: ""}
    with quiet():
        torch.jit.load(str(path), map_location="cpu", _extra_files=files)
    text: Any = files[METADATA]
    return text.decode() if isinstance(text, bytes) else text


class ExportedRuntime:
    """Executes an exported file.

    Args:
        file: What `read_exported` said.
        runtime: `auto`, or one that can execute the format.
        device: `cpu`, `cuda[:INDEX]` or `mps`.
        image_size: Width and height that a user asked for: those of the file, or None.
        precision: See `choose.PRECISIONS`; `auto` is f32.

    Attributes:
        name: What executes it.
        precision: In which it computes.
        streams: 1: calls worth making at the same time.

    Raises:
        InputError: The runtime is not installed or not for this format or device.
    """

    streams = 1

    def __init__(
        self,
        file: ExportedFile,
        runtime: str = "auto",
        device: str = "cpu",
        image_size: tuple[int, int] | None = None,
        precision: str = "auto",
    ) -> None:
        width, height = file.config["input_format"]["size"]
        if image_size not in (None, (width, height)):
            raise InputError(f"{file.path} was exported for {width}x{height}; export it again for another size")
        self.name = choose_exported_runtime(file.runtimes, runtime, device)
        self.precision = precision_of_file(precision, self.name, device)
        self._file = file
        self._execute = self._open(file.path, device)

    def __call__(self, images: Array) -> RawDetections:
        """Find objects in (N, H, W, 3) uint8 RGB images of the file's size.

        Raises:
            ValueError: Images of another size.
        """
        width, height = self._file.config["input_format"]["size"]
        if images.shape[1:] != (height, width, 3):
            raise ValueError(f"{self._file.path.name} takes images of {height}x{width}x3, got {images.shape[1:]}")
        step = self._file.batch or len(images)
        parts = [self._run(images[start : start + step], step) for start in range(0, len(images), step)]
        return RawDetections(*(np.concatenate(values) for values in zip(*parts, strict=True)))

    def _open(self, path: Path, device: str) -> Execute:
        if self.name == "openvino":
            return _open_openvino(path, self.precision)
        if self.name == "torch":
            return _open_torchscript(path, device)
        return _open_onnxruntime(path, self.name, device)

    def _run(self, images: Array, count: int) -> list[Array]:
        """Execute one call; a last, smaller batch is filled up."""
        missing = count - len(images)
        filled = np.concatenate([images, np.repeat(images[-1:], missing, axis=0)]) if missing else images
        return [np.array(values[: len(images)]) for values in self._execute(np.ascontiguousarray(filled))]


def device_for(path: Path, device: str) -> str:
    """Return a device that was found rather than asked for, or `cpu` where nothing installed executes a file on it.

    Args:
        path: Of one of `FORMATS`.
        device: `cpu`, `cuda[:INDEX]` or `mps`.
    """
    kind = device.split(":")[0]
    if kind == "cpu":
        return device
    able = [name for name in runtimes_of(path) if kind in COMPUTES_ON[name] and importlib.util.find_spec(name)]
    providers = available_providers() if importlib.util.find_spec("onnxruntime") else []
    return device if any(name == "torch" or PROVIDERS.get(name) in providers for name in able) else "cpu"


def choose_exported_runtime(runtimes: Sequence[str], runtime: str, device: str) -> str:
    """Turn `auto` into the fastest installed runtime for an exported file, and check any other name.

    Args:
        runtimes: That can execute the file, fastest first.
        runtime: What is asked for.
        device: `cpu`, `cuda[:INDEX]` or `mps`.

    Raises:
        InputError: Nothing that is installed executes this file on this device.

    >>> choose_exported_runtime(["torch"], "auto", "cpu")
    'torch'
    """
    able = [name for name in runtimes if device.split(":")[0] in COMPUTES_ON[name]]
    names = " or ".join(able) or "no runtime"
    if runtime == "auto":
        installed = [name for name in able if importlib.util.find_spec(name) is not None]
        if installed:
            return installed[0]
        if able:
            raise MissingPackageError(missing(f"running this file on {device}", able[0]))
    if runtime not in able:
        raise InputError(f"on {device} this file runs with {names}, not with {runtime}")
    require(f"runtime {runtime}", runtime)
    return runtime


def _open_onnxruntime(path: Path, runtime: str, device: str) -> Execute:
    session = open_session(path, runtime, device)
    return lambda images: session.run(None, {INPUT: images})


def _open_openvino(path: Path, precision: str) -> Execute:
    compiled = compile_model(read_model(path), precision)
    return lambda images: list(compiled({0: images}).values())


def _open_torchscript(path: Path, device: str) -> Execute:
    import torch

    with quiet():
        graph = torch.jit.load(str(path), map_location=device)

    def execute(images: Array) -> list[Array]:
        with torch.inference_mode():
            return [values.cpu().numpy() for values in graph(torch.from_numpy(images).to(device))]

    return execute
