"""Converted networks in the user's cache: a later start reads them and needs no PyTorch."""

from __future__ import annotations

import logging
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centertrack.runtime.contract import DecodeOptions
from centertrack.runtime.openvino_convert import code_digest, convert, digest
from centertrack.runtime.openvino_core import core
from centertrack.runtime.shipped import read_shipped
from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.runtime.weights import Weights

KEPT_MODELS = 32


def load_or_convert(weights: Weights, shape: tuple[int, ...], decoding: DecodeOptions, is_int8: bool = False) -> Any:
    """Return the OpenVINO model of a network from beside its weights or from the cache, or convert it and put it there.

    Without a writable cache folder everything works the same, only slower.

    Args:
        weights: Loaded only where there is no conversion of them.
        shape: (N, H, W, 3) of the images.
        decoding: How boxes are read from its maps.
        is_int8: The conversion with quantised layers, which lies only beside weights.

    Raises:
        InputError: OpenVINO cannot execute this network, or there is no quantised conversion for it.
    """
    if weights.digest is None:
        return convert(weights.load(), shape, decoding)
    shipped = read_shipped(weights, shape, decoding, is_int8)
    if shipped is not None:
        return shipped
    if is_int8:
        raise InputError(
            "the int8 conversion beside the weights is not for this network, or for so many boxes; use f32"
        )
    versions = f"{version('openvino')} {_torch_version()} {code_digest()}"
    name = digest(f"{weights.digest} {shape} {decoding} {versions}".encode())
    path = cache_folder() / f"{name}.xml"
    if path.is_file():
        try:
            return core().read_model(path)
        except RuntimeError:  # damaged: write it again
            path.unlink(missing_ok=True)
    model = convert(weights.load(), shape, decoding)
    try:
        _save(model, path)
    except (OSError, RuntimeError) as error:
        logging.getLogger(__name__).info("the converted network could not be kept in %s: %s", path.parent, error)
    return model


def _torch_version() -> str:
    try:
        return version("torch")
    except PackageNotFoundError:  # the light install; `weights.load` says so where it is needed
        return "none"


def cache_folder() -> Path:
    """Return where converted networks are kept: `$XDG_CACHE_HOME/centertrack`, by default `~/.cache/centertrack`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "centertrack")


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
