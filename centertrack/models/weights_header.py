"""What the header of a weights file says, read without importing torch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tracker.errors import InputError
from tracker.io.reading import MAX_CLASS


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
            f"{path}: its configuration is not that of a CenterNet, which has output_heads with a heatmap of 1 to "
            f"{MAX_CLASS + 1} classes and an input_format; expected a file written by save_weights"
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
