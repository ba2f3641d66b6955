"""CenterNet's contracts: its seven methods, and that its losses stay finite and lead somewhere."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from centertrack.models import CenterNet, LossOptions
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
    with torch.no_grad():
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
    ],
)
def test_mistakes_in_a_configuration_are_named(options: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        CenterNet(**{**NANO, **options})


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
