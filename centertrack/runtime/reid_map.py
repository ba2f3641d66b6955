"""Embeddings of boxes from the re-identification head of our own networks, whoever has found the boxes."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from centertrack.configuration import build
from centertrack.geometry import InputFormat, Placement
from centertrack.runtime.contract import DecodeOptions
from centertrack.runtime.last_used import LastUsed
from centertrack.runtime.openvino_cache import load_or_convert
from centertrack.runtime.openvino_core import compile_model
from centertrack.runtime.openvino_requests import Requests
from centertrack.runtime.weights import open_weights
from tracker.errors import InputError

Array = NDArray[Any]
AROUND = ((0, 0), (-1, -1), (0, -1), (1, -1), (-1, 0), (1, 0), (-1, 1), (0, 1), (1, 1))  # columns and rows
LONGEST_WAY = 12  # operations between an output of the graph and the cells that it is taken from


class ReidMap:
    """Runs a network on the whole image, and reads its re-identification map where the boxes have their centres.

    A network is trained to describe an object at the cell where it finds it, which may lie beside the centre of another
    detector's box: of the cells around the centre, on all levels, the one counts that looks most like an object.

    Args:
        weights: Name of bundled weights, or a weights file.
        streams: Calls worth making at the same time.

    Raises:
        InputError: No such weights, or they have no re-identification head.
    """

    def __init__(self, weights: str, streams: int = 1) -> None:
        self._weights = open_weights(weights)
        config = self._weights.config
        if "reid" not in config["output_heads"]:
            raise InputError(f"embeddings: {weights} has no re-identification head; use fairmot-nano or fairmot-small")
        self._input_format: InputFormat = build(InputFormat, "input_format", config["input_format"])
        self._decoding = DecodeOptions.of_weights(config)
        self._streams = streams
        self._networks = LastUsed(self._compile)

    def __call__(self, image: Array, boxes: Array) -> Array:
        """Return (N, D) embeddings.

        Args:
            image: (H, W, 3) uint8 RGB.
            boxes: (N, 4) xyxy in its pixels.
        """
        source_size = (image.shape[1], image.shape[0])
        placement = Placement.of(source_size, self._input_format.for_source(source_size))
        pixels = placement.draw(image, self._input_format.padding)
        embeddings, scores = self._networks[placement.input_size].infer({0: pixels[None]})
        embeddings, scores = embeddings.reshape(scores.size, -1), scores.reshape(-1)
        placed = placement.to_input(boxes)
        cells = cells_at((placed[:, :2] + placed[:, 2:]) / 2, placement.input_size, scores.size)
        best = scores[cells].argmax(axis=1)
        return np.asarray(embeddings[np.take_along_axis(cells, best[:, None], axis=1)[:, 0]])

    def _compile(self, size: tuple[int, int]) -> Requests:
        """Return the network for inputs of this (width, height), as far as the maps."""
        model = cut_at_cells(load_or_convert(self._weights, (1, size[1], size[0], 3), self._decoding))
        return Requests(compile_model(model, streams=self._streams), self._streams)


def cut_at_cells(model: Any) -> Any:
    """Return the part of a detection graph that ends with the embedding and the score of every cell.

    Args:
        model: Of `runtime.openvino_convert`, for one image.

    Returns:
        A model with the outputs embeddings, D numbers for each of M cells, and scores, M numbers.
    """
    import openvino

    embeddings = _source_of(model.output(3), ("Gather", "GatherElements"))
    scores = _source_of(model.output(1), ("TopK",))
    return openvino.Model([embeddings, scores], model.get_parameters(), "reid_map")


def _source_of(output: Any, kinds: tuple[str, ...]) -> Any:
    """Return what the operation that chooses the best cells takes its choice from."""
    node = output.get_node()
    for _ in range(LONGEST_WAY):
        node = node.input_value(0).get_node()
        if node.get_type_name() in kinds:
            return node.input_value(0)
    raise RuntimeError(
        f"the graph has no {' or '.join(kinds)} before its output {output.get_node().get_friendly_name()}"
    )


def cells_at(points: Array, size: tuple[int, int], count: int) -> Array:
    """Return the cells that points lie in, and those around them, of maps of one level or several, level after level.

    Args:
        points: (N, 2) x y in input pixels; those outside count as at the border.
        size: Width and height of the input.
        count: Cells of all levels together, which tells the strides.

    Returns:
        (N, 9 L) int64, nine cells of each level, that of the point first.

    >>> cells_at(np.array([[17.0, 9.0]]), (64, 32), 16 * 8 + 8 * 4)[0, [0, 1, 9]].tolist()
    [36, 19, 138]
    """
    columns, first = [], 0
    for stride in _strides(size, count):
        width, height = size[0] // stride, size[1] // stride
        for step in AROUND:
            place = np.clip(points // stride + step, 0, (width - 1, height - 1)).astype(np.int64)
            columns.append(place[:, 1] * width + place[:, 0] + first)
        first += width * height
    return np.stack(columns, axis=1)


def _strides(size: tuple[int, int], count: int) -> list[int]:
    """Return the strides, each twice the one before, of which the levels have so many cells."""
    for first, levels in product((2, 4, 8, 16, 32), range(1, 6)):
        strides = [first * 2**i for i in range(levels)]
        if sum((size[0] // stride) * (size[1] // stride) for stride in strides) == count:
            return strides
    raise RuntimeError(f"{count} cells are those of no strides for an input of {size[0]}x{size[1]}")
