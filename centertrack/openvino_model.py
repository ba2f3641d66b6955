"""CenterNet -> OpenVINO model, kept in the user's cache so that a second start needs no PyTorch."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from centertrack.models import CenterNet
    from centertrack.runtimes import DecodeOptions

KEPT_MODELS = 32
PACKAGE = Path(__file__).parent


def load_or_convert(load: Callable[[], CenterNet], shape: tuple[int, ...], decoding: DecodeOptions, key: str) -> Any:
    """Return the OpenVINO model of a network from the cache, or convert it and put it there.

    Without a writable cache folder everything works the same, only slower.

    Args:
        load: Returns the network; called only where the cache has nothing.
        shape: (N, H, W, 3) of the images.
        decoding: How boxes are read from its maps.
        key: Identifies the weights.
    """
    import openvino

    size = "x".join(map(str, shape))
    name = _digest(f"{key} {size} {decoding} {version('openvino')} {version('torch')} {_code_digest()}".encode())
    path = cache_folder() / f"{name}.xml"
    if path.is_file():
        try:
            return openvino.Core().read_model(path)
        except RuntimeError:  # damaged: write it again
            path.unlink(missing_ok=True)
    model = convert(load(), shape, decoding)
    try:
        _save(model, path)
    except (OSError, RuntimeError) as error:
        logging.getLogger(__name__).info("the converted network could not be kept in %s: %s", path.parent, error)
    return model


def convert(model: CenterNet, shape: tuple[int, ...], decoding: DecodeOptions) -> Any:
    """Convert the whole graph from uint8 pixels to boxes for one input shape.

    `openvino.convert_model` does the same and reports its use to its makers without asking; the front end behind it,
    which is called here, does not.
    """
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.fx_decoder import TorchFXPythonDecoder

    from centertrack.graph import DetectionGraph

    graph = DetectionGraph(model, decoding).eval()
    with _quiet(), torch.no_grad():
        program = torch.export.export(graph, (torch.zeros(shape, dtype=torch.uint8),))
        decoder = TorchFXPythonDecoder.from_exported_program(program, dynamic_shapes=False)
        frontend = FrontEndManager().load_by_framework("pytorch")
        return frontend.convert(frontend.load(decoder))


def cache_folder() -> Path:
    """Return where converted networks are kept: `$XDG_CACHE_HOME/centertrack`, by default `~/.cache/centertrack`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "centertrack")


def file_digest(path: Path) -> str:
    """Return a short digest of a file's content."""
    return _digest(path.read_bytes())


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
