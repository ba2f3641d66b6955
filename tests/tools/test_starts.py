"""The tools that make start weights out of larger or other networks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from prune_channels import choose_channels, narrow
from start_from_nanodet import CONFIG, fill, start_from_nanodet
from torch import nn

from centertrack.models import build_centernet
from centertrack.models.mobilenet import InvertedResidual
from centertrack.predictor import Predictor
from tests.conftest import SHARED_DATA
from tracker.io.video import open_source

NANODET = SHARED_DATA.parent / "teachers" / "nanodet-plus-m" / "nanodet-plus-m.npz"
MINI = SHARED_DATA / "MOT17-mini" / "train" / "MOT17-04-FRCNN"


class Backbone(nn.Module):
    """Two stages of blocks behind a plain convolution."""

    def __init__(self, width: int) -> None:
        super().__init__()
        stem = nn.Conv2d(3, 8, 3, padding=1)
        self.stages = nn.ModuleList(
            [
                nn.Sequential(stem, InvertedResidual(8, 8, 1, width)),
                nn.Sequential(InvertedResidual(8, 6, 2, width)),
            ]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for stage in self.stages:
            x = stage(x)
        return x


def test_channels_that_others_can_stand_in_for_are_left() -> None:
    torch.manual_seed(0)
    wide, slim = Backbone(16).eval(), Backbone(8).eval()
    with torch.no_grad():
        for block in (wide.stages[0][1], wide.stages[1][0]):
            for layer in (block.layers[0], block.layers[2]):  # each channel twice
                layer.weight[8:] = layer.weight[:8]
                layer.bias[8:] = layer.bias[:8]
        slim.stages[0][0].load_state_dict(wide.stages[0][0].state_dict())
    images = [torch.rand(1, 3, 24, 32) for _ in range(4)]
    errors = narrow(wide, slim, images)
    assert [channels for channels, _ in errors] == [(16, 8), (16, 8)]
    assert max(error for _, error in errors) < 1e-4
    with torch.no_grad():
        torch.testing.assert_close(slim(images[0]), wide(images[0]), atol=1e-2, rtol=1e-2)


def test_the_fit_is_that_of_least_squares() -> None:
    generator = np.random.default_rng(0)
    x = torch.from_numpy(generator.normal(size=(200, 6)))
    y = torch.from_numpy(generator.normal(size=(200, 3))) + 4 * x[:, [1, 4, 5]]
    kept, weight, bias, error = choose_channels(x, y, 3)
    assert kept.tolist() == [1, 4, 5]
    design = np.column_stack([x[:, kept].numpy(), np.ones(200)])
    expected, *_ = np.linalg.lstsq(design, y.numpy(), rcond=None)
    np.testing.assert_allclose(np.column_stack([weight.numpy(), bias.numpy()]), expected.T, atol=1e-2)
    rest = ((y.numpy() - design @ expected) ** 2).sum() / ((y - y.mean(dim=0)) ** 2).sum().item()
    assert error == pytest.approx(rest, rel=1e-3)


def test_another_file_of_weights_is_named() -> None:
    network = build_centernet(CONFIG)
    stem = network.backbone.stages[0][0]
    source = {"convrelu_0.weight": torch.zeros(16, 3, 3, 3), "convrelu_0.bias": torch.zeros(16)}
    assert stem.weight.shape == (24, 3, 3, 3)
    with pytest.raises(ValueError, match=r"convrelu_0.weight: expected \(24, 3, 3, 3\), got \(16, 3, 3, 3\)"):
        fill(network, source)


@pytest.mark.skipif(not (NANODET.is_file() and MINI.is_dir()), reason="needs the shared teachers and data")
def test_nanodet_finds_people_before_any_training(tmp_path: Path) -> None:
    start_from_nanodet(NANODET, tmp_path / "start.safetensors")
    predictor = Predictor(tmp_path / "start.safetensors", min_score=0.4, runtime="torch")
    with open_source(MINI) as source:
        found = predictor(next(iter(source)).image)[0]
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    assert len(found) >= 5
    assert (sides[:, 1] > 1.3 * sides[:, 0]).mean() > 0.8  # people are taller than wide
