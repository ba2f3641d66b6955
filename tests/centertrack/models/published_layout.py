"""The published networks as lists of (key, shape), in the order of their state dicts, and files filled with them.

Written from the architecture, without our network: what a checkpoint of FairMOT or CenterNet looks like from outside.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

Entry = tuple[str, tuple[int, ...]]


def fairmot_dla34(classes: int = 1, sizes: int = 4, embedding: int = 128) -> list[Entry]:
    return [*_dla34(), *_heads({"hm": classes, "wh": sizes, "id": embedding, "reg": 2}, 256)]


def centernet_dla34(classes: int = 80) -> list[Entry]:
    return [*_dla34(), *_heads({"hm": classes, "wh": 2, "reg": 2}, 256)]


def centernet_resdcn18(classes: int = 80) -> list[Entry]:
    return [*_resdcn18(), *_heads({"hm": classes, "wh": 2, "reg": 2}, 64)]


def golden_state(layout: list[Entry]) -> dict[str, Tensor]:
    """Fill a network with numbers that anybody can compute; float64."""
    state = {}
    for i, (key, shape) in enumerate(layout):
        j = np.arange(int(np.prod(shape)), dtype=np.float64)
        name = key.rsplit(".", 1)[-1]
        if name == "num_batches_tracked":
            state[key] = torch.tensor(0)
            continue
        if name == "running_mean":
            values = 0 * j
        elif name == "running_var" or (name == "weight" and len(shape) == 1):
            values = 0 * j + 1
        elif len(shape) == 1:
            values = 0.01 * np.sin(j)
        elif ".up_" in key:
            values = _bilinear(shape)
        else:
            a = np.sqrt(6 / (j.size / shape[0])) * (0.1 if "conv_offset_mask" in key else 1.0)
            values = a * np.sin(1 + np.mod((0.37 * j) * j, 1000) + 0.11 * i)
        state[key] = torch.from_numpy(values.reshape(shape))
    return state


def random_state(layout: list[Entry], seed: int = 0) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for key, shape in layout:
        if key.endswith("num_batches_tracked"):
            state[key] = torch.tensor(7)
        elif key.endswith("running_var"):
            state[key] = torch.rand(shape, generator=generator) + 0.5
        else:
            fan_in = max(1, int(np.prod(shape[1:])))
            state[key] = torch.randn(shape, generator=generator) / fan_in**0.5
    return state


def write_checkpoint(path: Path, state: dict[str, Tensor], prefix: str = "") -> Path:
    torch.save({"epoch": 30, "state_dict": {prefix + key: value for key, value in state.items()}}, path)
    return path


def _bilinear(shape: tuple[int, ...]) -> np.ndarray:
    factor = shape[-1] // 2
    line = 1 - np.abs(np.arange(2 * factor) - (factor - 0.5)) / factor
    return np.broadcast_to(np.outer(line, line), shape).copy()


def _norm(key: str, channels: int) -> list[Entry]:
    names = ("weight", "bias", "running_mean", "running_var")
    return [*((f"{key}.{name}", (channels,)) for name in names), (f"{key}.num_batches_tracked", ())]


def _block(key: str, cin: int, cout: int) -> Iterator[Entry]:
    yield f"{key}.conv1.weight", (cout, cin, 3, 3)
    yield from _norm(f"{key}.bn1", cout)
    yield f"{key}.conv2.weight", (cout, cout, 3, 3)
    yield from _norm(f"{key}.bn2", cout)


def _tree(key: str, cin: int, cout: int, root: int) -> Iterator[Entry]:
    yield from _block(f"{key}.tree1", cin, cout)
    yield from _block(f"{key}.tree2", cout, cout)
    yield f"{key}.root.conv.weight", (cout, root, 1, 1)
    yield from _norm(f"{key}.root.bn", cout)
    if cin != cout:
        yield from _project(f"{key}.project", cin, cout)


def _project(key: str, cin: int, cout: int) -> Iterator[Entry]:
    yield f"{key}.0.weight", (cout, cin, 1, 1)
    yield from _norm(f"{key}.1", cout)


def _dla34() -> Iterator[Entry]:
    for key, cin, cout, size in (("base_layer", 3, 16, 7), ("level0", 16, 16, 3), ("level1", 16, 32, 3)):
        yield f"base.{key}.0.weight", (cout, cin, size, size)
        yield from _norm(f"base.{key}.1", cout)
    yield from _tree("base.level2", 32, 64, 128)
    for level, cin, cout, roots in ((3, 64, 128, (256, 448)), (4, 128, 256, (512, 896))):
        yield from _tree(f"base.level{level}.tree1", cin, cout, roots[0])
        yield from _tree(f"base.level{level}.tree2", cout, cout, roots[1])
        yield from _project(f"base.level{level}.project", cin, cout)
    yield from _tree("base.level5", 256, 512, 1280)
    yield "base.fc.weight", (1000, 512, 1, 1)
    yield "base.fc.bias", (1000,)
    yield from _ida("dla_up.ida_0", 256, [512], [2])
    yield from _ida("dla_up.ida_1", 128, [256, 256], [2, 2])
    yield from _ida("dla_up.ida_2", 64, [128, 128, 128], [2, 2, 2])
    yield from _ida("ida_up", 64, [128, 256], [2, 4])


def _ida(key: str, cout: int, widths: list[int], factors: list[int]) -> Iterator[Entry]:
    for n, (cin, factor) in enumerate(zip(widths, factors, strict=True), start=1):
        yield from _deformable(f"{key}.proj_{n}", cin, cout)
        yield f"{key}.up_{n}.weight", (cout, 1, 2 * factor, 2 * factor)
        yield from _deformable(f"{key}.node_{n}", cout, cout)


def _deformable(key: str, cin: int, cout: int) -> Iterator[Entry]:
    yield from _norm(f"{key}.actf.0", cout)
    yield from _dcn(f"{key}.conv", cin, cout)


def _dcn(key: str, cin: int, cout: int) -> Iterator[Entry]:
    yield f"{key}.weight", (cout, cin, 3, 3)
    yield f"{key}.bias", (cout,)
    yield f"{key}.conv_offset_mask.weight", (27, cin, 3, 3)
    yield f"{key}.conv_offset_mask.bias", (27,)


def _resdcn18() -> Iterator[Entry]:
    yield "conv1.weight", (64, 3, 7, 7)
    yield from _norm("bn1", 64)
    cin = 64
    for layer, cout in enumerate((64, 128, 256, 512), start=1):
        yield from _block(f"layer{layer}.0", cin, cout)
        if cin != cout:
            yield from _project(f"layer{layer}.0.downsample", cin, cout)
        yield from _block(f"layer{layer}.1", cout, cout)
        cin = cout
    for n, cout in enumerate((256, 128, 64)):
        yield from _dcn(f"deconv_layers.{6 * n}", cin, cout)
        yield from _norm(f"deconv_layers.{6 * n + 1}", cout)
        yield f"deconv_layers.{6 * n + 3}.weight", (cout, cout, 4, 4)
        yield from _norm(f"deconv_layers.{6 * n + 4}", cout)
        cin = cout


def _heads(channels: dict[str, int], width: int) -> Iterator[Entry]:
    for name, cout in channels.items():
        yield f"{name}.0.weight", (width, 64, 3, 3)
        yield f"{name}.0.bias", (width,)
        yield f"{name}.2.weight", (cout, width, 1, 1)
        yield f"{name}.2.bias", (cout,)
