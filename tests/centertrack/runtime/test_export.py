"""Exported files find what the network finds, and say how they are used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from centertrack.cli import main
from centertrack.models import CenterNet, from_pretrained
from centertrack.predictor import Predictor
from centertrack.runtime.contract import DecodeOptions, RawDetections
from centertrack.runtime.export import Parity, compare, export_model, measure_parity
from centertrack.runtime.exported import ExportedRuntime, choose_exported_runtime, device_for, read_exported
from centertrack.runtime.onnx import quiet
from tests.centertrack.conftest import CLIP_SIZE, small_network
from tests.centertrack.models.published_layout import centernet_resdcn18, fairmot_dla34, random_state, write_checkpoint
from tracker.errors import InputError

DECODING = DecodeOptions(max_detections=60)
SUFFIXES = [".onnx", ".xml", ".torchscript"]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small network in every format, for any number of images."""
    folder = tmp_path_factory.mktemp("exports")
    paths = {suffix: folder / f"small{suffix}" for suffix in SUFFIXES}
    for path in paths.values():
        export_model(small_network(), path, dynamic_batch=True, decoding=DECODING)
    return paths


def by_kind(exports: dict[str, Path]) -> list[tuple[Path, str]]:
    runtimes = {".onnx": ("onnxruntime", "openvino"), ".xml": ("openvino",), ".torchscript": ("torch",)}
    return [(path, runtime) for suffix, path in exports.items() for runtime in runtimes[suffix]]


def test_every_format_finds_what_the_network_finds(exports: dict[str, Path], picture: np.ndarray) -> None:
    frames = [picture, picture[:, ::-1].copy(), np.kron(picture, np.ones((2, 2, 1), np.uint8))]
    for path in exports.values():
        parity = measure_parity(small_network(), read_exported(path), frames, DECODING)
        assert parity.compared > 60, path
        assert parity.largest < 1e-3, path


def test_every_runtime_takes_any_number_of_images(exports: dict[str, Path], picture: np.ndarray) -> None:
    images = np.stack([picture, picture[::-1], picture[:, ::-1]])
    for path, runtime in by_kind(exports):
        execute = ExportedRuntime(read_exported(path), runtime)
        together, alone = execute(images), [execute(image[None]) for image in images]
        assert execute.name == runtime
        assert [values.shape for values in together] == [(3, 60, 4), (3, 60), (3, 60), (3, 60, 16)]
        for i, single in enumerate(alone):
            np.testing.assert_allclose(together.boxes[i], single.boxes[0], atol=1e-3)
        with pytest.raises(ValueError, match="takes images of"):
            execute(np.zeros((1, 64, 64, 3), np.uint8))


def test_an_exported_file_works_like_weights(exports: dict[str, Path], picture: np.ndarray) -> None:
    model = small_network()
    image = np.kron(picture, np.ones((2, 3, 1), np.uint8))  # another size and shape than the input
    expected = Predictor(model, "cpu", "torch", image_size=CLIP_SIZE, max_detections=60)(image)[0]
    for path in exports.values():
        predictor = Predictor(path, "cpu")
        found = predictor(image)[0]
        assert len(found) == len(expected) > 5
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=0.01)
        assert predictor.has_embeddings
    with pytest.raises(InputError, match="exported for 160x96"):
        Predictor(exports[".xml"], "cpu", image_size=(320, 192))


