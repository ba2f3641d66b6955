"""CenterNet -> OpenVINO model, found beside its weights or kept in the user's cache: later starts need no PyTorch."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.catalog import Weights
    from centertrack.models import CenterNet
    from centertrack.runtimes import DecodeOptions

KEPT_MODELS = 32
PACKAGE = Path(__file__).parent


def load_or_convert(weights: Weights, shape: tuple[int, ...], decoding: DecodeOptions) -> Any:
    """Return the OpenVINO model of a network from beside its weights or from the cache, or convert it and put it there.

    Without a writable cache folder everything works the same, only slower.

    Args:
        weights: Loaded only where there is no conversion of them.
        shape: (N, H, W, 3) of the images.
        decoding: How boxes are read from its maps.

    Raises:
        InputError: OpenVINO cannot execute this network.
    """
    import openvino

    from centertrack.shipped_model import read_shipped

    if weights.digest is None:
        return convert(weights.load(), shape, decoding)
    shipped = read_shipped(weights, shape, decoding)
    if shipped is not None:
        return shipped
    versions = f"{version('openvino')} {version('torch')} {_code_digest()}"
    name = _digest(f"{weights.digest} {shape} {decoding} {versions}".encode())
    path = cache_folder() / f"{name}.xml"
    if path.is_file():
        try:
            return openvino.Core().read_model(path)
        except RuntimeError:  # damaged: write it again
            path.unlink(missing_ok=True)
    model = convert(weights.load(), shape, decoding)
    try:
        _save(model, path)
    except (OSError, RuntimeError) as error:
        logging.getLogger(__name__).info("the converted network could not be kept in %s: %s", path.parent, error)
    return model


def convert(
    model: CenterNet,
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

    from centertrack.graph import DetectionGraph

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


def cache_folder() -> Path:
    """Return where converted networks are kept: `$XDG_CACHE_HOME/centertrack`, by default `~/.cache/centertrack`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "centertrack")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:24]


def _code_digest() -> str:
    """Digest the code that the graph is made of, so that a changed decoder never meets an old conversion."""
    sources = [PACKAGE / "graph.py", PACKAGE / "decode.py", Path(__file__), *sorted(PACKAGE.glob("models/*.py"))]
    return _digest(b"".join(path.read_bytes() for path in sources))


def _save(model: Any, path: Path) -> None:
    import openvino

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.xml")
    openvino.save_model(model, temporary, compress_to_fp16=False)
    temporary.with_suffix(".bin").replace(path.with_suffix(".bin"))
    temporary.replace(path)  # last: who sees the graph finds its weights
    kept = sorted(path.parent.glob("[!.]*.xml"), key=lambda file: file.stat().st_mtime)
    for old in kept[:-KEPT_MODELS]:
        old.unlink(missing_ok=True)
        old.with_suffix(".bin").unlink(missing_ok=True)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the warnings that the converter writes about operations of other networks."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
