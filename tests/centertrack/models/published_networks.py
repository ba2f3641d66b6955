"""The published networks spelled out in functions, without our layers: state dict and image in, the heads' maps out."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.ops import deform_conv2d

State = dict[str, Tensor]


def dla34_outputs(state: State, image: Tensor) -> State:
    """DLA-34 with its deformable up-path, as FairMOT and CenterNet have it."""

    def conv_norm(x: Tensor, conv: str, norm: str, stride: int = 1, padding: int = 0) -> Tensor:
        return _norm(state, F.conv2d(x, state[f"{conv}.weight"], stride=stride, padding=padding), norm)

    def block(x: Tensor, key: str, stride: int, residual: Tensor) -> Tensor:
        y = conv_norm(x, f"{key}.conv1", f"{key}.bn1", stride, 1).relu()
        return (conv_norm(y, f"{key}.conv2", f"{key}.bn2", 1, 1) + residual).relu()

    def tree(x: Tensor, key: str, levels: int, stride: int, children: list[Tensor], level_root: bool) -> Tensor:
        bottom = F.max_pool2d(x, stride, stride) if stride > 1 else x
        children = [*children, bottom] if level_root else children
        if levels == 2:
            x1 = tree(x, f"{key}.tree1", 1, stride, [], False)
            return tree(x1, f"{key}.tree2", 1, 1, [*children, x1], False)
        has_project = f"{key}.project.0.weight" in state
        residual = conv_norm(bottom, f"{key}.project.0", f"{key}.project.1") if has_project else bottom
        x1 = block(x, f"{key}.tree1", stride, residual)
        x2 = block(x1, f"{key}.tree2", 1, x1)
        return conv_norm(torch.cat([x2, x1, *children], dim=1), f"{key}.root.conv", f"{key}.root.bn").relu()

    def deform(x: Tensor, key: str) -> Tensor:
        return _norm(state, _deformable(state, x, f"{key}.conv"), f"{key}.actf.0").relu()

    def step(deep: Tensor, shallow: Tensor, key: str, number: int) -> Tensor:
        """N(U(P(deep)) + shallow)."""
        kernel = state[f"{key}.up_{number}.weight"]
        factor = kernel.shape[-1] // 2
        projected = deform(deep, f"{key}.proj_{number}")
        up = F.conv_transpose2d(projected, kernel, stride=factor, padding=factor // 2, groups=len(kernel))
        return deform(up + shallow, f"{key}.node_{number}")

    x = conv_norm(image, "base.base_layer.0", "base.base_layer.1", padding=3).relu()
    x = conv_norm(x, "base.level0.0", "base.level0.1", padding=1).relu()
    x = conv_norm(x, "base.level1.0", "base.level1.1", 2, 1).relu()
    l2 = tree(x, "base.level2", 1, 2, [], False)
    l3 = tree(l2, "base.level3", 2, 2, [], True)
    l4 = tree(l3, "base.level4", 2, 2, [], True)
    l5 = tree(l4, "base.level5", 1, 2, [], True)
    a5 = step(l5, l4, "dla_up.ida_0", 1)
    b4 = step(l4, l3, "dla_up.ida_1", 1)
    b5 = step(a5, b4, "dla_up.ida_1", 2)
    c3 = step(l3, l2, "dla_up.ida_2", 1)
    c4 = step(b4, c3, "dla_up.ida_2", 2)
    c5 = step(b5, c4, "dla_up.ida_2", 3)
    y1 = step(b5, c5, "ida_up", 1)
    return _heads(state, step(a5, y1, "ida_up", 2))


def resdcn18_outputs(state: State, image: Tensor) -> State:
    """ResNet-18 and three deformable upsampling steps, as CenterNet has it."""

    def block(x: Tensor, key: str, stride: int) -> Tensor:
        y = _norm(state, F.conv2d(x, state[f"{key}.conv1.weight"], stride=stride, padding=1), f"{key}.bn1").relu()
        y = _norm(state, F.conv2d(y, state[f"{key}.conv2.weight"], padding=1), f"{key}.bn2")
        if f"{key}.downsample.0.weight" in state:
            x = F.conv2d(x, state[f"{key}.downsample.0.weight"], stride=stride)
            x = _norm(state, x, f"{key}.downsample.1")
        return (x + y).relu()

    x = _norm(state, F.conv2d(image, state["conv1.weight"], stride=2, padding=3), "bn1").relu()
    x = F.max_pool2d(x, 3, 2, 1)
    for layer in (1, 2, 3, 4):
        x = block(block(x, f"layer{layer}.0", 1 if layer == 1 else 2), f"layer{layer}.1", 1)
    for n in (0, 6, 12):
        x = _norm(state, _deformable(state, x, f"deconv_layers.{n}"), f"deconv_layers.{n + 1}").relu()
        x = F.conv_transpose2d(x, state[f"deconv_layers.{n + 3}.weight"], stride=2, padding=1)
        x = _norm(state, x, f"deconv_layers.{n + 4}").relu()
    return _heads(state, x)


def _norm(state: State, x: Tensor, key: str) -> Tensor:
    return F.batch_norm(x, *(state[f"{key}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")))


def _deformable(state: State, x: Tensor, key: str) -> Tensor:
    out = F.conv2d(x, state[f"{key}.conv_offset_mask.weight"], state[f"{key}.conv_offset_mask.bias"], padding=1)
    mask = out[:, 18:].sigmoid()
    return deform_conv2d(x, out[:, :18], state[f"{key}.weight"], state[f"{key}.bias"], padding=1, mask=mask)


def _heads(state: State, features: Tensor) -> State:
    outputs = {}
    for name in ("hm", "wh", "id", "reg"):
        if f"{name}.0.weight" in state:
            hidden = F.conv2d(features, state[f"{name}.0.weight"], state[f"{name}.0.bias"], padding=1).relu()
            outputs[name] = F.conv2d(hidden, state[f"{name}.2.weight"], state[f"{name}.2.bias"])
    return outputs
