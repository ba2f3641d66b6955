"""Weights between those that a training started from and those that it made, part by part.

    python tools/average_weights.py START TRAINED OUTPUT.safetensors "[neck.laterals, heads.heatmap]" [--share 0.5]

A network that was trained on much and is tuned on little gains where the little is and loses elsewhere; half way
between start and end it often has the better of both (WiSE-FT, arXiv 2109.01903).
"""

from __future__ import annotations

from pathlib import Path

import torch
from jsonargparse import auto_cli

from centertrack.models import from_pretrained, save_weights
from tracker.errors import InputError


def average_weights(start: Path, trained: Path, output: Path, parts: list[str], share: float = 0.5) -> None:
    """Write averaged weights, float32.

    Args:
        start: Weights before the training.
        trained: Weights or checkpoint after it, of the same network.
        output: Where the weights go.
        parts: Tensors whose names begin so are averaged; all others are those of the training.
        share: Of the training in the average, 0 to 1.

    Raises:
        InputError: A part that there is not, or a tensor of another shape.
    """
    before, network = from_pretrained(start).state_dict(), from_pretrained(trained)
    after = network.state_dict()
    for part in parts:
        if not any(name.startswith(part) for name in after):
            raise InputError(f"{trained}: no tensor has a name that begins with {part!r}")
    with torch.no_grad():
        for name, value in after.items():
            if name.startswith(tuple(parts)) and value.is_floating_point():
                if name not in before or before[name].shape != value.shape:
                    raise InputError(f"{start} has no {name} of the shape {tuple(value.shape)}; is it another network?")
                value.lerp_(before[name], 1 - share)
    save_weights(network, output, half=False)
    print(f"{share:g} of {trained}, {1 - share:g} of {start} in {', '.join(parts)}: {output}")


if __name__ == "__main__":
    auto_cli(average_weights)
