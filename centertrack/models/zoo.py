"""Weights by name or file: safetensors that carry their configuration, and checkpoints of a training."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor

from centertrack.catalog import DEFAULT_WEIGHTS, find_weights
from centertrack.models.centernet import CenterNet
from tracker.errors import InputError
from tracker.io.atomic import atomic_path

TRAINING_ONLY = ("reid_loss.", "balance.")


def build_centernet(config: str | Path | Mapping[str, Any]) -> CenterNet:
    """Build a CenterNet from a configuration.

    Args:
        config: Options of `CenterNet`, a mapping that has them under `model`, or the path of such a YAML file. The key
            `load_from_checkpoint` names weights to fine-tune from: entries of another shape are skipped and reported.

    Raises:
        InputError: The file cannot be read, or an option is unknown.
    """
    if isinstance(config, str | Path):
        path = Path(config)
        if not path.is_file():
            raise InputError(f"no such model configuration: {path}")
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
        if not isinstance(config, Mapping):
            raise InputError(f"{path}: expected a YAML mapping with the key `model`, got {type(config).__name__}")
    options = dict(config.get("model", config))
    start = options.pop("load_from_checkpoint", None)
    try:
        model = CenterNet(**options)
    except TypeError as error:
        raise InputError(f"model configuration: {str(error).split('__init__() ')[-1]}") from error
    if start:
        load_matching(model, start)
    return model


def from_pretrained(name_or_file: str | Path = DEFAULT_WEIGHTS) -> CenterNet:
    """Load weights together with the network they belong to, in evaluation mode.

    Args:
        name_or_file: Name of bundled weights, a `.safetensors` file of `save_weights`, or a `.ckpt` of a training.
            Nothing in the file is executed.

    Raises:
        InputError: No such weights, unreadable file, or weights of another architecture than they claim.
    """
    path = find_weights(name_or_file)
    config, state = _read(path)
    try:
        model = CenterNet(**config)
    except TypeError as error:
        raise InputError(f"{path}: not weights of a CenterNet: {error}") from error
    _load_strictly(model, state, path)
    return model.eval()


def save_weights(model: CenterNet, path: str | Path) -> None:
    """Write a network for inference: float16 safetensors with the configuration inside."""
    from safetensors.torch import save_file

    state = {
        key: value.half().contiguous() if value.is_floating_point() else value
        for key, value in model.state_dict().items()
        if not key.startswith(TRAINING_ONLY) and not key.endswith("num_batches_tracked")
    }
    config = {**model.config, "num_identities": 0}
    with atomic_path(path) as temporary:
        save_file(state, str(temporary), metadata={"format": "pt", "config": json.dumps(config)})


def load_matching(model: CenterNet, name_or_file: str | Path) -> str:
    """Copy the entries of other weights that fit by name and shape, to fine-tune from them.

    Returns:
        A report of one sentence: how many entries fitted, and which did not.
    """
    path = find_weights(name_or_file)
    _, state = _read(path)
    own = model.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    if not fitting:
        raise InputError(f"{path}: none of its {len(state)} tensors fits this network; is it built for another one?")
    model.load_state_dict({**own, **fitting})
    counted = [key for key in own if not key.endswith("num_batches_tracked")]
    lacking = [key for key in counted if key not in fitting]
    report = f"{path.name}: {len(counted) - len(lacking)} of {len(counted)} tensors loaded"
    return report + (
        f", the rest starts anew: {', '.join(lacking[:5])}{' ...' if len(lacking) > 5 else ''}" if lacking else ""
    )


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the configuration of the network and its tensors."""
    try:
        if path.suffix == ".safetensors":
            return _read_safetensors(path)
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        config, state = dict(checkpoint["hyper_parameters"]), checkpoint["state_dict"]
    except InputError:
        raise
    except Exception as error:  # every reader fails in its own way; a user needs one sentence
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as CenterNet weights ({reason})") from error
    config.pop("_instantiator", None)
    return config, state


def _read_safetensors(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors import safe_open

    with safe_open(str(path), framework="pt") as file:
        metadata = file.metadata() or {}
        if "config" not in metadata:
            raise InputError(f"{path}: carries no network configuration; expected a file written by save_weights")
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 -- not a dict
    return json.loads(metadata["config"]), {k: v.float() if v.is_floating_point() else v for k, v in state.items()}


def _load_strictly(model: CenterNet, state: Mapping[str, Tensor], path: Path) -> None:
    own = model.state_dict()
    optional = {k for k in own if k.endswith("num_batches_tracked") or k.startswith(TRAINING_ONLY)}
    missing = [key for key in own if key not in state and key not in optional]
    left_over = [key for key in state if key not in own]
    misshapen = [key for key in own if key in state and own[key].shape != state[key].shape]
    for problem, keys in (("lacks", missing), ("has left over", left_over), ("has another shape of", misshapen)):
        if keys:
            rest = f" and {len(keys) - 3} more" if len(keys) > 3 else ""
            raise InputError(f"{path}: does not fit its network: {problem} {', '.join(keys[:3])}{rest}")
    model.load_state_dict({**own, **state})
