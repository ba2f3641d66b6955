"""What a network costs: its decoding, its targets, its start, and each way to execute it; ratios in one run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from centertrack.losses.targets import Objects, draw_gaussians, gaussian_radii
from centertrack.predictor import Predictor
from centertrack.runtime.choose import COMPUTES_ON, RUNTIMES, is_installed
from centertrack.runtime.contract import DecodeOptions, RawDetections
from centertrack.runtime.export import compare
from centertrack.runtime.graph import DetectionGraph
from centertrack.runtime.onnx import PROVIDERS, available_providers, quiet
from centertrack.training.checkpoints import from_pretrained
from centertrack.training.module import CenterNet
from tracker.wording import counted

Array = NDArray[np.uint8]
SAME_BOX = 0.5  # pixels
LEAST_SCORE = 0.3  # of detections that are compared
FRAME_SIZE = (640, 360)  # of the first frame
MODES = ("channels-last", "bf16 autocast", "compiled")
STREET_FRAMES = (0, 30, 60)


@dataclass(frozen=True)
class Speed:
    """How long one way to execute a network takes.

    Attributes:
        name: The way.
        batch: Images a call.
        milliseconds: One call, from pixels in memory to boxes in memory.
    """

    name: str
    batch: int
    milliseconds: float

    @property
    def frames_per_second(self) -> float:
        """Images in a second."""
        return 1e3 * self.batch / self.milliseconds


@dataclass(frozen=True)
class Agreement:
    """How far another way to compute moves the detections above a score.

    Attributes:
        name: The way.
        detections: How many there are.
        lost: How many have no counterpart within half a pixel.
        pixels: Largest distance of a box coordinate.
    """

    name: str
    detections: int
    lost: int
    pixels: float


def time_alternately(functions: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Return the fastest time of each function in milliseconds, called in turns so that all meet the same machine."""
    return [float(fastest) for fastest in _rounds(functions, repeats).min(axis=0)]


def _rounds(functions: Sequence[Callable[[], object]], repeats: int) -> NDArray[np.float64]:
    """Return the milliseconds of each function in each round, (repeats, functions)."""
    milliseconds = np.zeros((repeats + 1, len(functions)))
    for times in milliseconds:
        for i, function in enumerate(functions):
            start = time.perf_counter()
            function()
            _synchronize()
            times[i] = 1e3 * (time.perf_counter() - start)
    return milliseconds[1:]  # the first round only warms up


def _synchronize() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def decoding_ratio(model: CenterNet, image_size: tuple[int, int], repeats: int = 40) -> float:
    """Return the time of forward + decoding over that of backbone, neck and heads alone: the median of many pairs.

    Args:
        model: The network, in evaluation mode.
        image_size: Width and height.
        repeats: Calls of each.
    """
    x = torch.rand(1, 3, *image_size[::-1], device=model.device).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        bare, whole = _rounds([lambda: model.get_encoded_outputs(x), lambda: model.detect(x)], repeats).T
    return float(np.median(whole / bare))


def target_ratio(model: CenterNet, images: int = 16, objects: int = 128, shape: tuple[int, int] = (152, 272)) -> float:
    """Return the time of drawing all heatmap targets of a batch over that of a whole training step.

    Args:
        model: The network; a copy of it is trained.
        images: In the batch.
        objects: In each image.
        shape: (height, width) of the heatmap.
    """
    height, width = shape
    generator = torch.Generator().manual_seed(0)
    centre = torch.rand(images, objects, 2, generator=generator)
    size = torch.rand(images, objects, 2, generator=generator) * torch.tensor([0.05, 0.2]) + 0.01
    targets = {
        "bboxes": torch.cat((centre, size), dim=2).to(model.device),
        "labels": torch.zeros(images, objects, dtype=torch.int64, device=model.device),
        "mask": torch.ones(images, objects, device=model.device),
    }
    pixels = torch.rand(images, 3, 4 * height, 4 * width, device=model.device).to(memory_format=torch.channels_last)
    scale = torch.tensor([width, height] * 2, device=model.device)
    corners = torch.cat((centre - size / 2, centre + size / 2), dim=2).flatten(0, 1).to(model.device) * scale
    image = torch.arange(images, device=model.device).repeat_interleave(objects)
    everything = Objects(image, corners, torch.zeros_like(image), torch.full_like(image, -1))

    network = deepcopy(model).train()

    def draw() -> Tensor:
        radii = gaussian_radii(corners, model.loss_options.heatmap_target)
        return draw_gaussians(everything, *radii, (images, model.num_classes, height, width))

    def step() -> None:
        outputs = network.get_encoded_outputs(pixels)
        network.compute_loss(outputs, targets, ignore_reid=True)["total"].backward()
        network.zero_grad(set_to_none=True)

    drawing, training = time_alternately([draw, step], repeats=2)
    return drawing / training


