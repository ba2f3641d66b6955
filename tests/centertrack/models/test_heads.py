from __future__ import annotations

import math

import pytest
import torch

from centertrack.models import Box2DHead, HeatmapHead, OffsetHead, ReIDHead
from tracker.errors import InputError


@pytest.mark.parametrize("conv_type", ["plain", "normal", "separable", "instance"])
@pytest.mark.parametrize("depth", [0, 1, 3])
def test_width_depth_and_channels_out(conv_type: str, depth: int) -> None:
    features = torch.zeros(2, 16, 5, 6)
    for head, channels in (
        (HeatmapHead(16, 2, width=24, depth=depth, conv_type=conv_type), 2),
        (Box2DHead(16, width=24, depth=depth, conv_type=conv_type), 4),
        (ReIDHead(16, 8, width=24, depth=depth, conv_type=conv_type), 8),
    ):
        assert head.out_channels == channels
        assert head(features).shape == (2, channels, 5, 6)
        assert len(head.layers) == 1 + depth * (2 if conv_type == "plain" else 1)


def test_a_new_heatmap_says_one_in_ten_everywhere() -> None:
    torch.manual_seed(0)
    probability = HeatmapHead(64, 2)(torch.rand(1, 64, 8, 8)).sigmoid()
    assert probability.min() > 0.07
    assert probability.max() < 0.14


def test_new_boxes_start_ten_cells_wide_where_the_clamp_lets_gradients_pass() -> None:
    for multiplier in (1.0, 16.0):
        head = Box2DHead(64, box_multiplier=multiplier)
        torch.testing.assert_close(head(torch.zeros(1, 64, 2, 2)), torch.full((1, 4, 2, 2), 10.0), rtol=0, atol=8.0)
        assert head.layers[-1].bias.mul(multiplier).tolist() == [10.0] * 4


def test_exponential_boxes_are_always_positive_and_finite() -> None:
    head = Box2DHead(16, exponential=True, box_multiplier=2.0)
    assert head.layers[-1].bias.exp().mul(2).tolist() == pytest.approx([10.0] * 4)
    boxes = head(1e4 * torch.randn(1, 16, 4, 4))
    assert boxes.isfinite().all()
    assert boxes.min() >= 0


def test_published_boxes_have_two_coordinates_and_offsets_start_at_zero() -> None:
    assert Box2DHead(16, coordinates=2).out_channels == 2
    assert OffsetHead(16).out_channels == 2
    assert OffsetHead(16).layers[-1].bias.tolist() == [0.0, 0.0]


def test_embeddings_start_without_a_common_direction() -> None:
    assert ReIDHead(64).out_channels == 64
    assert ReIDHead(64).layers[-1].bias.abs().sum() == 0


@pytest.mark.parametrize(
    "options", [{"num_classes": 0}, {"num_classes": 1, "width": 0}, {"num_classes": 1, "depth": -1}]
)
def test_a_head_without_channels_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(InputError, match="a head needs at least 1 channel out"):
        HeatmapHead(16, **options)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_the_last_layer_keeps_its_digits_under_mixed_precision(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    head, features = Box2DHead(16, box_multiplier=16.0), torch.rand(1, 16, 4, 4)
    with torch.autocast("cpu", dtype=dtype):
        found = head(features)
    assert found.dtype == torch.float32
    assert not torch.equal(found, head(features))  # the layers before it are rounded
    torch.testing.assert_close(found, head(features), rtol=0, atol=0.05)


def test_an_anchor_turns_shift_and_size_into_distances() -> None:
    head = Box2DHead(4, depth=0, anchor=8.0)
    torch.nn.init.zeros_(head.layers[-1].weight)
    assert head(torch.zeros(1, 4, 1, 1)).flatten().tolist() == [4.0] * 4  # as large as the anchor, in its middle
    with torch.no_grad():
        head.layers[-1].bias.copy_(torch.tensor([0.25, -0.5, 0.0, math.log(2)]))
    # 8 cells wide, 16 tall, its centre 2 cells right of the cell's and 4 above it
    assert head(torch.zeros(1, 4, 1, 1)).flatten().tolist() == pytest.approx([2.0, 12.0, 6.0, 4.0])
    assert head(torch.full((1, 4, 1, 1), 1e6)).isfinite().all()


def test_bins_are_averaged_and_counted_from_the_corner_of_the_cell() -> None:
    head = Box2DHead(4, depth=0, bins=8)
    assert (head.out_channels, head.last_layer().out_channels) == (4, 32)
    logits = torch.full((4, 8), -50.0)
    logits[0, 3] = logits[1, [2, 5]] = logits[2, 7] = logits[3, 1] = 0.0
    with torch.no_grad():
        head.last_layer().weight.zero_()
        head.last_layer().bias.copy_(logits.flatten())
        distances = head(torch.zeros(1, 4, 1, 1)).flatten().tolist()
    # left 3, top halfway between 2 and 5, right 7, bottom 1, seen from half a cell further right and below
    assert distances == pytest.approx([3.5, 4.0, 6.5, 0.5])


def test_a_head_reads_the_channels_it_is_told_to() -> None:
    torch.manual_seed(0)
    head = ReIDHead(6, 3, width=5, depth=2, reads=[2, 6])
    features = torch.randn(1, 6, 4, 4)
    changed = features.clone()
    changed[:, :2] += 1
    torch.testing.assert_close(head(features), head(changed))
    changed[:, 2:] += 1
    assert not torch.allclose(head(features), head(changed))


@pytest.mark.parametrize("reads", [[0, 7], [3, 3], [-1, 2], [2]])
def test_channels_that_are_not_there_are_refused(reads: list[int]) -> None:
    with pytest.raises(InputError, match=r"from 0 to 6, got \["):
        HeatmapHead(6, 1, reads=reads)


def test_the_last_convolution_can_look_around() -> None:
    head = HeatmapHead(4, 1, depth=0, kernel=3)
    assert head.layers[-1].weight.shape == (1, 4, 3, 3)
    assert head(torch.zeros(1, 4, 5, 6)).shape == (1, 1, 5, 6)
