"""CenterNet's contracts: its seven methods, and that its losses stay finite and lead somewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from centertrack.models import BACKBONES, HEADS, BaseHead, CenterNet, LossOptions
from centertrack.models.backbones import Backbone
from centertrack.models.build import build_backbone, build_neck
from centertrack.models.precision import finding_precision
from centertrack.runtime.contract import DecodeOptions
from centertrack.runtime.graph import DetectionGraph
from centertrack.runtime.onnx import quiet
from tracker.errors import InputError

NANO: dict[str, Any] = {
    "backbone": {"name": "shufflenet_v2_x0.5"},
    "neck": {"name": "FPNNeck", "upsample_channels": [32, 24, 16], "conv_type": "separable"},
    "output_heads": {
        "heatmap": {"num_classes": 2, "width": 16, "conv_type": "separable"},
        "box_2d": {"width": 16, "conv_type": "separable", "box_multiplier": 16.0},
        "reid": {"embedding_dim": 8, "width": 16, "conv_type": "separable"},
    },
}


def nano(task: str = "tracking", **options: Any) -> CenterNet:
    torch.manual_seed(0)
    heads = dict(NANO["output_heads"])
    if task == "detection":
        heads.pop("reid")
    return CenterNet(**{**NANO, "output_heads": heads, "task": task, **options})


def make_targets(images: int = 2, objects: int = 3, known: bool = True) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    centre = torch.rand(images, objects, 2, generator=generator)
    size = 0.1 + 0.3 * torch.rand(images, objects, 2, generator=generator)
    return {
        "bboxes": torch.cat((centre, size), dim=2),
        "labels": torch.randint(2, (images, objects), generator=generator),
        "mask": torch.ones(images, objects),
        "ids": torch.arange(images * objects).view(images, objects) if known else torch.full((images, objects), -1),
    }


def test_attributes() -> None:
    model = nano()
    assert (model.output_stride, model.task, model.num_classes) == (4, "tracking", 2)


def test_encoded_outputs_are_logits_at_stride_four() -> None:
    outputs = nano().eval().get_encoded_outputs(torch.zeros(1, 3, 64, 96))
    assert {name: tuple(outputs[name].shape) for name in ("heatmap", "box_2d", "reid")} == {
        "heatmap": (1, 2, 16, 24),
        "box_2d": (1, 4, 16, 24),
        "reid": (1, 8, 16, 24),
    }
    assert outputs["heatmap"].max() < 0


@pytest.mark.parametrize("task", ["detection", "tracking"])
def test_forward_gives_probabilities_under_names(task: str) -> None:
    model = nano(task).eval()
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        maps, outputs = model(x), model.get_encoded_outputs(x)
    assert maps._fields == (("heatmap", "box_2d", "reid") if task == "tracking" else ("heatmap", "box_2d"))
    torch.testing.assert_close(maps.heatmap, outputs["heatmap"].sigmoid())
    torch.testing.assert_close(maps.box_2d, outputs["box_2d"])


def test_forward_can_be_traced() -> None:
    model, x = nano().eval(), torch.randn(1, 3, 64, 96)
    with quiet(), torch.no_grad():
        traced = torch.jit.trace(model, x)
        for found, expected in zip(traced(x), model(x), strict=True):
            torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("size", [(64, 80), (50, 64)])
def test_sides_not_divisible_by_32_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="divisible by 32"):
        nano().get_encoded_outputs(torch.zeros(1, 3, *size))


def test_gathering_boxes_scores_labels_and_embeddings() -> None:
    model = nano()
    heatmap, box_2d, reid = torch.zeros(1, 2, 16, 24), torch.zeros(1, 4, 16, 24), torch.zeros(1, 8, 16, 24)
    heatmap[0, 1, 3, 5], heatmap[0, 0, 9, 20] = 0.9, 0.6
    box_2d[0, :, 3, 5], box_2d[0, :, 9, 20] = torch.tensor([1.0, 2, 1, 2]), torch.tensor([2.0, 1, 3, 1])
    reid[0, 0, 3, 5], reid[0, 1, 9, 20] = 5.0, -2.0
    found = model.gather_tracking2d(heatmap, box_2d, reid, num_detections=2)
    assert found["labels"].tolist() == [[1, 0]]
    assert found["scores"][0].tolist() == pytest.approx([0.9, 0.6])
    assert found["bboxes"][0].tolist() == [[18.0, 6.0, 26.0, 22.0], [74.0, 34.0, 94.0, 42.0]]
    assert found["embeddings"][0, :, :2].tolist() == [[1.0, 0.0], [0.0, -1.0]]
    relative = model.gather_detection2d(heatmap, box_2d, num_detections=2, normalize_bbox=True)
    expected = found["bboxes"] / torch.tensor([96.0, 64.0, 96.0, 64.0])
    torch.testing.assert_close(relative["bboxes"], expected)
    assert "embeddings" not in relative


def test_the_total_is_the_weighted_sum() -> None:
    model = nano(num_identities=6, loss={"heatmap_weight": 2.0, "box_weight": 3.0, "reid_weight": 0.5})
    losses = model.compute_loss(model.get_encoded_outputs(torch.randn(2, 3, 64, 96)), make_targets())
    assert set(losses) == {"heatmap", "box_2d", "reid", "total"}
    total = 2 * losses["heatmap"] + 3 * losses["box_2d"] + 0.5 * losses["reid"]
    torch.testing.assert_close(losses["total"], total)


def test_identities_can_be_left_out() -> None:
    model = nano(num_identities=6)
    outputs = model.get_encoded_outputs(torch.randn(2, 3, 64, 96))
    losses = model.compute_loss(outputs, make_targets(), ignore_reid=True)
    assert set(losses) == {"heatmap", "box_2d", "total"}


@pytest.mark.parametrize("case", ["no objects", "no identities", "degenerate boxes", "outside"])
@pytest.mark.parametrize("balance", ["fixed", "uncertainty"])
def test_losses_and_gradients_are_finite_on_awkward_batches(case: str, balance: str) -> None:
    model = nano(num_identities=6, loss={"balance": balance, "box": "ciou"})
    targets = make_targets(known=case != "no identities")
    if case == "no objects":
        targets["mask"].zero_()
    if case == "degenerate boxes":
        targets["bboxes"][..., 2:] = 0
    if case == "outside":
        targets["bboxes"][..., :2] += 1.0
    losses = model.compute_loss(model.get_encoded_outputs(torch.randn(2, 3, 64, 96)), targets)
    losses["total"].backward()
    assert all(value.isfinite() for value in losses.values())
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_padding_of_the_batch_changes_nothing() -> None:
    model = nano(num_identities=6).eval()
    with torch.no_grad():
        outputs, targets = model.get_encoded_outputs(torch.randn(2, 3, 64, 96)), make_targets()
        padded = {name: torch.cat((v, torch.full_like(v[:, :2], 7)), dim=1) for name, v in targets.items()}
        padded["mask"][:, -2:] = 0
        expected, found = model.compute_loss(outputs, targets), model.compute_loss(outputs, padded)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)


def test_ignored_regions_take_negatives_out_of_the_heatmap_loss() -> None:
    model, targets = nano("detection"), make_targets()
    outputs = {"heatmap": torch.zeros(2, 2, 16, 24), "box_2d": torch.ones(2, 4, 16, 24)}
    whole = model.compute_loss(outputs, targets)["heatmap"]
    targets["ignore"] = torch.tensor([[[0.5, 0.5, 1.0, 1.0]], [[0.0, 0.0, 0.0, 0.0]]])
    assert 0 < model.compute_loss(outputs, targets)["heatmap"] < whole


@pytest.mark.parametrize("loss", ["giou", "l1"])
def test_maps_that_say_the_truth_cost_nearly_nothing(loss: str) -> None:
    model = nano("detection", loss={"sampling": "center", "box": loss})
    outputs = {"heatmap": torch.full((1, 2, 16, 24), -12.0), "box_2d": torch.zeros(1, 4, 16, 24)}
    outputs["heatmap"][0, 1, 8, 12] = 12.0
    outputs["box_2d"][0, :, 8, 12] = torch.tensor([3.5, 2.5, 2.5, 1.5])
    box = torch.tensor([[[12 / 24, 8 / 16, 6 / 24, 4 / 16]]])
    targets = {"bboxes": box, "labels": torch.tensor([[1]]), "mask": torch.ones(1, 1)}
    losses = model.compute_loss(outputs, targets)
    assert losses["heatmap"].item() == pytest.approx(0, abs=1e-6)
    assert losses["box_2d"].item() == pytest.approx(0, abs=1e-5)


def test_half_precision_outputs_are_compared_in_float32() -> None:
    model = nano("detection")
    outputs = {"heatmap": torch.full((2, 2, 16, 24), -2.0), "box_2d": torch.full((2, 4, 16, 24), 300.0)}
    expected = model.compute_loss(outputs, make_targets())
    found = model.compute_loss({name: values.half() for name, values in outputs.items()}, make_targets())
    assert found["total"].dtype == torch.float32
    torch.testing.assert_close(found["total"], expected["total"])


def test_bfloat16_rounds_a_network_that_learns_and_none_that_finds() -> None:
    model, x = nano("detection"), torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        for module in (model.train(), model.eval()):
            state = {key: value.clone() for key, value in model.state_dict().items()}  # of the batch norms
            expected = module.get_encoded_outputs(x)["heatmap"]
            model.load_state_dict(state)
            with torch.autocast("cpu", dtype=torch.bfloat16):
                found = module.get_encoded_outputs(x)["heatmap"]
            model.load_state_dict(state)
            assert found.dtype == torch.float32
            assert torch.equal(found, expected) is not model.training


def test_a_gpu_finds_objects_in_float16_where_autocast_says_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda device: device == "cuda")
    monkeypatch.setattr(torch, "get_autocast_dtype", lambda device: torch.bfloat16)
    monkeypatch.setattr(torch, "autocast", lambda *given, **options: (given, options))
    assert finding_precision("cuda") == (("cuda", torch.float16), {})


@pytest.mark.parametrize("reid", ["cross_entropy", "focal", "triplet"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_losses_leave_autocast_by_themselves(reid: str, dtype: torch.dtype) -> None:
    model = nano(num_identities=6, loss={"reid": reid, "balance": "uncertainty"})
    with torch.no_grad():
        outputs = model.get_encoded_outputs(torch.randn(2, 3, 64, 96))
    expected = model.compute_loss(outputs, make_targets())
    with torch.autocast("cpu", dtype=dtype):
        found = model.compute_loss(outputs, make_targets())
    for name, value in expected.items():
        assert found[name].dtype == torch.float32, name
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_a_network_of_another_precision_has_float32_losses_too(dtype: torch.dtype) -> None:
    model = nano(num_identities=6, loss={"balance": "uncertainty"}).to(dtype)
    losses = model.compute_loss(model.get_encoded_outputs(torch.randn(2, 3, 64, 96, dtype=dtype)), make_targets())
    losses["total"].backward()
    assert all(value.isfinite() for value in losses.values())
    assert losses["reid"].dtype == losses["box_2d"].dtype == torch.float32
    assert all(p.grad is None or p.grad.isfinite().all() for p in model.parameters())


def test_pixels_become_what_the_network_was_trained_on() -> None:
    model = nano(input_format={"size": [96, 64], "channel_order": "bgr", "mean": [0.1, 0.2, 0.3], "std": [0.5, 1, 2]})
    rgb = torch.tensor([255, 0, 51], dtype=torch.uint8).view(1, 3, 1, 1)
    found = model.normalize(rgb).flatten().tolist()
    assert found == pytest.approx([(0.2 - 0.1) / 0.5, -0.2, (1.0 - 0.3) / 2])


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"task": "segmentation"}, "task"),
        ({"loss": {"box_weigth": 1.0}}, "box_weigth"),
        ({"neck": {"name": "PANNeck"}}, "PANNeck"),
        ({"neck": {"name": "FPNNeck", "chanels": 3}}, "chanels"),
        ({"backbone": {"name": "resnet18", "pretrianed": False}}, "pretrianed"),
        ({"output_heads": {"heatmap": {"num_classes": 1}, "box_2d": {}}}, "reid"),
        ({"output_heads": {**NANO["output_heads"], "mask": {}}}, "mask"),
        ({"input_format": {"size": [100, 64]}}, "32"),
        ({"input_format": {"size": 64}}, "InputFormat: 'int' object is not iterable"),
        ({"loss": {"level_limits": 64}}, "LossOptions: 'int' object is not iterable"),
        ({"loss": {"level_limits": [128, 64]}}, "level_limits must rise"),
        ({"neck": {"name": "FPNNeck", "levels": 3}, "loss": {"level_limits": [64]}}, "3 levels need 2 sizes"),
        ({"loss": "giou"}, "LossOptions takes a mapping of .*, got 'giou'"),
        ({"loss": {"heatmap": "bce"}}, "heatmap"),
        ({"loss": {"sampling": "fcos2"}}, "sampling"),
        ({"box_format": "xywh"}, "box_format"),
        ({"class_names": ["person"]}, "class_names"),
        ({"box_format": "size_offset"}, "2 coordinates"),
        ({"box_format": "ltrb_offset"}, "center"),
    ],
)
def test_mistakes_in_a_configuration_are_named(options: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        CenterNet(**{**NANO, **options})


@pytest.mark.parametrize("neck", ["FPNNeck", "BiFPNNeck"])
def test_several_levels_are_trained_and_decoded_together(neck: str) -> None:
    widths = {"num_channels": 16} if neck == "BiFPNNeck" else {"upsample_channels": [32, 24, 16]}
    model = nano(neck={"name": neck, "levels": 3, **widths}, num_identities=6, loss={"level_limits": [20, 40]})
    assert model.strides == (4, 8, 16)
    images, targets = torch.randn(2, 3, 64, 96), make_targets()
    outputs = model.get_encoded_outputs(images)
    assert [tuple(x.shape) for x in outputs["heatmap"]] == [(2, 2, 16, 24), (2, 2, 8, 12), (2, 2, 4, 6)]
    losses = model.compute_loss(outputs, targets)
    losses["total"].backward()
    assert all(value.isfinite() for value in losses.values())
    with torch.no_grad():
        found = model.eval().detect(images, num_detections=30)
    assert found.boxes.shape == (2, 30, 4)
    assert found.embeddings.shape == (2, 30, 8)
    assert (found.scores.diff(dim=1) <= 0).all()
    pixels = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    graph = DetectionGraph(model).eval()
    with quiet(), torch.no_grad():
        traced = torch.jit.trace(graph, pixels, check_trace=False)
        torch.testing.assert_close(traced(pixels)[1], graph(pixels).scores)


def test_an_object_is_drawn_on_the_level_of_its_size() -> None:
    model = nano("detection", neck={"name": "FPNNeck", "levels": 2}, loss={"level_limits": [30], "sampling": "center"})
    box = torch.tensor([[[0.5, 0.5, 20 / 96, 20 / 64], [0.2, 0.5, 20 / 96, 40 / 64]]])
    targets = {"bboxes": box, "labels": torch.tensor([[0, 1]]), "mask": torch.ones(1, 2)}
    outputs = {
        "heatmap": (torch.full((1, 2, 16, 24), -12.0), torch.full((1, 2, 8, 12), -12.0)),
        "box_2d": (torch.zeros(1, 4, 16, 24), torch.zeros(1, 4, 8, 12)),
    }
    outputs["heatmap"][0][0, 0, 8, 12] = outputs["heatmap"][1][0, 1, 4, 2] = 12.0
    outputs["box_2d"][0][0, :, 8, 12] = torch.tensor([3.0, 3.0, 2.0, 2.0])
    outputs["box_2d"][1][0, :, 4, 2] = torch.tensor([1.35, 3.0, 1.15, 2.0])
    losses = model.compute_loss(outputs, targets)
    assert losses["heatmap"].item() == pytest.approx(0, abs=1e-6)
    assert losses["box_2d"].item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("box_format", ["ltrb_offset", "size_offset"])
def test_published_box_formats_are_trained_with_their_offset(box_format: str) -> None:
    coordinates = 2 if box_format == "size_offset" else 4
    heads = {**NANO["output_heads"], "box_2d": {"coordinates": coordinates, "width": 16}, "offset": {"width": 16}}
    heads.pop("reid")
    options = {"sampling": "center", "box": "l1", "box_weight": 0.1, "offset_weight": 2.0}
    model = CenterNet(**{**NANO, "output_heads": heads}, task="detection", box_format=box_format, loss=options)
    outputs = {"heatmap": torch.full((1, 2, 16, 24), -2.0), "box_2d": torch.zeros(1, coordinates, 16, 24)}
    outputs["offset"] = torch.zeros(1, 2, 16, 24)
    # centre (12.25, 8.5) in cells, 6 wide, 4 high
    box = torch.tensor([[[12.25 / 24, 8.5 / 16, 6 / 24, 4 / 16]]])
    targets = {"bboxes": box, "labels": torch.tensor([[1]]), "mask": torch.ones(1, 1)}
    losses = model.compute_loss(outputs, targets)
    assert losses["offset"].item() == pytest.approx((0.25 + 0.5) / 2, rel=1e-3)
    total = losses["heatmap"] + 0.1 * losses["box_2d"] + 2.0 * losses["offset"]
    torch.testing.assert_close(losses["total"], total)
    values = [6.0, 4.0] if coordinates == 2 else [3.0, 2.0, 3.0, 2.0]
    outputs["box_2d"][0, :, 8, 12], outputs["offset"][0, :, 8, 12] = torch.tensor(values), torch.tensor([0.25, 0.5])
    losses = model.compute_loss(outputs, targets)
    assert losses["box_2d"].item() == pytest.approx(0, abs=1e-5)
    assert losses["offset"].item() == pytest.approx(0, abs=1e-5)
    outputs["heatmap"][0, 1, 8, 12] = 5.0
    found = model.gather_detection2d(
        outputs["heatmap"].sigmoid(), outputs["box_2d"], num_detections=1, offset=outputs["offset"]
    )
    assert found["bboxes"][0, 0].tolist() == pytest.approx([37.0, 26.0, 61.0, 42.0])


class SpeedHead(BaseHead):
    """Pixels a second: a head as a user would write it."""

    loss_weight = 0.5

    def __init__(self, in_channels: int, width: int = 64) -> None:
        super().__init__(in_channels, out_channels=1, width=width)

    def loss(self, values: Tensor, truth: Mapping[str, Tensor]) -> Tensor:
        return (values[:, 0] - truth["speed"]).abs().sum() / max(1, len(values))


def test_a_head_of_your_own_is_a_class_and_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(HEADS, "speed", SpeedHead)
    model = nano(output_heads={"speed": {"width": 8}, **NANO["output_heads"]})
    images, targets = torch.randn(2, 3, 64, 96), make_targets()
    targets["speed"] = torch.arange(6.0).view(2, 3)
    targets["mask"][0, 0] = 0
    outputs = model.get_encoded_outputs(images)
    assert outputs["speed"].shape == (2, 1, 16, 24)
    losses = model.compute_loss(outputs, targets)
    total = losses["heatmap"] + 5 * losses["box_2d"] + 0.5 * losses["speed"]
    torch.testing.assert_close(losses["total"], total)
    outputs["speed"] = torch.zeros(2, 1, 16, 24)
    assert model.compute_loss(outputs, targets)["speed"].item() == pytest.approx((1 + 2 + 3 + 4 + 5) / 5)
    assert model.eval()(images)._fields == ("heatmap", "box_2d", "reid", "speed")


def test_a_backbone_of_your_own_is_a_class_and_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pools(Backbone):
        def __init__(self, name: str, return_features: bool = True, pretrained: bool = False) -> None:
            super().__init__([torch.nn.AvgPool2d(2) for _ in range(5)], [3] * 5, return_features, frozen_stages=0)

    monkeypatch.setitem(BACKBONES, "pools", Pools)
    assert nano(backbone={"name": "pools"}).get_encoded_outputs(torch.zeros(1, 3, 64, 64))["reid"].shape[2:] == (16, 16)


def test_the_simple_neck_takes_any_size() -> None:
    model = nano("detection", neck={"name": "SimpleNeck", "upsample_channels": [16, 16, 16]}).eval()
    with torch.no_grad():
        assert model(torch.zeros(1, 3, 50, 70)).heatmap.shape == (1, 2, 16, 24)


def test_maps_that_do_not_halve_are_refused() -> None:
    backbone = torch.nn.Identity()
    backbone.out_channels, backbone.strides = [8] * 4, [4, 8, 16, 16]
    with pytest.raises(InputError, match=r"stride 4, 8, 16 and 32"):
        build_neck({"name": "FPNNeck"}, backbone)


@pytest.mark.parametrize("name", ["mobilenetv4_conv_small", "resnet26d", "timm/dla34"])
def test_names_that_start_like_others_are_looked_up_whole(name: str) -> None:
    assert type(build_backbone({"name": name, "pretrained": False})).__name__ == "TimmBackbone"


def test_a_few_steps_lower_the_loss() -> None:
    model = nano(num_identities=6, loss=LossOptions())
    images, targets = torch.randn(2, 3, 64, 96), make_targets()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    totals = []
    for _ in range(25):
        loss = model.compute_loss(model.get_encoded_outputs(images), targets)["total"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        totals.append(loss.item())
    assert totals[-1] < 0.8 * totals[0]


class Dtypes(TorchDispatchMode):
    """Collects the operations that give float64 tensors, of which Apple's GPUs know nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.doubles: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for value in found if isinstance(found, tuple | list) else [found]:
            if isinstance(value, Tensor) and value.dtype == torch.float64:
                self.doubles.add(str(func))
        return found


def test_nothing_is_computed_in_float64() -> None:
    model = nano(num_identities=6)
    targets = make_targets()
    with Dtypes() as dtypes:
        images = torch.rand(2, 3, 64, 96)
        losses = model.compute_loss(model.get_encoded_outputs(images), targets)
        losses["total"].backward()
        DetectionGraph(model.eval(), DecodeOptions())(torch.zeros(1, 64, 96, 3, dtype=torch.uint8))
    assert dtypes.doubles == set()
