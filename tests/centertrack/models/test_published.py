"""Published checkpoints load key for key, and compute what the published networks compute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from centertrack.models import CenterNet, from_pretrained, load_published, save_weights
from centertrack.models.published import HEADS, rename
from tests.centertrack.models.published_layout import (
    Entry,
    centernet_dla34,
    centernet_resdcn18,
    fairmot_dla34,
    golden_state,
    random_state,
    write_checkpoint,
)
from tests.centertrack.models.published_networks import dla34_outputs, resdcn18_outputs
from tracker.errors import InputError

# mean, largest absolute value and three samples of each output, from the published network
GOLDEN = {
    "heatmap": (2.847292, 9.184571, 1.663311, 0.936122, 2.104618),
    "box_2d": (-2.717019, 14.312799, 1.690403, -2.763793, 2.434646),
    "reid": (-0.383179, 19.976474, 1.512864, -1.487566, 1.416566),
    "offset": (-1.158626, 8.205247, 1.129864, -1.379537, 0.234569),
}


def golden_image() -> torch.Tensor:
    return torch.sin(0.01 * torch.arange(3 * 64 * 96, dtype=torch.float64)).view(1, 3, 64, 96)


def test_the_golden_vector_of_fairmot(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "fairmot_dla34.pth", golden_state(fairmot_dla34()))
    model = load_published(path)
    with torch.no_grad():
        outputs = model.get_encoded_outputs(golden_image())
    for name, expected in GOLDEN.items():
        values = outputs[name]
        samples = (values[0, 0, 0, 0], values[0, -1, 7, 11], values[0, 0, 15, 23])
        found = [values.mean().item(), values.abs().max().item(), *(sample.item() for sample in samples)]
        assert found == pytest.approx(expected, abs=1e-4), name


@pytest.mark.parametrize(
    ("layout", "list_name", "entries", "parameters"),
    [
        (fairmot_dla34(), "fairmot_dla34", 404, 20349711),
        (centernet_dla34(), "centernet_ctdet_coco_dla_2x", 400, 20188892),
        (centernet_resdcn18(), "centernet_ctdet_coco_resdcn18", 177, 14437349),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_layouts_written_here_are_the_published_ones(
    layout: list[Entry], list_name: str, entries: int, parameters: int, shared_data: Path
) -> None:
    buffers = ("running_mean", "running_var", "num_batches_tracked")
    assert len(layout) == entries
    assert sum(int(np.prod(shape)) for key, shape in layout if not key.endswith(buffers)) == parameters
    lines = (shared_data.parent / "reference" / f"{list_name}_keys.txt").read_text().splitlines()
    assert [f"{key}\t{list(shape)}" for key, shape in layout] == [line for line in lines if not line.startswith("#")]


@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_fairmot_file_says_how_it_is_used(tmp_path: Path, prefix: str) -> None:
    state = random_state(fairmot_dla34())
    model = load_published(write_checkpoint(tmp_path / "fairmot_dla34.pth", state, prefix))
    assert (model.task, model.num_classes, model.box_format, model.output_stride) == ("tracking", 1, "ltrb_offset", 4)
    assert model.input_format.size == (1088, 608)
    assert (model.input_format.channel_order, model.input_format.mean) == ("rgb", (0.0, 0.0, 0.0))
    assert model.input_format.box_origin == 1
    assert not model.training
    report = model.load_report
    assert report is not None
    assert report.is_complete
    assert (report.loaded, report.total) == (404 - 2 - 12, 404)  # but for the classifier and two dead projections
    assert "390 of 404" in str(report)
    assert all(key.startswith(("base.fc", "base.level3.project", "base.level4.project")) for key in report.unused)
    for key, value in state.items():
        if key not in report.unused:
            assert torch.equal(model.state_dict()[rename(key)], value), key


def test_every_parameter_gets_a_gradient(tmp_path: Path) -> None:
    model = load_published(write_checkpoint(tmp_path / "a.pth", random_state(fairmot_dla34()))).train()
    outputs = model.get_encoded_outputs(torch.randn(1, 3, 64, 96))
    sum(outputs[name].square().sum() for name in model.heads).backward()
    dead = [name for name, p in model.named_parameters() if p.grad is None and not name.startswith("balance")]
    assert dead == []


def test_older_head_sizes_are_read_from_the_file(tmp_path: Path) -> None:
    state = random_state(fairmot_dla34(classes=1, sizes=2, embedding=512))
    model = load_published(write_checkpoint(tmp_path / "all_dla34.pth", state))
    assert model.box_format == "size_offset"
    with torch.no_grad():
        maps = model(torch.rand(1, 3, 64, 64))
        found = model.detect(torch.rand(1, 3, 64, 64), num_detections=5)
    assert (maps.box_2d.shape[1], maps.reid.shape[1]) == (2, 512)
    assert (found.boxes.shape, found.embeddings.shape) == ((1, 5, 4), (1, 5, 512))


@pytest.mark.parametrize("layout", [centernet_dla34(), centernet_resdcn18()], ids=["dla_2x", "resdcn18"])
def test_centernet_files(tmp_path: Path, layout: list[Entry]) -> None:
    state = random_state(layout)
    model = load_published(write_checkpoint(tmp_path / "ctdet.pth", state))
    assert (model.task, model.num_classes, model.box_format) == ("detection", 80, "size_offset")
    assert model.config["class_names"][:3] == ["person", "bicycle", "car"]
    assert (model.input_format.channel_order, model.input_format.resize) == ("bgr", "keep")
    assert model.load_report is not None
    assert model.load_report.is_complete
    for key, value in state.items():
        if key not in model.load_report.unused:
            assert torch.equal(model.state_dict()[rename(key)], value), key


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize(
    ("layout", "published"),
    [
        (fairmot_dla34(), dla34_outputs),
        (fairmot_dla34(sizes=2, embedding=512), dla34_outputs),
        (centernet_dla34(), dla34_outputs),
        (centernet_resdcn18(), resdcn18_outputs),
    ],
    ids=["fairmot", "older fairmot", "ctdet dla_2x", "ctdet resdcn18"],
)
def test_a_published_network_computes_what_its_layers_say(
    layout: list[Entry],
    published: Callable[[dict[str, torch.Tensor], torch.Tensor], dict[str, torch.Tensor]],
    dtype: torch.dtype,
    tmp_path: Path,
) -> None:
    state = random_state(layout, seed=3)
    expected = published({key: value.double() for key, value in state.items()}, golden_image())
    path = write_checkpoint(tmp_path / "published.pth", {key: value.to(dtype) for key, value in state.items()})
    with torch.no_grad():
        outputs = load_published(path).get_encoded_outputs(golden_image().to(dtype))
    assert outputs.keys() == {HEADS[name] for name in expected} | {"features"}
    for name, values in expected.items():
        found = outputs[HEADS[name]]
        assert found.dtype == dtype
        tolerance = 1e-9 if dtype == torch.float64 else 1e-4
        torch.testing.assert_close(found.double(), values, rtol=0, atol=tolerance)


def test_missing_and_left_over_tensors_are_errors_unless_allowed(tmp_path: Path) -> None:
    state = random_state(centernet_resdcn18())
    state.pop("deconv_layers.0.bias")
    path = write_checkpoint(tmp_path / "cut.pth", state)
    with pytest.raises(InputError, match=r"lacks neck\.convs\.0\.0\.bias"):
        load_published(path)
    report = load_published(path, allow=["neck.convs.0"]).load_report
    assert report is not None
    assert report.lacking == ("neck.convs.0.0.bias",)
    more = {**random_state(centernet_resdcn18()), "hps.2.weight": torch.zeros(34, 64, 1, 1)}
    path = write_checkpoint(tmp_path / "pose.pth", more)
    with pytest.raises(InputError, match=r"left over hps\.2\.weight"):
        load_published(path)
    assert load_published(path, allow=["hps"]).load_report is not None


def test_a_wrong_shape_is_an_error(tmp_path: Path) -> None:
    state = random_state(centernet_resdcn18())
    state["layer2.0.conv1.weight"] = torch.zeros(128, 64, 1, 1)
    with pytest.raises(InputError, match=r"layer2|stages\.2"):
        load_published(write_checkpoint(tmp_path / "bent.pth", state))


@pytest.mark.parametrize("content", [{"weights": torch.zeros(1)}, [1, 2], {"state_dict": {"hm.2.weight": 3}}])
def test_other_files_are_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"other\.pth"):
        load_published(tmp_path / "other.pth")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        load_published(tmp_path / "nowhere.pth")


def test_weights_are_found_by_from_pretrained_too_and_convert(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "ctdet_coco_resdcn18.pth", random_state(centernet_resdcn18(classes=2)))
    model = from_pretrained(path)
    assert isinstance(model, CenterNet)
    save_weights(model, tmp_path / "converted.safetensors")
    converted = from_pretrained(tmp_path / "converted.safetensors")
    assert converted.input_format == model.input_format
    assert converted.box_format == "size_offset"
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        for found, expected in zip(converted(x), model(x), strict=True):
            torch.testing.assert_close(found, expected, rtol=0.05, atol=0.05)  # stored as float16


@pytest.mark.slow
def test_a_published_file_tracks_a_video_as_its_program_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Letterbox to 1088x608, boxes in the source, one pixel less than the 1-based labels it was trained on."""
    from centertrack.cli import main
    from centertrack.predictor import Predictor
    from centertrack.synthetic import SceneConfig, StreetScene

    path = write_checkpoint(tmp_path / "fairmot_dla34.pth", random_state(fairmot_dla34()))
    image = StreetScene(SceneConfig(size=(640, 480), seconds=0.1)).frame(0).frame.image
    predictor = Predictor(path, "cpu", "torch", min_score=0.0, max_detections=50)
    prepared = predictor.prepare(image)
    assert prepared.pixels.shape == (608, 1088, 3)
    assert prepared.pixels[0, 0].tolist() == [128, 128, 128]
    raw = predictor.runtime(prepared.pixels[None])
    ratio = 608 / 480
    left = (1088 - round(640 * ratio)) // 2
    expected = (raw.boxes[0] - np.array([left, 0, left, 0])) / np.array([round(640 * ratio) / 640, ratio] * 2) - 1
    np.testing.assert_allclose(predictor(image)[0].boxes, expected, atol=1e-3)
    frames = tmp_path / "frames"
    frames.mkdir()
    import cv2

    for number in (1, 2):
        cv2.imwrite(str(frames / f"{number:06d}.png"), image[..., ::-1])
    results = tmp_path / "rows.txt"
    options = ["--weights", str(path), "--device", "cpu", "--runtime", "torch", "--results", str(results)]
    assert main(["track", str(frames), *options]) == 0
    assert results.is_file()