def runtime_speeds(
    weights: str | Path, image_size: tuple[int, int], batches: Sequence[int] = (1,), device: str = "cpu"
) -> list[Speed]:
    """Measure every installed runtime on one input size, the copy to the device and back and the decoding included.

    Args:
        weights: Name or file.
        image_size: Width and height.
        batches: Images a call.
        device: `cpu`, `cuda[:INDEX]` or `mps`.
    """
    able = [name for name in RUNTIMES[1:] if is_installed(name) and can_compute_on(name, device)]
    speeds = []
    for batch in batches:
        pixels = np.zeros((batch, *image_size[::-1], 3), np.uint8)
        predictors = [Predictor(weights, device, name, image_size) for name in able]
        calls = [partial(predictor.runtime, pixels) for predictor in predictors]
        milliseconds = time_alternately(calls, repeats=10)
        speeds += [Speed(name, batch, ms) for name, ms in zip(able, milliseconds, strict=True)]
    return speeds


def can_compute_on(runtime: str, device: str) -> bool:
    """Whether an installed runtime computes on a device: ONNX Runtime is installed for a CPU or for a GPU."""
    if device.split(":")[0] not in COMPUTES_ON[runtime]:
        return False
    return device == "cpu" or runtime == "torch" or PROVIDERS[runtime] in available_providers()


def half_precision_speeds(
    model: CenterNet, image_size: tuple[int, int], batches: Sequence[int] = (1, 8), repeats: int = 50
) -> list[Speed]:
    """Measure a network under float16 autocast, from pixels in host memory to boxes in host memory.

    Args:
        model: The network, on the device to measure.
        image_size: Width and height.
        batches: Images a call.
        repeats: Calls of each.
    """
    device = model.device
    graph = DetectionGraph(model.to(memory_format=torch.channels_last)).eval()

    def run(pixels: Tensor) -> None:
        with torch.inference_mode(), torch.autocast(device.type, dtype=torch.float16):
            for values in graph(pixels.to(device, non_blocking=True)):
                values.cpu()

    speeds = []
    for batch in batches:
        pixels = torch.zeros((batch, *image_size[::-1], 3), dtype=torch.uint8)
        pixels = pixels.pin_memory() if device.type == "cuda" else pixels
        (milliseconds,) = time_alternately([partial(run, pixels)], repeats)
        speeds.append(Speed("torch float16", batch, milliseconds))
    return speeds


def agreements(model: CenterNet, images: Array) -> list[Agreement]:
    """Compare the detections of channels-last, bfloat16 and compiled execution with those of plain float32.

    Args:
        model: The network, in evaluation mode.
        images: (N, H, W, 3) uint8 RGB of an input size.
    """
    graph = DetectionGraph(model, DecodeOptions.of_weights(model.config)).eval()
    pixels = torch.from_numpy(images).to(model.device)

    def run(network: Callable[[Tensor], tuple[Tensor, ...]]) -> RawDetections:
        with torch.inference_mode():
            return RawDetections(*(values.float().cpu().numpy() for values in network(pixels)))

    plain = run(graph)
    found = {}
    model.to(memory_format=torch.channels_last)
    found["channels-last"] = run(graph)
    model.to(memory_format=torch.contiguous_format)
    with torch.autocast(model.device.type, dtype=torch.bfloat16):
        found["bf16 autocast"] = run(graph)
    with quiet():
        found["compiled"] = run(torch.compile(graph))
    return [_agreement(name, plain, found[name]) for name in MODES]


