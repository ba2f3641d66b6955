"""CenterNet -> ONNX, OpenVINO or TorchScript: one graph from uint8 pixels to boxes, and the check that it is the same.

The file carries the network's configuration, so that `centertrack track --weights FILE` knows how to prepare images.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from centertrack.configuration import to_plain
from centertrack.geometry import Placement
from centertrack.models.deformable import pure_torch_deformable
from centertrack.models.network import CenterNetwork
from centertrack.runtime import openvino_convert
from centertrack.runtime.contract import DecodeOptions, RawDetections
from centertrack.runtime.exported import FORMATS, METADATA, ExportedFile, ExportedRuntime, read_exported
from centertrack.runtime.graph import DetectionGraph
from centertrack.runtime.onnx import convert, quiet
from centertrack.runtime.torch import TorchRuntime
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.wording import counted

Array = NDArray[Any]
TOLERANCE = 1e-3  # of scores and embeddings, and of boxes in pixels


@dataclass(frozen=True)
class Parity:
    """How far an exported file is from its network.

    Attributes:
        boxes: Largest difference in input pixels.
        scores: Largest difference.
        embeddings: Largest difference of a coordinate of the unit vectors.
        compared: Detections that were compared.
        missing: Detections of the network that the file does not give.
    """

    boxes: float
    scores: float
    embeddings: float
    compared: int
    missing: int

    @property
    def largest(self) -> float:
        """The largest of the differences; infinite if a detection is missing or there was nothing to compare."""
        return max(self.boxes, self.scores, self.embeddings) if self.compared and not self.missing else float("inf")

    @override
    def __str__(self) -> str:
        text = (
            f"{counted(self.compared, 'detection')} compared, largest difference: boxes {self.boxes:.1e} px, "
            f"scores {self.scores:.1e}, embeddings {self.embeddings:.1e}"
        )
        return text + (f", {self.missing} missing" if self.missing else "")


def export_model(
    model: CenterNetwork,
    output: str | Path,
    file_format: str = "",
    image_size: tuple[int, int] | None = None,
    dynamic_batch: bool = False,
    decoding: DecodeOptions | None = None,
) -> ExportedFile:
    """Write a network as one graph from images (N, H, W, 3) uint8 RGB to boxes, scores, labels and embeddings.

    Args:
        model: The network; it is set to evaluation mode.
        output: The file; ONNX `.onnx` (opset 20), OpenVINO `.xml` with a `.bin` beside it, TorchScript `.torchscript`.
        file_format: `onnx`, `openvino` or `torchscript`; by default that of the suffix.
        image_size: Width and height, multiples of 32; by default those of the weights.
        dynamic_batch: Let the number of images vary; otherwise it is 1.
        decoding: How boxes are read from the maps.

    Returns:
        The file.

    Raises:
        InputError: The format and the suffix do not belong together, or a package is missing.
    """
    output = Path(output)
    file_format = check_format(output, file_format)
    decoding = decoding or DecodeOptions.of_weights(model.config)
    size = image_size or model.input_format.size
    resize = "stretch" if model.input_format.resize == "stretch" else "letterbox"
    input_format = replace(model.input_format, size=size, resize=resize, adapts=False)
    config = {**model.config, "num_identities": 0, "input_format": to_plain(vars(input_format))}
    about = json.dumps({"config": config, "batch": None if dynamic_batch else 1})
    shape = (1, size[1], size[0], 3)
    write = {"onnx": _write_onnx, "openvino": _write_openvino, "torchscript": _write_torchscript}[file_format]
    write(model.cpu().eval(), output, shape, decoding, dynamic_batch, about)
    return read_exported(output)


def check_format(output: Path, file_format: str = "") -> str:
    """Return the format that a file name and a given format, if any, agree on.

    Args:
        output: The file, which need not exist.
        file_format: `onnx`, `openvino` or `torchscript`; empty takes that of the suffix.

    Raises:
        InputError: They do not, or there is no such format.

    >>> check_format(Path("nano.xml"))
    'openvino'
    """
    of_suffix = FORMATS.get(output.suffix)
    if of_suffix is None:
        raise InputError(f"an exported file ends with {', '.join(FORMATS)}, got {output.name}")
    if file_format not in ("", of_suffix):
        if file_format not in FORMATS.values():
            raise InputError(f"format must be one of {', '.join(FORMATS.values())}, got {file_format!r}")
        raise InputError(f"a file that ends with {output.suffix} is {of_suffix}, not {file_format}")
    return of_suffix


def _write_onnx(
    model: CenterNetwork, output: Path, shape: tuple[int, ...], decoding: DecodeOptions, dynamic_batch: bool, about: str
) -> None:
    program = convert(model, shape, decoding, dynamic_batch)
    program.model.metadata_props[METADATA] = about
    with atomic_path(output) as temporary:
        program.save(str(temporary))


def _write_openvino(
    model: CenterNetwork, output: Path, shape: tuple[int, ...], decoding: DecodeOptions, dynamic_batch: bool, about: str
) -> None:
    import openvino

    network = openvino_convert.convert(model, shape, decoding, dynamic_batch)
    network.set_rt_info(about, METADATA)
    with atomic_path(output) as temporary:
        openvino.save_model(network, temporary, compress_to_fp16=False)
        temporary.with_suffix(".bin").replace(output.with_suffix(".bin"))


def _write_torchscript(
    model: CenterNetwork, output: Path, shape: tuple[int, ...], decoding: DecodeOptions, dynamic_batch: bool, about: str
) -> None:
    graph = DetectionGraph(model, decoding).eval()
    example = torch.zeros((2 if dynamic_batch else 1, *shape[1:]), dtype=torch.uint8)
    # torchvision's operator would have to be there wherever the file is loaded
    with quiet(), torch.no_grad(), pure_torch_deformable(model), atomic_path(output) as temporary:
        torch.jit.trace(graph, example, check_trace=False).save(str(temporary), _extra_files={METADATA: about})


def measure_parity(
    model: CenterNetwork, file: ExportedFile, frames: Sequence[Array], decoding: DecodeOptions | None = None
) -> Parity:
    """Run an exported file beside its network.

    Args:
        model: The network that was exported.
        file: What `export_model` returned.
        frames: (H, W, 3) uint8 RGB images of any size.
        decoding: As it was exported.
    """
    input_format = replace(model.input_format, **file.config["input_format"])
    pixels = [_place(frame, input_format) for frame in frames]
    runtime = "onnxruntime" if file.format == "onnx" else "auto"
    exported = ExportedRuntime(file, runtime)
    network = TorchRuntime(model, "cpu", decoding or DecodeOptions.of_weights(model.config))
    results = [compare(network(image[None]), exported(image[None])) for image in pixels]
    return Parity(
        max(result.boxes for result in results),
        max(result.scores for result in results),
        max(result.embeddings for result in results),
        sum(result.compared for result in results),
        sum(result.missing for result in results),
    )


def _place(frame: Array, input_format: Any) -> Array:
    placement = Placement.of((frame.shape[1], frame.shape[0]), input_format)
    return placement.draw(frame, input_format.padding)


def compare(expected: RawDetections, found: RawDetections, limit: float = 1.0) -> Parity:
    """Compare the detections of one image, each with the nearest of the same label.

    Two scores that differ by less than rounding may come in another order, and the last of the K may be another one:
    so they are matched, and those within the tolerance of the K-th score are left out.

    Args:
        expected: Of one image, by falling score.
        found: Of the same image.
        limit: Pixels from which on a box is another object.
    """
    boxes, scores, labels, embeddings = (values[0] for values in expected)
    counted = scores > scores[-1] + TOLERANCE
    if not counted.any():
        counted[:] = True
    differences: Array = np.zeros(3)
    missing = 0
    for row in np.nonzero(counted)[0]:
        distance = np.abs(found.boxes[0] - boxes[row]).max(axis=1)
        distance[found.labels[0] != labels[row]] = np.inf
        nearest = int(distance.argmin())
        if distance[nearest] > limit:
            missing += 1
            continue
        score_distance = abs(found.scores[0, nearest] - scores[row])
        embedding_distance = np.abs(found.embeddings[0, nearest] - embeddings[row]).max(initial=0.0)
        differences = np.maximum(differences, [distance[nearest], score_distance, embedding_distance])
    box, score, embedding = differences.tolist()
    return Parity(box, score, embedding, int(counted.sum()) - missing, missing)
