"""Weights of classification networks for backbones: fetched by the library that owns them, or read from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError

import torch
from torch import Tensor, nn

from tracker.errors import InputError

Result = TypeVar("Result")


def fetch(build: Callable[[], Result], name: str) -> Result:
    """Call a constructor that may download weights.

    Raises:
        InputError: It failed for want of a network, with the way out.
    """
    try:
        return build()
    except (URLError, OSError) as error:
        raise InputError(
            f"ImageNet weights of {name} could not be fetched ({error}); without a network set "
            "`pretrained: false`, or give `pretrained` the path of a local state dict"
        ) from error


def read_state_dict(path: str) -> dict[str, Tensor]:
    """Read tensors by name from `.safetensors` or from what torch.save wrote; nothing in the file is executed.

    Raises:
        InputError: No such file, or not such a file.
    """
    if not Path(path).is_file():
        raise InputError(f"no such weights file: {path}")
    try:
        if path.endswith(".safetensors"):
            from safetensors.torch import load_file

            return load_file(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
        return state.get("state_dict", state)
    except Exception as error:  # every reader fails in its own way; a user needs one sentence
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path}: cannot be read as a state dict ({reason})") from error


def load_local(net: nn.Module, pretrained: bool | str, owner: str) -> None:
    """Load a local state dict into a network that nobody offers weights of; False loads nothing.

    Raises:
        InputError: `pretrained` is True, or the file does not fit.
    """
    if pretrained is True:
        raise InputError(f"{owner} has no weights to fetch: give pretrained the path of a state dict, or false")
    if pretrained:
        load_exactly(net, read_state_dict(pretrained), pretrained)


def load_exactly(net: nn.Module, state: Mapping[str, Tensor], path: str) -> None:
    """Load a state dict that must fit tensor for tensor; only batch counters may be missing.

    Raises:
        InputError: It does not fit.
    """
    own: dict[str, Any] = net.state_dict()
    missing = [key for key in own if key not in state and not key.endswith("num_batches_tracked")]
    left_over = [key for key in state if key not in own or own[key].shape != state[key].shape]
    if missing or left_over:
        raise InputError(
            f"{path} does not fit this backbone: it lacks {missing[:3]} ({len(missing)} in all), and "
            f"{left_over[:3]} ({len(left_over)} in all) have no place in it or another shape"
        )
    net.load_state_dict({**own, **state})