def _agreement(name: str, plain: RawDetections, found: RawDetections) -> Agreement:
    results = []
    for i in range(len(plain.scores)):
        kept = slice(0, max(2, int((plain.scores[i] >= LEAST_SCORE).sum()) + 1))  # one more marks the end for `compare`
        expected = RawDetections(*(values[i : i + 1, kept] for values in plain))
        results.append(compare(expected, RawDetections(*(values[i : i + 1] for values in found)), SAME_BOX))
    lost = sum(result.missing for result in results)
    return Agreement(name, sum(r.compared for r in results) + lost, lost, max(r.boxes for r in results))


def first_frame_seconds(weights: str | Path, cache: str | Path) -> float:
    """Return how long a new process takes from its start to the detections of its first frame, on the CPU.

    Args:
        weights: Name or file.
        cache: Folder for converted networks, in place of the user's.
    """
    program = (
        "import sys, numpy\n"
        "from centertrack.predictor import Predictor\n"
        f"Predictor(sys.argv[1], 'cpu')(numpy.zeros(({FRAME_SIZE[1]}, {FRAME_SIZE[0]}, 3), numpy.uint8))\n"
    )
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, str(weights)], check=True, env=environment)
    return time.perf_counter() - start


def bench_model(
    weights: str | Path, image_size: tuple[int, int] | None = None, device: str = "cpu", thorough: bool = False
) -> str:
    """Measure a network and return the table.

    Args:
        weights: Name or file.
        image_size: Width and height; by default those of the weights.
        device: `cpu`, `cuda[:INDEX]` or `mps`.
        thorough: Also what other ways to compute change, and what drawing the targets of a training costs.
    """
    model = from_pretrained(weights).to(device)
    size = image_size or model.input_format.size
    lines = [f"{weights} at {size[0]}x{size[1]} on {device}"]
    lines.append(f"forward + decoding over backbone + neck + heads: {decoding_ratio(model, size):.3f}")
    if device == "cpu":
        with tempfile.TemporaryDirectory() as cache:
            first, second = (first_frame_seconds(weights, cache) for _ in range(2))
        lines.append(f"process start to first detections: {first:.2f} s, and {second:.2f} s the second time")
    batches = (1,) if device == "cpu" else (1, 8)
    speeds = runtime_speeds(weights, size, batches, device)
    if device != "cpu":
        speeds += half_precision_speeds(model, size, batches)
    lines += [
        f"{speed.name:<14} batch {speed.batch}  {speed.milliseconds:7.1f} ms  {speed.frames_per_second:6.1f} frames/s"
        for speed in speeds
    ]
    if thorough:
        lines += [
            f"{result.name:<14} {result.detections - result.lost} of "
            f"{counted(result.detections, 'detection is', 'detections are')} found again "
            f"within {SAME_BOX} px, these within {result.pixels:.4f} px"
            for result in agreements(model, street(size))
        ]
        share = target_ratio(model, shape=(size[1] // 4, size[0] // 4))
        lines.append(f"drawing 128 boxes in each of 16 images over a training step: {share:.2%}")
    return "\n".join(lines)


def street(image_size: tuple[int, int]) -> Array:
    """Return frames of a drawn street, (N, H, W, 3) uint8 RGB.

    Args:
        image_size: Width and height.
    """
    from centertrack.synthetic import SceneConfig, StreetScene

    scene = StreetScene(SceneConfig(size=image_size, seconds=3.0, seed=5))
    return np.stack([scene.frame(number).frame.image for number in STREET_FRAMES])
