"""The two ends of a network, which stay in float32 where the rest computes in bfloat16.

bfloat16 has eight bits that count. The first convolution sees pixels, of which it would lose the last bits: keeping it
exact halves the error of the scores. The last ones say how large boxes are: 200 pixels, to the next whole one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

CONVOLUTIONS = ("Convolution", "GroupConvolution")
EXACT = '<attribute name="precise" version="0" />'  # of a layer, in the file format: keep its precision


def with_exact_ends(model: Any, read_model: Any) -> Any:
    """Return a model whose convolutions that no other one comes before, or after, are marked to stay in float32.

    Args:
        model: An OpenVINO model of fixed shape. It is simplified: a scale that follows a convolution becomes part of
            it, or else the mark would be lost when OpenVINO does the same.
        read_model: Of OpenVINO's core. The mark can only be set in the file format.
    """
    import openvino
    from openvino._offline_transformations import apply_moc_transformations  # what `openvino.convert_model` ends with

    apply_moc_transformations(model, cf=True, smart_reshape=False)
    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder, "model.xml")
        openvino.save_model(model, graph, compress_to_fp16=False)
        marked = mark(graph.read_text(encoding="utf-8"), [node.get_friendly_name() for node in find_ends(model)])
        return read_model(marked.encode(), graph.with_suffix(".bin").read_bytes())


def find_ends(model: Any) -> list[Any]:
    """Return the convolutions with no other one on the way from an input, or on the way to an output."""
    nodes = model.get_ordered_ops()
    behind = _reached(nodes, lambda node: (node.input_value(i).get_node() for i in range(node.get_input_size())))
    ahead = _reached(reversed(nodes), _users)
    return [
        node
        for node in nodes
        if node.get_type_name() in CONVOLUTIONS
        and not (node.get_friendly_name() in behind and node.get_friendly_name() in ahead)
    ]


def _users(node: Any) -> Iterator[Any]:
    for output in node.outputs():
        for port in output.get_target_inputs():
            yield port.get_node()


def _reached(nodes: Iterable[Any], neighbours: Any) -> set[str]:
    """Return the names of the nodes that a convolution comes before; `nodes` are in the order of the way."""
    reached: set[str] = set()
    for node in nodes:
        if any(one.get_type_name() in CONVOLUTIONS or one.get_friendly_name() in reached for one in neighbours(node)):
            reached.add(node.get_friendly_name())
    return reached


def mark(graph: str, names: Iterable[str]) -> str:
    """Return a graph in OpenVINO's file format whose layers of these names are marked to keep their precision."""
    for name in names:
        layer = graph.index(f'name="{name}"')
        end = graph.index("</layer>", layer)
        attributes, inputs = (graph.find(tag, layer, end) for tag in ("<rt_info>", "<input>"))
        if attributes >= 0:
            place = attributes + len("<rt_info>")
            graph = graph[:place] + EXACT + graph[place:]
        else:
            graph = f"{graph[:inputs]}<rt_info>{EXACT}</rt_info>{graph[inputs:]}"
    return graph
