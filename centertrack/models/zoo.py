"""Weights by name or file: safetensors that carry their configuration, and checkpoints of a training."""

from __future__ import annotations

import json
import logging
import pickle
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from centertrack.catalog import DEFAULT_WEIGHTS, find_weights, read_config
from centertrack.exported import is_exported
from centertrack.models.centernet import CenterNet
from centertrack.models.published import build_published, is_published, published_config, published_state, rename
from centertrack.models.report import LoadReport, name_some
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.reading import read_yaml

TRAINING_ONLY = ("reid_loss.", "balance.")


def build_centernet(config: str | Path | Mapping[str, Any]) -> CenterNet:
    """Build a CenterNet from a configuration.

    Args:
        config: Options of `CenterNet`, a mapping that has them under `model`, or the path of such a YAML file. The key
            `load_from_checkpoint` names weights to fine-tune from: entries that do not fit are skipped with a warning
            and listed in the network's `load_report`.

    Raises:
        InputError: The file cannot be read, or an option is unknown.
    """
    if isinstance(config, str | Path):
        path = Path(config)
        if not path.is_file():
            raise InputError(f"no such model configuration: {path}")
        config = read_yaml(path)
        if not isinstance(config, Mapping):
            raise InputError(f"{path}: expected a YAML mapping with the key `model`, got {type(config).__name__}")
    options = dict(config.get("model", config))
    start = options.pop("load_from_checkpoint", None)
    try:
        model = CenterNet(**options)
    except TypeError as error:
        raise InputError(f"model configuration: {str(error).split('__init__() ')[-1]}") from error
    if start:
        report = load_matching(model, start)
        level = logging.INFO if report.is_complete else logging.WARNING
        logging.getLogger(__name__).log(level, "%s", report)
    return model


def from_pretrained(
    name_or_file: str | Path = DEFAULT_WEIGHTS, allow: Collection[str] = (), trust: bool = False
) -> CenterNet:
    """Load weights together with the network they belong to, in evaluation mode.

    Args:
        name_or_file: Name of bundled weights, a `.safetensors` file of `save_weights`, a `.ckpt` of a training, or a
            `.pth` of FairMOT or CenterNet (see `published.py`). Nothing in the file is executed.
        allow: Of a published file: tensors that may be missing or left over, see `load_published`.
        trust: Unpickle whatever a file holds, which can execute code in it.

    Raises:
        InputError: No such weights, unreadable file, or weights of another architecture than they claim.
    """
    path = find_weights(name_or_file)
    config, state = _read(path, trust)
    if is_published(state):
        return build_published(state, str(path), allow)
    try:
        model = CenterNet(**config)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not weights of a CenterNet: {error}") from error
    _load_strictly(model, state, path)
    return model.eval()


def save_weights(model: CenterNet, path: str | Path, half: bool = True) -> None:
    """Write a network for inference: safetensors with the configuration inside.

    Args:
        model: The network.
        path: Where to; replaced only when everything is written.
        half: Store float16, half the size; otherwise the numbers as they are.
    """
    state = {
        key: (value.half() if half and value.is_floating_point() else value).contiguous()
        for key, value in model.state_dict().items()
        if not key.startswith(TRAINING_ONLY) and not key.endswith("num_batches_tracked")
    }
    config = {**model.config, "num_identities": 0}
    with atomic_path(path) as temporary:
        save_file(state, str(temporary), metadata={"format": "pt", "config": json.dumps(config)})


def load_matching(model: CenterNet, name_or_file: str | Path) -> LoadReport:
    """Copy the entries of other weights that fit by name and shape, to fine-tune from them.

    Args:
        model: Gets the weights, and the report as `load_report`.
        name_or_file: As for `from_pretrained`.

    Returns:
        What fitted and what did not.

    Raises:
        InputError: No such weights, unreadable file, or nothing fits.
    """
    path = find_weights(name_or_file)
    _, state = _read(path)
    if is_published(state):
        state = {rename(key): value for key, value in state.items()}
    own = model.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    if not fitting:
        raise InputError(f"{path}: none of its {len(state)} tensors fits this network; is it built for another one?")
    model.load_state_dict({**own, **fitting})
    lacking = [key for key in own if key not in fitting and not key.endswith("num_batches_tracked")]
    left_over = [key for key in state if key not in fitting]
    model.load_report = LoadReport(path.name, len(fitting), len(state), tuple(lacking), tuple(left_over))
    return model.load_report


def _read(path: Path, trust: bool = False) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the configuration of the network and its tensors, of published files by their published names."""
    if is_exported(path):
        raise InputError(f"{path}: an exported file has no layers to load: give the weights that it was exported from")
    try:
        if path.suffix == ".safetensors":
            return read_config(path), load_file(path)
        checkpoint = torch.load(path, map_location="cpu", weights_only=not trust)
        if not isinstance(checkpoint, Mapping) or "hyper_parameters" not in checkpoint:
            state = published_state(checkpoint, path)
            return published_config(state, str(path)), state
        config = dict(checkpoint["hyper_parameters"])
        config.pop("_instantiator", None)
        return config, checkpoint["state_dict"]
    except InputError:
        raise
    except pickle.UnpicklingError as error:  # torch's own message advises to execute what is in the file
        raise InputError(
            f"{path}: not a checkpoint, or one that holds more than tensors and plain values, which is refused because "
            "it could execute code; expected a file of a training, of save_weights, or published FairMOT or CenterNet "
            "weights"
        ) from error
    except Exception as error:  # every reader fails in its own way; a user needs one sentence
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as CenterNet weights ({reason})") from error


def _load_strictly(model: CenterNet, state: Mapping[str, Tensor], path: Path) -> None:
    own = model.state_dict()
    optional = {k for k in own if k.endswith("num_batches_tracked") or k.startswith(TRAINING_ONLY)}
    missing = [key for key in own if key not in state and key not in optional]
    left_over = [key for key in state if key not in own]
    misshapen = [key for key in own if key in state and own[key].shape != state[key].shape]
    for problem, keys in (("lacks", missing), ("has left over", left_over), ("has another shape of", misshapen)):
        if keys:
            raise InputError(f"{path}: does not fit its network: {problem} {name_some(keys)}")
    model.to(_precision(state))
    model.load_state_dict({**own, **state})


def _precision(state: Mapping[str, Tensor]) -> torch.dtype:
    """Return float32, or float64 if the tensors are."""
    is_double = any(value.dtype == torch.float64 for value in state.values())
    return torch.float64 if is_double else torch.float32
