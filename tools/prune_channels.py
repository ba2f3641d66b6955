"""Make a MobileNetV2 detector narrower: keep those channels inside of its blocks that others cannot stand in for.

    python tools/prune_channels.py fairmot-base configs/fairmot_small.yaml FOLDER_OF_DATA OUTPUT.safetensors

Each block expands its channels, convolves each of them and projects them back. Block after block, the input of the
projection is seen on training samples, in the narrowed network. Channels are left one by one, always the one whose loss
the others can make up best (optimal brain surgeon, Hassibi and Stork 1993, with the projection's error as its measure),
and the projection becomes the least-squares fit to what the wide block says. Nothing is trained. What else the networks
share is copied, the rest starts at random.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jsonargparse import auto_cli
from torch import Tensor, nn

from centertrack.data.mixture import Mixture
from centertrack.data.plan import DataPlan
from centertrack.models import CenterNet, build_centernet, from_pretrained, save_weights
from centertrack.models.mobilenet import InvertedResidual

CELLS = 1500  # of each image, at random
RIDGE = 1e-4  # of the mean square of a channel


def prune_channels(wide: str, training: Path, data: Path, output: Path, samples: int = 64) -> None:
    """Write weights for the narrower network of a configuration, float32.

    Args:
        wide: Weights of a network with the same blocks, wider.
        training: Configuration of the narrower network, and of the data that it is narrowed on.
        data: Where the configuration's paths start.
        output: Where the weights go.
        samples: Training samples that are looked at.
    """
    plan = DataPlan.read(training, data)
    mixture = Mixture(plan.train, plan.size, plan.mix, plan.root)
    source, target = from_pretrained(wide).float().eval(), build_centernet(training).eval()
    images = [source.normalize(mixture[i]["image"][None]) for i in range(samples)]
    copy_shared(source, target)
    errors = narrow(source.backbone, target.backbone, images)
    save_weights(target, output, half=False)
    for (before, after), error in errors:
        print(f"{before} -> {after} channels, {error:.1%} of the block's variance lost")
    print(f"Weights to start from: {output}")


@torch.no_grad()
def copy_shared(source: CenterNet, target: CenterNet) -> None:
    """Copy all tensors of the same name and shape."""
    given = source.state_dict()
    for name, value in target.state_dict().items():
        if name in given and given[name].shape == value.shape:
            value.copy_(given[name])


@torch.no_grad()
def narrow(wide: nn.Module, slim: nn.Module, images: Sequence[Tensor]) -> list[tuple[tuple[int, int], float]]:
    """Fill the blocks of a backbone from those of a wider one.

    Args:
        wide: Backbone with `stages` of blocks.
        slim: The same with fewer channels inside of them; changed in place.
        images: (N, 3, H, W) each, as the network sees them.

    Returns:
        For each block its channels before and after, and the share of the output's variance that the fit leaves.
    """
    places = np.random.default_rng(0)
    seen, wanted = list(images), list(images)  # by the slim network, by the wide one
    errors = []
    for stage, narrower in zip(wide.stages, slim.stages, strict=True):
        for block, target in zip(stage, narrower, strict=True):
            wanted = [block(x) for x in wanted]
            if isinstance(block, InvertedResidual):
                inner = [block.layers[:-1](x) for x in seen]
                goals = [y - x if block.adds else y for y, x in zip(wanted, seen, strict=True)]
                inputs, outputs = _pick_cells(inner, goals, places)
                kept, weight, bias, error = choose_channels(inputs, outputs, target.layers[0].out_channels)
                _fill(target, block, kept, weight, bias)
                errors.append(((inputs.shape[1], len(kept)), error))
            seen = [target(x) for x in seen]
    return errors


def choose_channels(inputs: Tensor, outputs: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor, float]:
    """Choose the channels from which a linear layer can best say what it should.

    Args:
        inputs: (P, C), float64.
        outputs: (P, D), float64.
        count: Channels to keep, at most C.

    Returns:
        The channels kept (count,) int64 in rising order, weight (D, count) and bias (D,) of the least-squares fit from
        them, and the share of the outputs' variance that it leaves.

    >>> x = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0], [2.0, 1.0, 5.0], [3.0, 5.0, 0.0]]).double()
    >>> kept, weight, bias, error = choose_channels(x, 3 * x[:, 1:2] + 1, 1)
    >>> kept.tolist(), weight.round(decimals=2).tolist(), bias.round(decimals=2).tolist(), round(error, 4)
    ([1], [[3.0]], [1.0], 0.0)
    """
    mean, target_mean = inputs.mean(dim=0), outputs.mean(dim=0)
    x, y = inputs - mean, outputs - target_mean
    gram = x.T @ x / len(x)
    gram.diagonal().add_(RIDGE * gram.diagonal().mean().clamp(min=1e-12))
    inverse = torch.linalg.inv(gram)
    weight = inverse @ (x.T @ y / len(x))  # (C, D)
    kept = torch.arange(len(gram))
    while len(kept) > count:
        worst = int(((weight**2).sum(dim=1) / inverse.diagonal()).argmin())
        column = inverse[:, worst] / inverse[worst, worst]
        left = torch.arange(len(kept)) != worst
        weight = (weight - torch.outer(column, weight[worst]))[left]
        inverse = (inverse - torch.outer(column, inverse[worst]))[left][:, left]
        kept = kept[left]
    error = float((y - x[:, kept] @ weight).square().sum() / y.square().sum().clamp(min=1e-12))
    return kept, weight.T, target_mean - mean[kept] @ weight, error


def _pick_cells(inner: Sequence[Tensor], goals: Sequence[Tensor], places: np.random.Generator) -> tuple[Tensor, Tensor]:
    """(1, C, H, W) and (1, D, H, W) of every image -> (P, C) and (P, D) at the same random cells."""
    inputs, outputs = [], []
    for x, y in zip(inner, goals, strict=True):
        rows, truth = x[0].flatten(1).T, y[0].flatten(1).T
        chosen = torch.from_numpy(places.choice(len(rows), min(CELLS, len(rows)), replace=False))
        inputs.append(rows[chosen].double())
        outputs.append(truth[chosen].double())
    return torch.cat(inputs), torch.cat(outputs)


def _fill(target: InvertedResidual, block: InvertedResidual, kept: Tensor, weight: Tensor, bias: Tensor) -> None:
    for place in (0, 2):  # expansion and depthwise convolution
        for name in ("weight", "bias"):
            getattr(target.layers[place], name).copy_(getattr(block.layers[place], name)[kept])
    target.layers[4].weight.copy_(weight[..., None, None])
    target.layers[4].bias.copy_(bias)


if __name__ == "__main__":
    auto_cli(prune_channels)
