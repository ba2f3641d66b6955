from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from centertrack.predictor import Predictor
from centertrack.runtime import openvino_cache
from centertrack.runtime.choose import choose_runtime
from tests.centertrack.conftest import small_network
from tracker.errors import InputError, MissingPackageError


def test_openvino_finds_what_torch_finds(weights, picture):
    images = [picture, picture[:, ::-1].copy(), picture[::-1].copy()]
    by_torch = Predictor(weights, device="cpu", runtime="torch")(images)
    by_openvino = Predictor(weights, device="cpu", runtime="openvino")(images)
    for expected, found in zip(by_torch, by_openvino, strict=True):
        assert len(expected) == len(found) > 20
        order = np.abs(expected.boxes[:, None] - found.boxes[None]).sum(axis=2).argmin(axis=1)
        assert sorted(order.tolist()) == list(range(len(found)))  # near ties may swap ranks
        np.testing.assert_allclose(found.boxes[order], expected.boxes, atol=0.05)
        np.testing.assert_allclose(found.scores[order], expected.scores, atol=1e-3)
        np.testing.assert_allclose(found.embeddings[order], expected.embeddings, atol=1e-3)
        assert (found.labels[order] == expected.labels).all()


def test_openvino_takes_calls_from_several_threads(picture):
    predictor = Predictor(small_network(), device="cpu", runtime="openvino", streams=2)
    images = [picture, picture[:, ::-1].copy()] * 8
    with ThreadPoolExecutor(4) as pool:  # the first calls meet in the conversion
        together = list(pool.map(lambda image: predictor(image)[0], images))
    for found, image in zip(together, images, strict=True):
        np.testing.assert_array_equal(found.boxes, predictor(image)[0].boxes)


def test_a_network_without_reid_runs_on_openvino(picture):
    model = small_network("detection")
    assert Predictor(model, device="cpu", runtime="openvino")(picture)[0].embeddings is None


def test_an_operation_that_openvino_does_not_know_is_one_sentence(picture):
    class Strange(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.special.bessel_j0(x)

    model = small_network()
    model.heads["reid"] = torch.nn.Sequential(model.heads["reid"], Strange())
    with pytest.raises(InputError, match=r"OpenVINO cannot execute this network .*bessel.*; use runtime torch"):
        Predictor(model, device="cpu", runtime="openvino")(picture)


def test_the_second_start_needs_no_torch(weights, clip):
    program = (
        "import sys, numpy\n"
        "from centertrack.predictor import Predictor\n"
        f"predictor = Predictor({str(weights)!r}, device='cpu', runtime='openvino')\n"
        "predictor(numpy.zeros((96, 160, 3), numpy.uint8))\n"
        "sys.exit('torch' in sys.modules)"
    )
    Predictor(weights, device="cpu", runtime="openvino").warm_up((160, 96))
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_a_damaged_cache_is_written_again(weights, picture, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    expected = Predictor(weights, device="cpu", runtime="openvino")(picture)[0]
    (graph,) = (tmp_path / "centertrack").glob("*.xml")
    graph.write_text("not a graph", encoding="utf-8")
    found = Predictor(weights, device="cpu", runtime="openvino")(picture)[0]
    np.testing.assert_array_equal(found.boxes, expected.boxes)
    assert graph.read_text(encoding="utf-8") != "not a graph"


def test_an_unwritable_cache_is_no_error(weights, picture, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(Predictor(weights, device="cpu", runtime="openvino")(picture)[0]) > 20


def test_old_conversions_are_removed(monkeypatch, tmp_path, weights, picture):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(openvino_cache, "KEPT_MODELS", 1)
    for count in (5, 7):
        Predictor(weights, device="cpu", runtime="openvino", max_detections=count)(picture)
    assert len(list((tmp_path / "centertrack").iterdir())) == 2  # graph and weights of the last


@pytest.mark.parametrize(
    ("name", "device", "expected"),
    [
        ("auto", "cpu", "openvino"),
        ("auto", "cuda:1", "torch"),
        ("torch", "cpu", "torch"),
        ("torch", "cuda", "torch"),
        ("auto", "mps:0", "torch"),
    ],
)
def test_choice(name, device, expected):
    assert choose_runtime(name, device) == expected


def test_without_openvino_torch_is_the_choice(monkeypatch):
    monkeypatch.setattr("centertrack.runtime.choose.importlib.util.find_spec", lambda name: name == "torch" or None)
    assert choose_runtime("auto", "cpu") == "torch"
    with pytest.raises(InputError, match="needs the package openvino"):
        choose_runtime("openvino", "cpu")


def test_without_any_runtime_the_fastest_is_named(monkeypatch):
    monkeypatch.setattr("centertrack.runtime.choose.importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"needs the package openvino, .* pip install openvino"):
        choose_runtime("auto", "cpu")
    with pytest.raises(MissingPackageError, match=r"needs the package torch, .*\[train\]"):
        choose_runtime("torch", "cpu")


def test_openvino_is_for_the_cpu():
    with pytest.raises(InputError, match="use --device cpu"):
        choose_runtime("openvino", "cuda")


def test_the_cache_lies_in_the_home_folder_by_default(monkeypatch, tmp_path):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert openvino_cache.cache_folder() == tmp_path / ".cache" / "centertrack"
