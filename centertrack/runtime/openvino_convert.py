"""Networks converted to OpenVINO models."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centertrack.runtime.contract import DecodeOptions
from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.models.network import CenterNetwork

PACKAGE = Path(__file__).parents[1]


def convert(
    model: CenterNetwork,
    shape: tuple[int, ...],
    decoding: DecodeOptions,
    dynamic_batch: bool = False,
    dynamic_size: bool = False,
) -> Any:
    """Convert the whole graph from uint8 pixels to boxes.

    `openvino.convert_model` does the same and reports its use to its makers without asking; the front end behind it,
    which is called here, does not.

    Args:
        model: The network, in evaluation mode.
        shape: (N, H, W, 3) of the images.
        decoding: How boxes are read from its maps.
        dynamic_batch: Let N vary.
        dynamic_size: Let H and W vary, in multiples of 32; `reshape` the model to those wanted before compiling it.

    Raises:
        InputError: The network has an operation that OpenVINO does not know.
    """
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.fx_decoder import TorchFXPythonDecoder

    from centertrack.runtime.graph import DetectionGraph

    graph = DetectionGraph(model, decoding).eval()
    try:
        with _quiet(), torch.no_grad():
            # An example batch of 1 would make 1 a constant of the graph.
            example = torch.zeros((2, *shape[1:]) if dynamic_batch else shape, dtype=torch.uint8)
            dynamic = [0] * dynamic_batch + [1, 2] * dynamic_size
            dimensions = (dict.fromkeys(dynamic, torch.export.Dim.AUTO),) if dynamic else None
            program = torch.export.export(graph, (example,), dynamic_shapes=dimensions)
            decoder = TorchFXPythonDecoder.from_exported_program(program, dynamic_shapes=bool(dynamic))
            frontend = FrontEndManager().load_by_framework("pytorch")
            converted = frontend.convert(frontend.load(decoder))
    except Exception as error:  # both libraries fail in many ways
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise InputError(f"OpenVINO cannot execute this network ({reason}); use runtime torch") from error
    if dynamic:
        converted.reshape([-1 if axis in dynamic else length for axis, length in enumerate(shape)])
    return converted


def code_digest() -> str:
    """Digest the code that the graph is made of, so that a changed layer or decoder never meets an old conversion."""
    sources = [
        PACKAGE / "decode.py",
        Path(__file__),
        Path(__file__).with_name("graph.py"),
        *PACKAGE.glob("models/*.py"),
    ]
    return digest("\n".join(path.read_text(encoding="utf-8") for path in sorted(sources)).encode())


def digest(content: bytes) -> str:
    """Return a name for some bytes: 24 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()[:24]


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the warnings that the converter writes about operations of other networks."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
