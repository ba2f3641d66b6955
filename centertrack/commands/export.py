"""`centertrack export`: a network as one file for another runtime."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from centertrack.commands.shared.options import positive_int, read_size_option
from centertrack.commands.shared.terminal import say
from tracker.wording import counted

SUMMARY = "write a network as ONNX, OpenVINO or TorchScript"
DESCRIPTION = """Write a network as one graph: uint8 RGB images (N, height, width, 3) in; boxes, scores, labels and
embeddings out, with peaks and top-k inside. Then run the file beside PyTorch on frames, say how far they are apart, and
fail if it is more than 0.001 (boxes in pixels).

ONNX files use opset 20. `centertrack track --weights FILE` takes the written file."""
EPILOG = """examples:
  centertrack export --output fairmot-nano.onnx
  centertrack export --weights fairmot_dla34.pth --output dla34.onnx --image-size 1088x608
  centertrack export --output nano.xml --dynamic-batch --frames street.mp4"""
FAILED = 1
FRAMES = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--weights", default="fairmot-nano", metavar="NAME|FILE",
                        help="bundled weights, .safetensors, .ckpt or .pth (default: %(default)s)")  # fmt: skip
    parser.add_argument("--output", required=True, type=Path, metavar="FILE",
                        help="ends with .onnx, .xml (OpenVINO) or .torchscript")  # fmt: skip
    parser.add_argument("--format", default="", metavar="NAME",
                        help="onnx, openvino or torchscript (default: that of the file's suffix)")  # fmt: skip
    parser.add_argument("--image-size", metavar="WxH", help="multiples of 32 (default: that of the weights)")
    parser.add_argument("--dynamic-batch", action="store_true", help="any number of images a call instead of one")
    parser.add_argument("--max-detections", type=positive_int, default=300, metavar="K",
                        help="boxes given per image (default: %(default)s)")  # fmt: skip
    parser.add_argument("--frames", metavar="SOURCE",
                        help="video or images for the comparison (default: a street scene, drawn)")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Export and compare."""
    from centertrack.runtime.contract import DecodeOptions
    from centertrack.runtime.export import TOLERANCE, check_format, export_model, measure_parity
    from centertrack.training.checkpoints import from_pretrained

    check_format(options.output, options.format)
    model = from_pretrained(options.weights)
    decoding = DecodeOptions.of_weights(model.config, options.max_detections)
    size = read_size_option(options.image_size)
    frames = _read_frames(options.frames)
    file = export_model(model, options.output, options.format, size, options.dynamic_batch, decoding)
    width, height = file.config["input_format"]["size"]
    batch = "any number of images" if file.batch is None else "one image"
    say(f"{file.path}: {file.format}, {batch} of {width}x{height}, {file.path.stat().st_size / 1e6:.1f} MB")
    parity = measure_parity(model, file, frames, decoding)
    say(f"beside PyTorch on {counted(len(frames), 'frame')}: {parity}")
    if parity.largest <= TOLERANCE:
        return 0
    sys.stderr.write(f"error: the exported file differs by more than {TOLERANCE}: do not use {file.path}\n")
    return FAILED


def _read_frames(source: str | None) -> list[Any]:
    """Return the first frames of a source, or of a scene of our own."""
    if source is None:
        from centertrack.synthetic import SceneConfig, StreetScene

        scene = StreetScene(SceneConfig(seconds=1.0))
        return [scene.frame(number * 10).frame.image for number in range(FRAMES)]
    from itertools import islice

    from tracker.io.video import open_source

    with open_source(source) as frames:
        return [frame.image for frame in islice(frames, FRAMES)]
