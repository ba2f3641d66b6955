"""Every backbone with every neck and kind of convolution: built, run, trained for one step, and exported.

The default run takes each pair of neck and convolution once, on the light backbones in turn; `-m slow` runs all, and
writes ONNX for each backbone.
"""

from __future__ import annotations

from itertools import cycle, product
from pathlib import Path

import pytest
import torch

from centertrack.models import BACKBONES, NECKS, CenterNet
from centertrack.runtime.contract import DecodeOptions
from centertrack.runtime.export import export_model
from centertrack.runtime.exported import ExportedRuntime
from centertrack.runtime.graph import DetectionGraph
from centertrack.runtime.onnx import quiet
from tests.centertrack.training.test_module import make_targets

TIMM = [
    "timm/resnet26d",
    "timm/mobilenetv4_conv_small",
    "timm/convnext_atto",
    "timm/efficientnet_lite0",
    "timm/dla34",
    "timm/hrnet_w18_small",
]
LIGHT = ["resnet18", "mobilenet_v2", "mobilenet_v3_small", "shufflenet_v2_x0.5", "timm/mobilenetv4_conv_small"]
PAIRS = list(product(NECKS, ["normal", "separable", "deformable"]))
FULL_GRID = [(backbone, *pair) for backbone in [*BACKBONES, *TIMM] for pair in PAIRS]
SIZE = (64, 96)


def build(backbone: str, neck: str, conv_type: str) -> CenterNet:
    torch.manual_seed(0)
    widths = {"BiFPNNeck": {"num_channels": 16, "num_layers": 2}, "DLANeck": {}}
    widths["TwinPyramidNeck"] = {"channels": 8, "appearance_channels": 16}
    widths["GhostPyramidNeck"] = {"channels": 8, "appearance_channels": 16, "width": 12}
    return CenterNet(
        backbone={"name": backbone, "pretrained": False},
        neck={"name": neck, "conv_type": conv_type, **widths.get(neck, {"upsample_channels": [32, 24, 16]})},
        output_heads={"heatmap": {"num_classes": 2, "width": 16}, "box_2d": {"width": 16}, "reid": {"width": 16}},
        num_identities=6,
        input_format={"size": SIZE[::-1]},
    )


def check(backbone: str, neck: str, conv_type: str) -> CenterNet:
    """Build, run, train for a step and export the graph; returns the network."""
    model = build(backbone, neck, conv_type)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    outputs = model.get_encoded_outputs(torch.randn(2, 3, *SIZE))
    finest = outputs["heatmap"] if isinstance(outputs["heatmap"], torch.Tensor) else outputs["heatmap"][0]
    assert finest.shape == (2, 2, SIZE[0] // model.strides[0], SIZE[1] // model.strides[0])
    loss = model.compute_loss(outputs, make_targets())["total"]
    loss.backward()
    assert loss.isfinite()
    # a backbone may have branches to maps that the neck does not use
    parameters = [(name, p) for name, p in model.named_parameters() if p.grad is not None or "backbone" not in name]
    assert [name for name, p in parameters if p.grad is None or not p.grad.isfinite().all()] == []
    optimizer.step()
    graph = DetectionGraph(model.eval(), DecodeOptions(max_detections=5)).eval()
    images = torch.randint(0, 256, (1, *SIZE, 3), dtype=torch.uint8)
    with quiet(), torch.no_grad():
        expected = graph(images)
        for found, values in zip(torch.jit.trace(graph, images, check_trace=False)(images), expected, strict=True):
            torch.testing.assert_close(found, values)
    return model


@pytest.mark.parametrize(("backbone", "pair"), list(zip(cycle(LIGHT), PAIRS, strict=False)), ids=str)
def test_each_neck_and_convolution(backbone: str, pair: tuple[str, str]) -> None:
    check(backbone, *pair)


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "neck", "conv_type"), FULL_GRID, ids=str)
def test_the_full_grid(backbone: str, neck: str, conv_type: str) -> None:
    check(backbone, neck, conv_type)


@pytest.mark.slow
@pytest.mark.parametrize("backbone", [*BACKBONES, *TIMM])
def test_each_backbone_becomes_onnx(backbone: str, tmp_path: Path) -> None:
    model = build(backbone, "FPNNeck", "normal").eval()
    decoding = DecodeOptions(max_detections=5)
    file = export_model(model, tmp_path / "network.onnx", decoding=decoding)
    images = torch.randint(0, 256, (1, *SIZE, 3), dtype=torch.uint8)
    with torch.no_grad():
        expected = DetectionGraph(model, decoding)(images)
    scores = torch.from_numpy(ExportedRuntime(file, "onnxruntime")(images.numpy()).scores)
    torch.testing.assert_close(scores, expected.scores, rtol=0, atol=1e-4)
