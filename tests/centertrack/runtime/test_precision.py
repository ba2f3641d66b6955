"""In which precision networks compute: what may be asked for, and what `auto` takes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from centertrack import Predictor
from centertrack.cli import main
from centertrack.runtime import openvino_precision
from centertrack.runtime.choose import check_precision
from centertrack.runtime.contract import DecodeOptions
from centertrack.runtime.last_used import LastUsed
from centertrack.runtime.openvino import OpenVinoRuntime
from centertrack.runtime.openvino_core import has_units
from centertrack.runtime.openvino_precision import choose_precision, path_of_losses
from centertrack.runtime.torch import TorchRuntime
from centertrack.runtime.weights import open_weights
from tests.centertrack.conftest import small_network
from tracker.errors import InputError

needs_bf16 = pytest.mark.skipif(not has_units("bf16"), reason="this processor has no bfloat16 units")


@pytest.fixture
def measured(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write what was measured of a copy of the weights; returns them. The processor has all units."""
    monkeypatch.setattr(openvino_precision, "has_units", lambda name: True)

    def write(**figures: float) -> object:
        path = Path(shutil.copy(weights, tmp_path))
        opened = open_weights(path)
        shown = {name: dict.fromkeys(("MOTA", "IDF1", "HOTA", "AP50"), value) for name, value in figures.items()}
        path_of_losses(path).write_text(json.dumps({"weights": opened.digest, "figures": shown}))
        return opened

    return write


def test_auto_takes_what_loses_little(measured):
    assert choose_precision("auto", measured(f32=0.8, bf16=0.798)) == "bf16"


def test_auto_stays_exact_where_much_is_lost(measured):
    assert choose_precision("auto", measured(f32=0.8, bf16=0.796)) == "f32"


def test_one_bad_figure_is_enough(measured):
    weights = measured(f32=0.8, bf16=0.81)
    path = path_of_losses(weights.path)
    found = json.loads(path.read_text())
    found["figures"]["bf16"]["AP50"] = 0.79
    path.write_text(json.dumps(found))
    assert choose_precision("auto", weights) == "f32"


def test_what_was_measured_of_other_weights_says_nothing(measured):
    weights = measured(f32=0.8, bf16=0.8)
    path = path_of_losses(weights.path)
    path.write_text(path.read_text().replace(weights.digest, "0" * 64))
    assert choose_precision("auto", weights) == "f32"


def test_auto_stays_exact_where_the_processor_has_no_units(measured, monkeypatch):
    weights = measured(f32=0.8, bf16=0.8)
    monkeypatch.setattr(openvino_precision, "has_units", lambda name: name == "f32")
    assert choose_precision("auto", weights) == "f32"


def test_nothing_was_measured_of_weights_of_ones_own(weights):
    assert Predictor(weights, device="cpu").runtime.precision == "f32"


def test_int8_needs_a_quantised_conversion(weights):
    with pytest.raises(InputError, match="precision int8 needs a quantised conversion beside the weights"):
        Predictor(weights, device="cpu", precision="int8")


def test_a_processor_without_units_is_told(weights, monkeypatch):
    monkeypatch.setattr("centertrack.runtime.openvino_core.has_units", lambda name: name == "f32")
    predictor = Predictor(weights, device="cpu", precision="bf16")
    with pytest.raises(InputError, match="this processor has no units for precision bf16; use --precision auto"):
        predictor(np.zeros((96, 160, 3), np.uint8))


@pytest.mark.parametrize(
    ("precision", "runtime", "device", "message"),
    [
        ("fp16", "torch", "cpu", "precision must be one of auto, f32, bf16, f16, int8, got 'fp16'"),
        ("f16", "torch", "cpu", "runtime torch on cpu computes in f32, not in f16"),
        ("bf16", "onnxruntime", "cpu", "runtime onnxruntime on cpu computes in f32, not in bf16"),
        ("f16", "openvino", "cpu", "runtime openvino on cpu computes in f32 or bf16 or int8, not in f16"),
        ("int8", "torch", "cuda:0", "runtime torch on cuda:0 computes in f32 or f16, not in int8"),
    ],
)
def test_what_a_runtime_cannot_is_refused(precision, runtime, device, message):
    with pytest.raises(InputError, match=message):
        check_precision(precision, runtime, device)
    assert check_precision("f32", runtime, device) == "f32"


@needs_bf16
def test_bf16_finds_the_same_objects_and_f32_is_another_matter(weights, picture):
    opened = open_weights(weights)
    exact, fast = (
        OpenVinoRuntime(opened, DecodeOptions(max_detections=10), precision=name)(picture[None])
        for name in ("f32", "bf16")
    )
    again = OpenVinoRuntime(opened, DecodeOptions(max_detections=10), precision="bf16")(picture[None])
    assert all((one == other).all() for one, other in zip(fast, again, strict=True))
    assert not (exact.scores == fast.scores).all()
    np.testing.assert_allclose(fast.scores[:, 0], exact.scores[:, 0], atol=0.02)


def test_half_precision_reaches_the_layers(picture):
    runtime = TorchRuntime(small_network(), "cpu", DecodeOptions(max_detections=5), "f16")
    seen = []
    runtime._graph.register_forward_pre_hook(lambda *given: seen.append(torch.get_autocast_dtype("cpu")))
    runtime(picture[None])
    assert seen == [torch.float16]


@needs_bf16
def test_the_closing_line_says_the_precision(weights, clip, tmp_path, capsys):
    arguments = ["detect", str(clip), "--weights", str(weights), "--results", str(tmp_path / "a.json")]
    assert main([*arguments, "--precision", "bf16"]) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("with openvino in bf16")
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines()[0].endswith("with openvino in f32")


def test_only_the_last_shapes_are_kept():
    made = []
    squares = LastUsed(lambda number: made.append(number) or number**2, kept=2)
    assert [squares[number] for number in (1, 2, 1, 3, 1, 2)] == [1, 4, 1, 9, 1, 4]
    assert made == [1, 2, 3, 2]


def test_photos_of_many_shapes_keep_few_networks():
    predictor = Predictor("fairmot-nano", device="cpu", precision="f32")
    for height in range(1, 11):
        predictor(np.zeros((64 * height, 320, 3), np.uint8))
    assert len(list(predictor.runtime._requests)) <= 8
