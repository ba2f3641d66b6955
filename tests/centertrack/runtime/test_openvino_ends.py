"""Which layers stay in float32 where the rest computes in bfloat16."""

from __future__ import annotations

import numpy as np
import openvino
import pytest
from openvino import opset8 as ops

from centertrack.runtime.openvino_core import compile_model, core, has_units
from centertrack.runtime.openvino_ends import find_ends, mark, with_exact_ends

needs_bf16 = pytest.mark.skipif(not has_units("bf16"), reason="this processor has no bfloat16 units")


def convolution(source, name, channels=(8, 8), seed=0):
    weights = np.random.default_rng(seed).normal(size=(channels[1], channels[0], 1, 1)).astype(np.float32)
    node = ops.convolution(source, ops.constant(weights), [1, 1], [0, 0], [0, 0], [1, 1])
    node.set_friendly_name(name)
    return node


@pytest.fixture
def chain():
    """first -> middle -> two heads of one convolution each, of which one is scaled afterwards."""
    image = ops.parameter([1, 3, 16, 16], np.float32, name="image")
    middle = convolution(ops.relu(convolution(image, "first", (3, 8))), "middle")
    boxes = ops.multiply(convolution(middle, "boxes", (8, 4)), ops.constant(np.float32(16)))
    scores = ops.sigmoid(convolution(middle, "scores", (8, 1)))
    return openvino.Model([ops.result(boxes), ops.result(scores)], [image], "chain")


def precisions(compiled):
    found = {}
    for node in compiled.get_runtime_model().get_ordered_ops():
        about = {key: str(getattr(value, "value", value)) for key, value in node.get_rt_info().items()}
        if about["layerType"] == "Convolution":
            found[about["originalLayersNames"].split(",")[0]] = about["runtimePrecision"]
    return found


def test_ends_are_the_first_and_the_last(chain):
    assert sorted(node.get_friendly_name() for node in find_ends(chain)) == ["boxes", "first", "scores"]


def test_a_mark_joins_other_attributes():
    graph = '<layer name="a"><rt_info><x/></rt_info><input/></layer><layer name="b"><input></input></layer>'
    marked = mark(graph, ["a", "b"])
    assert marked.count('name="precise"') == 2
    assert marked.index("precise") < marked.index("<x/>")
    assert marked.index('name="b"') < marked.rindex("precise") < marked.rindex("<input>")


@needs_bf16
def test_the_middle_alone_is_rounded(chain):
    found = precisions(compile_model(chain, "bf16"))
    assert len(found) == 4
    assert [name for name, precision in found.items() if precision == "bf16"] == ["middle"]


@needs_bf16
def test_exact_ends_are_nearer_to_the_truth(chain):
    image = np.random.default_rng(1).uniform(0, 255, (1, 3, 16, 16)).astype(np.float32)
    exact = compile_model(chain, "f32")(image)[0]
    plain = core().compile_model(chain, "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})(image)[0]
    ends = core().compile_model(with_exact_ends(chain, core().read_model), "CPU", {"INFERENCE_PRECISION_HINT": "bf16"})(
        image
    )[0]
    assert 0 < np.abs(ends - exact).mean() < np.abs(plain - exact).mean()
