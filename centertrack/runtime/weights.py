"""Which weights there are and what their networks want to see, where possible without importing torch."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centertrack.models.weights_header import read_config
from tracker.errors import InputError
from tracker.extras import named_extra

if TYPE_CHECKING:
    from centertrack.models.network import CenterNetwork

WEIGHTS_FOLDER = Path(__file__).parents[1] / "weights"
DEFAULT_WEIGHTS = "fairmot-nano"


@dataclass(frozen=True)
class Weights:
    """A network that may still lie in its file.

    Attributes:
        config: Options of `CenterNet`.
        load: Returns the network in evaluation mode.
        digest: Of the file; None for a network that never was in one.
        path: Of the file, if there is one.
    """

    config: dict[str, Any]
    load: Callable[[], CenterNetwork]
    digest: str | None
    path: Path | None = None


def open_weights(weights: str | Path | CenterNetwork) -> Weights:
    """Open bundled weights by name, a weights file, or a network in memory.

    A file of `save_weights` tells its configuration in its header and is not loaded yet; any other is.

    Raises:
        InputError: No such weights, or not weights.
    """
    if not isinstance(weights, str | Path):
        return Weights(weights.config, lambda: weights, None)
    path = find_weights(weights)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if path.suffix == ".safetensors":
        return Weights(read_config(path), partial(_load, path), digest, path)
    model = _load(path)
    return Weights(model.config, lambda: model, digest, path)


def _load(path: Path) -> CenterNetwork:
    with named_extra(f"building the network of {path.name}"):
        from centertrack.models.network import CenterNetwork
        from centertrack.models.weights_file import load_weights

        return load_weights(path, CenterNetwork)


def list_weights() -> list[str]:
    """Return the names of the weights that come with the package."""
    return sorted(path.stem for path in WEIGHTS_FOLDER.glob("*.safetensors"))


def find_weights(name_or_file: str | Path) -> Path:
    """Return the file of bundled weights by name, or the given file.

    Raises:
        InputError: Neither a name nor a file.
    """
    bundled = WEIGHTS_FOLDER / f"{name_or_file}.safetensors"
    if bundled.is_file():
        return bundled
    path = Path(name_or_file)
    if path.is_file():
        return path
    raise InputError(
        f"no weights {str(name_or_file)!r}: give a file, or one of {', '.join(list_weights()) or 'none yet'}"
    )