@pytest.mark.parametrize("suffix", [".onnx", ".xml"])
def test_torch_is_not_imported_to_track_with_an_exported_file(
    exports: dict[str, Path], suffix: str, clip: Path, tmp_path: Path
) -> None:
    options = ["track", str(clip), "--weights", str(exports[suffix]), "--results", str(tmp_path / "rows.txt")]
    program = f"""
import sys
from centertrack.cli import main
assert main({options!r}) == 0 and "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
    assert (tmp_path / "rows.txt").is_file()


def test_a_file_for_one_image_takes_several_one_by_one(tmp_path: Path, picture: np.ndarray) -> None:
    model = small_network("detection")
    file = export_model(model, tmp_path / "one.torchscript", decoding=DECODING, image_size=(96, 64))
    assert file.batch == 1
    assert file.config["input_format"]["size"] == [96, 64]
    found = ExportedRuntime(file)(np.zeros((3, 64, 96, 3), np.uint8))
    assert found.boxes.shape == (3, 60, 4)
    assert found.embeddings.shape == (3, 60, 0)


def dcn_network() -> CenterNet:
    torch.manual_seed(0)
    model = CenterNet(
        {"name": "resnet18", "pretrained": False},
        {"name": "FPNNeck", "conv_type": "deformable"},
        {"heatmap": {"num_classes": 2}, "box_2d": {}, "reid": {"embedding_dim": 8}},
        input_format={"size": [96, 64]},
    ).eval()
    for conv in model.neck.convs:
        torch.nn.init.normal_(conv[0].conv_offset_mask.weight, std=0.05)
    return spread(model)


def spread(model: CenterNet) -> CenterNet:
    """Make the scores of random weights differ from cell to cell."""
    with torch.no_grad():
        head = model.heads["heatmap"].layers[-1]
        logits = model.get_encoded_outputs(torch.rand(1, 3, 64, 96))["heatmap"]
        head.weight.mul_(2 / logits.std())
        logits = model.get_encoded_outputs(torch.rand(1, 3, 64, 96))["heatmap"]
        head.bias.sub_(logits.mean() + 3)
    return model


@pytest.mark.parametrize("suffix", [".onnx", ".xml", ".torchscript"])
@pytest.mark.parametrize("name", ["resnet18-fpn-dcn", "fairmot-dla34", "ctdet-resdcn18"])
@pytest.mark.parametrize("dynamic_batch", [False, True], ids=["one image", "any number"])
@pytest.mark.slow
def test_deformable_networks_are_equal_in_every_format(
    suffix: str, name: str, dynamic_batch: bool, tmp_path: Path, picture: np.ndarray
) -> None:
    if name == "resnet18-fpn-dcn":
        model = dcn_network()
    else:
        layout = fairmot_dla34() if name == "fairmot-dla34" else centernet_resdcn18()
        model = spread(from_pretrained(write_checkpoint(tmp_path / "published.pth", random_state(layout))))
    file = export_model(
        model, tmp_path / f"network{suffix}", image_size=(96, 64), dynamic_batch=dynamic_batch, decoding=DECODING
    )
    assert file.batch == (None if dynamic_batch else 1)
    parity = measure_parity(model, file, [picture, picture[:, ::-1].copy()], DECODING)
    assert parity.compared > 10
    assert parity.largest < 1e-3


def test_a_deformable_layer_becomes_one_standard_operator(tmp_path: Path, picture: np.ndarray) -> None:
    onnx = pytest.importorskip("onnx")
    model = small_network()
    config = {**model.config, "neck": {"name": "FPNNeck", "upsample_channels": [16, 16, 16], "conv_type": "deformable"}}
    model = spread(CenterNet(**config).eval())
    file = export_model(model, tmp_path / "deformable.onnx", decoding=DECODING)
    graph = onnx.load(file.path)
    assert [opset.version for opset in graph.opset_import if opset.domain == ""] == [20]
    assert [node.op_type for node in graph.graph.node].count("DeformConv") == 3
    assert measure_parity(model, file, [picture], DECODING).largest < 1e-3
    assert ExportedRuntime(file).name == "onnxruntime"  # reading it, OpenVINO would end the process
    with pytest.raises(InputError, match="not with openvino"):
        ExportedRuntime(file, "openvino")


@pytest.mark.parametrize(
    ("name", "file_format", "word"),
    [("a.tflite", "", "ends with"), ("a.onnx", "openvino", "is onnx"), ("a.onnx", "caffe", "must be one of")],
)
def test_formats_that_do_not_fit_are_refused(tmp_path: Path, name: str, file_format: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        export_model(small_network(), tmp_path / name, file_format)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_foreign_files_are_refused(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"foreign{suffix}"
    with pytest.raises(InputError, match="no such"):
        read_exported(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=f"foreign{suffix}"):
        read_exported(path)


def test_another_programs_graph_is_refused(tmp_path: Path) -> None:
    with quiet():
        torch.jit.trace(torch.nn.ReLU(), torch.zeros(1)).save(str(tmp_path / "relu.torchscript"))
    with pytest.raises(InputError, match="carries no network configuration"):
        read_exported(tmp_path / "relu.torchscript")


@pytest.mark.parametrize(
    ("runtimes", "runtime", "device", "message"),
    [
        (["openvino"], "torch", "cpu", "on cpu this file runs with openvino, not with torch"),
        (["openvino", "onnxruntime"], "openvino", "cuda", "on cuda this file runs with onnxruntime"),
        (["openvino"], "auto", "cuda", "on cuda this file runs with no runtime"),
        (["tensorrt"], "tensorrt", "cpu", "not with tensorrt"),
        (["tensorrt"], "tensorrt", "cuda", "not installed"),
    ],
)
def test_runtimes_that_cannot_are_refused(runtimes: list[str], runtime: str, device: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        choose_exported_runtime(runtimes, runtime, device)


def raw(boxes: list[list[float]], scores: list[float], labels: list[int] | None = None) -> RawDetections:
    embeddings = np.ones((1, len(scores), 1), np.float32)
    return RawDetections(
        np.array([boxes], np.float32), np.array([scores]), np.array([labels or [0] * len(scores)]), embeddings
    )


def test_comparison_is_blind_to_order_and_sees_the_rest() -> None:
    expected = raw([[0, 0, 9, 9], [50, 0, 60, 9], [5, 5, 6, 6]], [0.9, 0.8, 0.1])
    swapped = raw([[50, 0, 60, 9], [0, 0, 9, 9], [7, 7, 8, 8]], [0.8, 0.9, 0.1])
    assert compare(expected, swapped) == Parity(0, 0, 0, compared=2, missing=0)  # the last may be another one
    moved = raw([[0, 0, 9, 9.5], [50, 0, 60, 9], [5, 5, 6, 6]], [0.9, 0.7, 0.1])
    found = compare(expected, moved)
    assert (found.boxes, found.scores) == pytest.approx((0.5, 0.1))
    assert found.largest == pytest.approx(0.5)
    relabelled = compare(expected, raw([[0, 0, 9, 9], [50, 0, 60, 9], [5, 5, 6, 6]], [0.9, 0.8, 0.1], [0, 1, 0]))
    assert (relabelled.missing, relabelled.largest) == (1, float("inf"))


def test_the_command_exports_and_compares(
    weights: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "small.torchscript"
    arguments = ["--weights", str(weights), "--output", str(output), "--frames", str(clip), "--image-size", "96x64"]
    assert main(["export", *arguments]) == 0
    said = capsys.readouterr().out
    assert "torchscript, one image of 96x64" in said
    assert "largest difference" in said
    results = tmp_path / "rows.txt"
    assert main(["track", str(clip), "--weights", str(output), "--device", "cpu", "--results", str(results)]) == 0
    assert results.is_file()


def test_the_command_fails_where_the_file_differs(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("centertrack.runtime.export.measure_parity", lambda *_: Parity(0.1, 0, 0, 5, 0))
    output = tmp_path / "small.torchscript"
    assert main(["export", "--weights", str(weights), "--output", str(output), "--image-size", "96x64"]) == 1
    assert "differs by more than 0.001" in capsys.readouterr().err


def test_the_command_looks_at_the_name_before_it_loads(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--weights", "no-such-weights", "--output", "nano.tflite"]) == 2
    assert "an exported file ends with .onnx, .xml, .torchscript, got nano.tflite" in capsys.readouterr().err


def test_the_convert_command_takes_fairmots_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write_checkpoint(tmp_path / "fairmot_dla34.pth", random_state(fairmot_dla34()), prefix="module.")
    output = tmp_path / "fairmot_dla34.safetensors"
    assert main(["convert", str(source), str(output)]) == 0
    said = capsys.readouterr().out
    assert "390 of 404 tensors loaded" in said
    assert "tracking, 1 class, input 1088x608, boxes ltrb_offset" in said
    model, original = from_pretrained(output), from_pretrained(source)
    for key, value in original.state_dict().items():
        if not key.startswith("balance") and not key.endswith("num_batches_tracked"):
            assert torch.equal(model.state_dict()[key], value)


@pytest.mark.parametrize(
    ("change", "options", "word"),
    [
        ({"hps.2.bias": torch.zeros(3)}, [], "hps.2.bias"),
        ({}, ["--output-of-another-kind"], "safetensors"),
    ],
)
def test_the_convert_command_names_mistakes(
    change: dict[str, Any], options: list[str], word: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = {**random_state(centernet_resdcn18(classes=1)), **change}
    source = write_checkpoint(tmp_path / "ctdet.pth", state)
    output = tmp_path / ("a.bin" if options else "a.safetensors")
    assert main(["convert", str(source), str(output)]) == 2
    error = capsys.readouterr().err
    assert word in error
    assert not output.exists()


@pytest.mark.parametrize(
    ("suffix", "device", "providers", "expected"),
    [
        (".onnx", "cpu", [], "cpu"),
        (".onnx", "mps", [], "cpu"),
        (".xml", "cuda", ["CUDAExecutionProvider"], "cpu"),
        (".onnx", "cuda:1", ["CUDAExecutionProvider"], "cuda:1"),
        (".onnx", "cuda", ["CPUExecutionProvider"], "cpu"),
        (".torchscript", "cuda", [], "cuda"),
    ],
)
def test_a_device_that_was_found_is_used_where_something_executes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, device: str, providers: list[str], expected: str
) -> None:
    path = tmp_path / f"network{suffix}"
    path.write_bytes(b"")
    monkeypatch.setattr("centertrack.runtime.exported.available_providers", lambda: providers)
    assert device_for(path, device) == expected
