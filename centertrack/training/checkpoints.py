"""Networks to train, from a configuration or from weights."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from centertrack.models.published import is_published, load_published_as, rename
from centertrack.models.report import LoadReport
from centertrack.models.weights_file import load_weights, read_weights
from centertrack.runtime.exported import is_exported
from centertrack.runtime.weights import DEFAULT_WEIGHTS, find_weights
from centertrack.training.module import CenterNet
from tracker.errors import InputError
from tracker.io.reading import read_yaml
from tracker.wording import counted


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
    model = CenterNet.from_config(options)
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
        name_or_file: Name of bundled weights, or a file of them, see `models.weights_file.load_weights`.
        allow: Of a published file: tensors that may be missing or left over, see `load_published`.
        trust: Unpickle whatever a file holds, which can execute code in it.

    Raises:
        InputError: No such weights, unreadable file, or weights of another architecture than they claim.
    """
    return load_weights(_find_layers(name_or_file), CenterNet, allow, trust)


def load_published(path: str | Path, allow: Collection[str] = (), trust: bool = False) -> CenterNet:
    """Load a checkpoint of FairMOT or CenterNet into the same network of ours, in evaluation mode.

    The numbers are those of the published network: `get_encoded_outputs` gives its hm, wh, id and reg as heatmap
    (logits), box_2d, reid and offset. A float64 file gives a float64 network.

    Args:
        path: A `.pth` file: a state dict, or a mapping that has it under `state_dict`.
        allow: Tensors that may be missing or left over, by the name that the error gives or the first parts of it.
        trust: Unpickle whatever the file holds, which can execute code in it. Without, only tensors are read.

    Returns:
        The network, with what became of the file's tensors as `load_report`.

    Raises:
        InputError: Not such a file, or tensors are missing or left over.
    """
    return load_published_as(Path(path), CenterNet, allow, trust)


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
    path = _find_layers(name_or_file)
    _, state = read_weights(path)
    if is_published(state):
        state = {rename(key): value for key, value in state.items()}
    own = model.state_dict()
    fitting = {key: value for key, value in state.items() if key in own and own[key].shape == value.shape}
    if not fitting:
        raise InputError(
            f"{path}: none of its {counted(len(state), 'tensor')} fits this network; is it built for another one?"
        )
    model.load_state_dict({**own, **fitting})
    lacking = [key for key in own if key not in fitting and not key.endswith("num_batches_tracked")]
    left_over = [key for key in state if key not in fitting]
    model.load_report = LoadReport(path.name, len(fitting), len(state), tuple(lacking), tuple(left_over))
    return model.load_report


def _find_layers(name_or_file: str | Path) -> Path:
    """Return the file of weights, which must not be an exported graph."""
    path = find_weights(name_or_file)
    if is_exported(path):
        raise InputError(f"{path}: an exported file has no layers to load: give the weights that it was exported from")
    return path
