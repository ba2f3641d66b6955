"""Which weights there are and what their networks want to see, where possible without importing torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tracker.errors import InputError
from tracker.io.reading import MAX_CLASS

if TYPE_CHECKING:
    from centertrack.models import CenterNet

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
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
    load: Callable[[], CenterNet]
    digest: str | None
    path: Path | None = None


def open_weights(weights: str | Path | CenterNet) -> Weights:
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


def _load(path: Path) -> CenterNet:
    from centertrack.models import from_pretrained

    return from_pretrained(path)


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


def read_config(path: Path) -> dict[str, Any]:
    """Return the configuration of the network that a `.safetensors` file carries in its header.

    Raises:
        InputError: Not a file of `save_weights`, or of another architecture.
    """
    from safetensors import safe_open

    try:
        with safe_open(str(path), framework="np") as file:
            config = json.loads((file.metadata() or {})["config"])
    except Exception as error:  # the reader fails in many ways; a user needs one sentence
        raise InputError(
            f"{path}: carries no network configuration; expected a file written by save_weights"
        ) from error
    if not _describes_centernet(config):
        raise InputError(
            f"{path}: its configuration is not that of a CenterNet, which has "
            f"output_heads with a heatmap of 1 to {MAX_CLASS + 1} "
            f"classes and an "
            "input_format; expected a file written by save_weights"
        )
    return dict(config)


def _describes_centernet(config: Any) -> bool:
    if not isinstance(config, dict):
        return False
    heads = config.get("output_heads")
    heatmap = heads.get("heatmap") if isinstance(heads, dict) else None
    count = heatmap.get("num_classes", 1) if isinstance(heatmap, dict) else 0
    return isinstance(count, int) and 1 <= count <= MAX_CLASS + 1 and isinstance(config.get("input_format"), dict)


def class_names(config: dict[str, Any]) -> list[str]:
    """Return the name of each label of a network; a single class without a name is a person.

    >>> class_names({"output_heads": {"heatmap": {"num_classes": 2}}})
    ['class 0', 'class 1']
    """
    if config.get("class_names"):
        return list(config["class_names"])
    count = config["output_heads"]["heatmap"].get("num_classes", 1)
    return ["person"] if count == 1 else [f"class {i}" for i in range(count)]
