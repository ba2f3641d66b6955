"""Start `fairmot-base` from person-vehicle-bike-detection-2003 of Intel's Open Model Zoo (Apache-2.0).

    python tools/start_from_openvino.py person-vehicle-bike-detection-2003.xml OUTPUT.safetensors

Its MobileNetV2, pyramid and towers are those of `configs/fairmot_base.yaml`, up to names: the convolutions are read out
of the OpenVINO model. Of its three anchors a cell the square one alone is kept, of its three classes the person, and
the two coarsest levels and the centerness are left. What tells people apart starts at random.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
import torch
from jsonargparse import auto_cli

from centertrack.models import CenterNet, build_centernet, save_weights

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "fairmot_base.yaml"
# names in the OpenVINO model, in the order of our modules
LATERALS = ("Conv_155", "Conv_156", "Conv_157")
OUTPUTS = ("Conv_200", "Conv_201", "Conv_202")
TOWERS = {
    "heatmap": ("Conv_205", "Conv_208", "Conv_211", "Conv_214"),
    "box_2d": ("Conv_217", "Conv_220", "Conv_223", "Conv_226"),
}
SCORES, BOXES = "Conv_229", ("Multiply_89788", "Multiply_89792", "Multiply_89796")  # the boxes' of each level
PERSON, CLASSES, SQUARE = 1, 3, 1
DELTA_FACTORS = np.array([0.1, 0.1, 0.2, 0.2], np.float32)  # of what the layer says; see `Box2DHead`
ANCHOR = 8.0  # cells


def start_from_openvino(model: Path, output: Path) -> None:
    """Write weights for the network of `configs/fairmot_base.yaml`.

    Args:
        model: The OpenVINO model (`.xml`).
        output: Where the weights go, float32.
    """
    network = build_centernet(CONFIG)
    fill(network, Convolutions(model))
    save_weights(network, output, half=False)
    print(f"Weights to start from: {output}")


class Convolutions:
    """The convolutions of an OpenVINO model by name.

    Args:
        path: The `.xml`.
    """

    def __init__(self, path: Path) -> None:
        self._model = openvino.Core().read_model(path)
        self._nodes = {node.get_friendly_name(): node for node in self._model.get_ordered_ops()}
        kinds = ("Convolution", "GroupConvolution")
        #: those of the backbone, whose batch norms became factors, in the order of computation
        self.fused = [
            name
            for name, node in self._nodes.items()
            if node.get_type_name() in kinds and name.startswith("Multiply_") and name not in BOXES
        ]

    def read(self, name: str) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the weight (out, in, height, width) of a convolution and its bias."""
        node = self._nodes[name] if name in self.fused or name in BOXES else self._nodes[f"{name}/WithoutBiases"]
        bias = self._after(node)
        weight = self._constant(node)
        weight = weight.reshape(weight.shape[0] * weight.shape[1], 1, *weight.shape[3:]) if weight.ndim == 5 else weight
        return torch.from_numpy(weight), torch.from_numpy(self._constant(bias).ravel())

    def read_normed(self, name: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the weight of a convolution without bias, and the factor and shift of its instance norm."""
        node = self._nodes[name]
        factor = self._after(self._after(node))
        shift = self._after(factor)
        return tuple(
            torch.from_numpy(x) for x in (self._constant(node), *(self._constant(n).ravel() for n in (factor, shift)))
        )

    @staticmethod
    def _after(node: Any) -> Any:
        return next(iter(node.output(0).get_target_inputs())).get_node()

    @staticmethod
    def _constant(node: Any) -> np.ndarray:
        source = node.inputs()[1].get_source_output().get_node()
        while source.get_type_name() in ("Convert", "Reshape"):
            source = source.inputs()[0].get_source_output().get_node()
        return source.data.astype(np.float32)


@torch.no_grad()
def fill(network: CenterNet, source: Convolutions) -> None:
    """Copy what the networks share."""
    own = [module for module in network.backbone.modules() if isinstance(module, torch.nn.Conv2d)]
    for module, name in zip(own, source.fused[: len(own)], strict=True):
        _copy(module, source.read(name))
    for modules, names in ((network.neck.laterals, LATERALS), (network.neck.outputs, OUTPUTS)):
        for module, name in zip(modules, names, strict=True):
            _copy(module, source.read(name))
    for head, names in TOWERS.items():
        for block, name in zip(network.heads[head].layers[:-1], names, strict=True):
            weight, factor, shift = source.read_normed(name)
            block[0].weight.copy_(weight)
            _copy(block[1], (factor, shift))
    weight, bias = source.read(SCORES)
    row = SQUARE * CLASSES + PERSON
    _copy(network.heads["heatmap"].layers[-1], (weight[row : row + 1], bias[row : row + 1]))
    rows = slice(4 * SQUARE, 4 * SQUARE + 4)
    weights, biases = zip(*((weight[rows], bias[rows]) for weight, bias in map(source.read, BOXES)), strict=True)
    factors = torch.from_numpy(DELTA_FACTORS)
    bias = torch.stack(biases).mean(dim=0) * factors
    bias[:2] -= 0.5 / ANCHOR  # its anchors lie around the cell's corner
    _copy(network.heads["box_2d"].layers[-1], (torch.stack(weights).mean(dim=0) * factors.view(4, 1, 1, 1), bias))


def _copy(module: torch.nn.Module, values: tuple[torch.Tensor, torch.Tensor]) -> None:
    for target, value in zip((module.weight, module.bias), values, strict=True):
        if target.shape != value.shape:
            raise ValueError(f"expected {tuple(target.shape)}, got {tuple(value.shape)}: another OpenVINO model")
        target.copy_(value)


if __name__ == "__main__":
    auto_cli(start_from_openvino)
