"""Networks in files of other projects (ONNX, OpenVINO): what they say about themselves, and their execution."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from centertrack.runtime.choose import precision_of_file
from centertrack.runtime.exported import choose_exported_runtime, runtimes_of
from centertrack.runtime.last_used import LastUsed
from centertrack.runtime.onnx import open_session
from centertrack.runtime.openvino_core import compile_model, read_model, reason_of
from centertrack.runtime.openvino_requests import Requests
from tracker.errors import InputError
from tracker.io.reading import is_file, read_yaml

Array = NDArray[Any]
Shape = tuple[int | None, ...]
METADATA_FILE = "metadata.yaml"  # beside an OpenVINO model of ultralytics


@dataclass(frozen=True)
class Port:
    """An input or output of a graph.

    Attributes:
        name: In the file.
        shape: Length of each axis, None where it varies.
        dtype: Of the numbers.

    >>> str(Port("images", (1, 3, None, None), np.dtype("float32")))
    'images float32 (1, 3, ?, ?)'
    """

    name: str
    shape: Shape
    dtype: np.dtype[Any]

    @override
    def __str__(self) -> str:
        """Return name, type and shape."""
        lengths = ", ".join("?" if length is None else str(length) for length in self.shape)
        return f"{self.name} {self.dtype} ({lengths}{',' * (len(self.shape) == 1)})"


class NetworkFile(ABC):
    """An open network.

    Attributes:
        path: Its file.
        name: The runtime that executes it.
        streams: Calls worth making at the same time.
        precision: In which it computes.
        inputs: What it takes, as the file says.
        metadata: What the file says beyond the graph, by name.
    """

    name: str
    streams: int = 1
    precision: str = "f32"

    def __init__(self, path: Path, inputs: Sequence[Port], metadata: dict[str, Any]) -> None:
        self.path, self.inputs, self.metadata = path, tuple(inputs), metadata

    @abstractmethod
    def outputs_for(self, shapes: Sequence[tuple[int, ...]]) -> tuple[Port, ...]:
        """Return what comes out for inputs of these shapes.

        Raises:
            InputError: The graph does not take them.
        """

    @abstractmethod
    def __call__(self, values: Sequence[Array]) -> list[Array]:
        """Execute the graph with a value for each of its inputs.

        Raises:
            InputError: It cannot be executed with them.
        """

    def refuse(self, shapes: Sequence[tuple[int, ...]], error: Exception) -> InputError:
        """Return the error that says which inputs the graph does not take."""
        given = " and ".join(str(shape) for shape in shapes)
        takes = " and ".join(str(port) for port in self.inputs)
        return InputError(f"{self.path}: takes {takes}, and cannot be executed with {given} ({reason_of(error)})")


class OpenVinoFile(NetworkFile):
    """A network that OpenVINO executes on the CPU."""

    name = "openvino"

    def __init__(self, path: Path, streams: int = 1, precision: str = "auto") -> None:
        self.precision = precision_of_file(precision, self.name, "cpu")
        try:
            self._model = read_model(path)
        except Exception as error:  # of a C++ library, without a common base
            raise InputError(f"{path}: cannot be read ({reason_of(error)})") from error
        super().__init__(path, [_port_of(port) for port in self._model.inputs], _openvino_metadata(path, self._model))
        self.streams = streams
        self._changing = threading.Lock()
        self._compiled = LastUsed(self._compile)

    @override
    def outputs_for(self, shapes: Sequence[tuple[int, ...]]) -> tuple[Port, ...]:
        with self._changing:
            self._reshape(shapes)
            return tuple(_port_of(port) for port in self._model.outputs)

    @override
    def __call__(self, values: Sequence[Array]) -> list[Array]:
        shapes = tuple(value.shape for value in values)
        try:
            return self._compiled[shapes].infer(dict(enumerate(values)))
        except RuntimeError as error:
            raise self.refuse(shapes, error) from error

    def _reshape(self, shapes: Sequence[tuple[int, ...]]) -> None:
        """Fix the shapes of the inputs, unless they are these already."""
        ports = self._model.inputs
        if all(_shape_of(port) == shape for port, shape in zip(ports, shapes, strict=True)):
            return
        try:
            self._model.reshape({port: list(shape) for port, shape in zip(ports, shapes, strict=True)})
        except RuntimeError as error:
            raise self.refuse(shapes, error) from error

    def _compile(self, shapes: tuple[tuple[int, ...], ...]) -> Requests:
        with self._changing:
            self._reshape(shapes)
            try:
                model = self._model.clone()  # bfloat16 changes it, and it would take no other shape afterwards
                compiled = compile_model(model, self.precision, self.streams)
            except RuntimeError as error:  # an operation that it does not know, or knows in part
                other = "; use runtime onnxruntime" if self.path.suffix == ".onnx" else ""
                raise InputError(f"{self.path}: OpenVINO cannot execute it ({reason_of(error)}){other}") from error
        return Requests(compiled, self.streams)


class OnnxRuntimeFile(NetworkFile):
    """A network that ONNX Runtime executes, or TensorRT inside it."""

    def __init__(self, path: Path, name: str, device: str) -> None:
        self.name = name
        self._session = open_session(path, name, device)
        metadata = dict(self._session.get_modelmeta().custom_metadata_map)
        super().__init__(path, [_port_of_session(value) for value in self._session.get_inputs()], metadata)

    @override
    def outputs_for(self, shapes: Sequence[tuple[int, ...]]) -> tuple[Port, ...]:
        for port, shape in zip(self.inputs, shapes, strict=True):
            if any(fixed not in (None, length) for fixed, length in zip(port.shape, shape, strict=True)):
                raise self.refuse(shapes, ValueError("its shapes are fixed"))
        ports = [_port_of_session(value) for value in self._session.get_outputs()]
        if all(None not in port.shape for port in ports):
            return tuple(ports)
        blank = [np.zeros(shape, port.dtype) for shape, port in zip(shapes, self.inputs, strict=True)]
        found = self(blank)
        lengths = [tuple(length or None for length in values.shape) for values in found]
        return tuple(Port(port.name, shape, port.dtype) for port, shape in zip(ports, lengths, strict=True))

    @override
    def __call__(self, values: Sequence[Array]) -> list[Array]:
        feeds = {port.name: value for port, value in zip(self.inputs, values, strict=True)}
        try:
            return list(self._session.run(None, feeds))
        except Exception as error:  # of a C++ library, without a common base
            raise self.refuse([value.shape for value in values], error) from error


def open_network(
    path: Path, runtime: str = "auto", device: str = "cpu", streams: int = 1, precision: str = "auto"
) -> NetworkFile:
    """Open a network of another project.

    Args:
        path: `.onnx`, or `.xml` with a `.bin` beside it.
        runtime: `auto`, or one that can execute the format.
        device: `cpu` or `cuda[:INDEX]`.
        streams: Calls worth making at the same time, where the runtime can.
        precision: See `choose.PRECISIONS`; `auto` is f32.

    Raises:
        InputError: No such file, it cannot be read, or the runtime is not installed or not for this format or device.
    """
    if not is_file(path):
        raise InputError(f"no such network: {path}")
    chosen = choose_exported_runtime(runtimes_of(path), runtime, device)
    if chosen == "openvino":
        return OpenVinoFile(path, streams, precision)
    precision_of_file(precision, chosen, device)
    return OnnxRuntimeFile(path, chosen, device)


def _shape_of(port: Any) -> Shape:
    shape = port.get_partial_shape()
    return tuple(axis.get_length() if axis.is_static else None for axis in shape)


def _port_of(port: Any) -> Port:
    names = sorted(port.get_names())
    name = names[0] if names else port.get_node().get_friendly_name()
    rank = port.get_partial_shape().rank
    return Port(name, _shape_of(port) if rank.is_static else (), _dtype(port.get_element_type().to_dtype))


def _dtype(read: Callable[[], Any]) -> np.dtype[Any]:
    """Return the type of numbers, `object` where numpy has none, as for text."""
    try:
        return np.dtype(read())
    except (TypeError, RuntimeError):
        return np.dtype(object)


_KINDS = {"float": "float32", "double": "float64"}  # ONNX's name -> numpy's, where they differ


def _port_of_session(value: Any) -> Port:
    kind = value.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(length if isinstance(length, int) else None for length in value.shape)
    return Port(value.name, shape, _dtype(lambda: _KINDS.get(kind, kind)))


def _openvino_metadata(path: Path, model: Any) -> dict[str, Any]:
    """Return the metadata of an ONNX file, or of an OpenVINO model and the YAML file of ultralytics beside it."""
    found: dict[str, Any] = {}
    for section in ("framework", "model_info"):
        if model.has_rt_info([section]):
            values = model.get_rt_info([section]).value
            found.update(values if isinstance(values, dict) else {})
    beside = path.parent / METADATA_FILE
    if path.suffix == ".xml" and is_file(beside):
        content = read_yaml(beside)
        found.update(content if isinstance(content, dict) else {})
    return found
