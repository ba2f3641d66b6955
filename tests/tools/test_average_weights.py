from __future__ import annotations

from pathlib import Path

import pytest
import torch
from average_weights import average_weights

from centertrack.models import from_pretrained, save_weights
from tests.centertrack.conftest import small_network
from tracker.errors import InputError


def test_parts_lie_between_start_and_training(tmp_path: Path) -> None:
    first, second = small_network(seed=0), small_network(seed=1)
    save_weights(first, tmp_path / "start.safetensors", half=False)
    save_weights(second, tmp_path / "trained.safetensors", half=False)
    paths = tmp_path / "start.safetensors", tmp_path / "trained.safetensors", tmp_path / "out.safetensors"
    average_weights(*paths, parts=["heads.heatmap", "neck"], share=0.25)
    before, after = first.state_dict(), second.state_dict()
    for name, value in from_pretrained(tmp_path / "out.safetensors").state_dict().items():
        averaged = name.startswith(("heads.heatmap", "neck")) and value.is_floating_point()
        torch.testing.assert_close(value, before[name] * 0.75 + after[name] * 0.25 if averaged else after[name])
    with pytest.raises(InputError, match="no tensor has a name that begins with 'nack'"):
        average_weights(*paths, parts=["nack"])


def test_weights_of_another_network_are_named(tmp_path: Path) -> None:
    save_weights(small_network("detection"), tmp_path / "start.safetensors")
    save_weights(small_network(), tmp_path / "trained.safetensors")
    paths = tmp_path / "start.safetensors", tmp_path / "trained.safetensors", tmp_path / "out.safetensors"
    with pytest.raises(InputError, match="is it another network"):
        average_weights(*paths, parts=["heads.reid"])
