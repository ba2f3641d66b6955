"""The two ways to compute a deformable convolution are one function."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import deform_conv2d

from centertrack.models.deformable import DeformableConv2d, deformable_conv2d, pure_torch_deformable


def random_inputs(dtype: torch.dtype, spread: float) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    x = torch.randn(2, 5, 6, 9, dtype=dtype)
    offset = spread * torch.randn(2, 18, 6, 9, dtype=dtype)
    weight, bias = torch.randn(4, 5, 3, 3, dtype=dtype), torch.randn(4, dtype=dtype)
    mask = torch.rand(2, 9, 6, 9, dtype=dtype)
    return x, offset, weight, bias, mask


@pytest.mark.parametrize("spread", [0.3, 3.0, 40.0], ids=["near", "far", "mostly outside"])
@pytest.mark.parametrize("masked", [True, False], ids=["version 2", "version 1"])
def test_plain_torch_equals_the_operator(spread: float, masked: bool) -> None:
    x, offset, weight, bias, mask = random_inputs(torch.float64, spread)
    chosen = mask if masked else None
    expected = deform_conv2d(x, offset, weight, bias, padding=1, mask=chosen)
    torch.testing.assert_close(deformable_conv2d(x, offset, weight, bias, chosen), expected, rtol=0, atol=1e-11)


def test_their_gradients_are_equal_too() -> None:
    gradients = []
    for compute in (deformable_conv2d, lambda x, o, w, b, m: deform_conv2d(x, o, w, b, padding=1, mask=m)):
        inputs = [values.requires_grad_() for values in random_inputs(torch.float64, 1.0)]
        compute(*inputs).square().sum().backward()
        gradients.append([values.grad for values in inputs])
    for found, expected in zip(*gradients, strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("pure_torch", [False, True])
def test_a_new_layer_is_half_a_convolution(pure_torch: bool) -> None:
    layer, x = DeformableConv2d(3, 4).double(), torch.randn(1, 3, 8, 8, dtype=torch.float64)
    layer.pure_torch = pure_torch
    expected = 0.5 * F.conv2d(x, layer.weight, padding=1) + layer.bias.view(4, 1, 1)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-12)
    version_1 = DeformableConv2d(3, 4, modulated=False).double()
    torch.testing.assert_close(version_1(x), F.conv2d(x, version_1.weight, padding=1), rtol=0, atol=1e-12)


def test_half_precision_samples_in_float32() -> None:
    layer, x = DeformableConv2d(3, 4), torch.randn(1, 3, 8, 8)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = layer(x)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.float(), layer(x), rtol=0.02, atol=0.02)


def test_the_way_is_switched_for_a_whole_network_and_back() -> None:
    network = torch.nn.Sequential(DeformableConv2d(2, 2), torch.nn.Sequential(DeformableConv2d(2, 2)))
    layers = [module for module in network.modules() if isinstance(module, DeformableConv2d)]
    with pytest.raises(KeyError), pure_torch_deformable(network):
        assert all(layer.pure_torch for layer in layers)
        raise KeyError
    assert not any(layer.pure_torch for layer in layers)
