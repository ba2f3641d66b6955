"""Make weights to start from out of NanoDet-Plus-m (RangiLyu, Apache-2.0), a detector trained on COCO.

    python tools/start_from_nanodet.py nanodet-plus-m.npz OUTPUT.safetensors

The file holds `NAME.weight` and `NAME.bias` of each convolution of the published ncnn model, batch norms folded in.
ShuffleNetV2, Ghost-PAN and towers are those of `configs/fairmot_nanodet.yaml`, up to names. Of 80 classes the person
is kept, and the level of stride 64 is left. What tells people apart starts at random.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from jsonargparse import auto_cli
from torch import Tensor, nn

from centertrack.models import CenterNet, build_centernet, save_weights

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "fairmot_nanodet.yaml"
CLASSES, PERSON = 80, 0
# the first names of each stage's units, see `_names`
STAGES = ((161, 1, 4), (166, 10, 8), (175, 27, 4))
REDUCES = ("convrelu_39", "convrelu_37", "convrelu_36")
DOWNS = (
    ("convrelu_38", "convdwrelu_0", "conv_60", "convdw_181", "convdw_182", "conv_61"),
    ("convrelu_40", "convdwrelu_1", "conv_63", "convdw_184", "convdw_185", "conv_64"),
)
SHRINKS = (("convdwrelu_2", "convrelu_41"), ("convdwrelu_4", "convrelu_43"))
UPS = (
    ("convrelu_42", "convdwrelu_3", "conv_67", "convdw_188", "convdw_189", "conv_68"),
    ("convrelu_44", "convdwrelu_5", "conv_71", "convdw_192", "convdw_193", "conv_72"),
)
TOWERS = (
    ("convdwrelu_8", "convrelu_47", "convdwrelu_9", "convrelu_54", "conv_77"),
    ("convdwrelu_10", "convrelu_48", "convdwrelu_11", "convrelu_53", "conv_80"),
    ("convdwrelu_12", "convrelu_49", "convdwrelu_13", "convrelu_52", "conv_83"),
)


def start_from_nanodet(model: Path, output: Path) -> None:
    """Write weights for the network of `configs/fairmot_nanodet.yaml`.

    Args:
        model: The `.npz`.
        output: Where the weights go, float32.
    """
    network = build_centernet(CONFIG)
    with np.load(model) as file:
        fill(network, {name: torch.from_numpy(file[name].astype(np.float32)) for name in file.files})
    save_weights(network, output, half=False)
    print(f"Weights to start from: {output}")


@torch.no_grad()
def fill(network: CenterNet, source: dict[str, Tensor]) -> None:
    """Copy what the networks share; the heads then pass on what the towers say."""
    stages = network.backbone.stages
    _copy(_convolutions(stages[0]), ["convrelu_0"], source)
    for stage, first in zip(stages[2:], STAGES, strict=True):
        _copy(_convolutions(stage), _names(*first), source)
    neck = network.neck
    for modules, names in (
        (neck.reduces, [[name] for name in REDUCES]),
        (neck.downs, DOWNS),
        (neck.shrinks, SHRINKS),
        (neck.ups, UPS),
    ):
        for module, chosen in zip(modules, names, strict=True):
            _copy(_convolutions(module), chosen, source)
    for tower, names in zip(neck.towers, TOWERS, strict=True):
        *body, last = _convolutions(tower)
        _copy(body, names[:-1], source)
        kept = [PERSON, *range(CLASSES, len(source[f"{names[-1]}.bias"]))]
        last.weight.copy_(source[f"{names[-1]}.weight"][kept])
        last.bias.copy_(source[f"{names[-1]}.bias"][kept])
    for name in ("heatmap", "box_2d"):
        layer = network.head(name).last_layer()
        nn.init.dirac_(layer.weight)
        nn.init.zeros_(layer.bias)


def _names(depthwise: int, pointwise: int, units: int) -> Iterator[str]:
    """List the convolutions of a stage in the order of our modules: main branch first, then the other of its first."""
    yield from (f"convrelu_{pointwise}", f"convdw_{depthwise + 1}", f"convrelu_{pointwise + 1}")
    yield from (f"convdw_{depthwise}", f"convrelu_{pointwise + 2}")
    for i in range(1, units):
        first = pointwise + 1 + 2 * i
        yield from (f"convrelu_{first}", f"convdw_{depthwise + 1 + i}", f"convrelu_{first + 1}")


def _convolutions(module: nn.Module) -> list[nn.Conv2d]:
    return [part for part in module.modules() if isinstance(part, nn.Conv2d)]


def _copy(modules: list[nn.Conv2d], names: Iterable[str], source: dict[str, Tensor]) -> None:
    for module, name in zip(modules, names, strict=True):
        for part, target in (("weight", module.weight), ("bias", module.bias)):
            value = source[f"{name}.{part}"]
            if target.shape != value.shape:
                raise ValueError(f"{name}.{part}: expected {tuple(target.shape)}, got {tuple(value.shape)}")
            target.copy_(value)


if __name__ == "__main__":
    auto_cli(start_from_nanodet)
