from __future__ import annotations

import numpy as np
import pytest
import torch

from centertrack.bench import model as bench
from centertrack.models import from_pretrained
from centertrack.runtime.choose import RUNTIMES
from centertrack.runtime.contract import RawDetections
from centertrack.runtime.export import TOLERANCE
from tests.centertrack.conftest import CLIP_SIZE, small_network


def test_functions_are_called_in_turns_and_the_first_round_does_not_count() -> None:
    calls = []
    times = bench.time_alternately([lambda: calls.append("a"), lambda: calls.append("b")], repeats=2)
    assert calls == ["a", "b"] * 3
    assert all(0 < ms < 100 for ms in times)


def test_ratios_are_taken_without_touching_the_network() -> None:
    network = small_network()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    assert bench.decoding_ratio(network, CLIP_SIZE, repeats=2) > 0
    assert 0 < bench.target_ratio(network, images=2, objects=3, shape=(24, 40)) < 1
    assert all(torch.equal(network.state_dict()[key], value) for key, value in before.items())
    assert not network.training


def test_frames_per_second() -> None:
    assert bench.Speed("torch", batch=8, milliseconds=16.0).frames_per_second == 500


def test_half_precision_is_measured_for_each_batch_on_the_device_of_the_network() -> None:
    speeds = bench.half_precision_speeds(small_network(), CLIP_SIZE, batches=(1, 2), repeats=1)
    assert [(speed.name, speed.batch) for speed in speeds] == [("torch float16", 1), ("torch float16", 2)]
    assert all(speed.milliseconds > 0 for speed in speeds)


@pytest.mark.parametrize(
    ("providers", "able"),
    [(["CPUExecutionProvider"], ["torch"]), (["CUDAExecutionProvider"], ["torch", "onnxruntime"])],
)
def test_a_gpu_is_measured_with_the_runtimes_that_compute_there(
    providers: list[str], able: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "available_providers", lambda: providers)
    assert [name for name in RUNTIMES[1:] if bench.can_compute_on(name, "cuda:0")] == able
    on_cpu = [name for name in RUNTIMES[1:] if bench.can_compute_on(name, "cpu")]
    assert on_cpu == ["torch", "onnxruntime", "openvino"]


def test_agreement_counts_what_is_lost_and_how_far_the_rest_moves() -> None:
    boxes = np.array([[[0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]]], np.float32)
    scores, labels, embeddings = np.array([[0.9, 0.8, 0.1]]), np.zeros((1, 3)), np.zeros((1, 3, 0))
    moved = boxes.copy()
    moved[0, 0, 2] += 0.25
    moved[0, 1] += 30
    plain, found = (RawDetections(values, scores, labels, embeddings) for values in (boxes, moved))
    result = bench._agreement("other", plain, found)
    assert (result.detections, result.lost, result.pixels) == (2, 1, 0.25)


@pytest.mark.slow
def test_other_ways_to_compute_find_the_same_objects() -> None:
    """The shipped network on a drawn street: channels-last, bfloat16 and compiled."""
    for result in bench.agreements(from_pretrained("fairmot-nano"), bench.street((640, 384))):
        assert result.detections >= 5
        assert result.lost == 0, result
        assert result.pixels <= (0.5 if "bf16" in result.name else 10 * TOLERANCE), result


@pytest.mark.slow
def test_the_table_has_every_runtime(weights) -> None:
    table = bench.bench_model(weights, CLIP_SIZE, thorough=True)
    for word in ("forward + decoding", "first detections", "torch", "onnxruntime", "openvino", "compiled", "drawing"):
        assert word in table
