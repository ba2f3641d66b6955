"""Files of weights: safetensors that carry their configuration, checkpoints of a training, published checkpoints."""

from __future__ import annotations

import json
import pickle
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from centertrack.models.network import CenterNetwork, Network
from centertrack.models.published import build_published, is_published, published_config, published_state
from centertrack.models.report import name_some
from centertrack.models.weights_header import read_config
from tracker.errors import InputError
from tracker.io.atomic import atomic_path

TRAINING_ONLY = ("reid_loss.", "balance.")


def load_weights(path: Path, kind: type[Network], allow: Collection[str] = (), trust: bool = False) -> Network:
    """Load weights into the network they belong to, in evaluation mode.

    Args:
        path: A `.safetensors` file of `save_weights`, a `.ckpt` of a training, or a `.pth` of FairMOT or CenterNet (see
            `published.py`). Nothing in the file is executed.
        kind: `CenterNetwork` or a subclass.
        allow: Of a published file: tensors that may be missing or left over, see `published.load_published`.
        trust: Unpickle whatever a file holds, which can execute code in it.

    Raises:
        InputError: Unreadable file, or weights of another architecture than they claim.
    """
    config, state = read_weights(path, trust)
    if is_published(state):
        return build_published(state, str(path), kind, allow)
    try:
        model = kind.from_config(config)
    except InputError as error:
        raise InputError(f"{path}: not weights of a CenterNet: {error}") from error
    except (KeyError, AttributeError) as error:
        raise InputError(f"{path}: not weights of a CenterNet: {error}") from error
    _load_strictly(model, state, path)
    return model.eval()


def save_weights(model: CenterNetwork, path: str | Path, half: bool = True) -> None:
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


def read_weights(path: Path, trust: bool = False) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the configuration of the network and its tensors, of published files by their published names.

    Raises:
        InputError: The file cannot be read as weights.
    """
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


def _load_strictly(model: CenterNetwork, state: Mapping[str, Tensor], path: Path) -> None:
    own = model.state_dict()
    optional = {k for k in own if k.endswith("num_batches_tracked") or k.startswith(TRAINING_ONLY)}
    missing = [key for key in own if key not in state and key not in optional]
    left_over = [key for key in state if key not in own and not key.startswith(TRAINING_ONLY)]
    misshapen = [key for key in own if key in state and own[key].shape != state[key].shape]
    for problem, keys in (("lacks", missing), ("has left over", left_over), ("has another shape of", misshapen)):
        if keys:
            raise InputError(f"{path}: does not fit its network: {problem} {name_some(keys)}")
    model.to(_precision(state))
    model.load_state_dict({**own, **{key: state[key] for key in own if key in state}})


def _precision(state: Mapping[str, Tensor]) -> torch.dtype:
    """Return float32, or float64 if the tensors are."""
    is_double = any(value.dtype == torch.float64 for value in state.values())
    return torch.float64 if is_double else torch.float32
