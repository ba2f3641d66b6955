"""`centertrack convert`: a checkpoint of FairMOT, CenterNet or a training -> safetensors."""

from __future__ import annotations

import argparse
from pathlib import Path

from centertrack.commands.shared.terminal import say
from tracker.errors import InputError
from tracker.wording import counted

SUMMARY = "turn a checkpoint into a .safetensors file"
DESCRIPTION = """Turn a checkpoint into a .safetensors file that carries its network's configuration and starts quickly:
FairMOT's and CenterNet's published .pth files, or the .ckpt of a training. How the network wants its images and what
its boxes mean comes along."""
EPILOG = """examples:
  centertrack convert fairmot_dla34.pth fairmot_dla34.safetensors
  centertrack convert runs/fairmot_nano/last.ckpt nano.safetensors --half
  centertrack convert multi_pose.pth pose.safetensors --allow hps --allow hm_hp --allow hp_offset"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("source", metavar="SRC", help=".pth of FairMOT or CenterNet, or .ckpt of a training")
    parser.add_argument("output", type=Path, metavar="OUT.safetensors", help="file to write")
    parser.add_argument(
        "--half", action="store_true", help="store float16: half the size, scores change by about 0.001"
    )
    parser.add_argument("--allow", action="append", default=[], metavar="NAME",
                        help="a tensor, or the first parts of its name, that may be missing or left over")  # fmt: skip
    parser.add_argument("--trust", action="store_true",
                        help="unpickle everything in the file, which can execute code in it")  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Convert one file."""
    from centertrack.models.weights_file import save_weights
    from centertrack.training.checkpoints import from_pretrained

    if options.output.suffix != ".safetensors":
        raise InputError(f"the output must end with .safetensors, got {options.output.name}")
    model = from_pretrained(options.source, options.allow, options.trust)
    if model.load_report is not None:
        say(str(model.load_report))
    save_weights(model, options.output, half=options.half)
    boxes, size = model.box_format, "x".join(map(str, model.input_format.size))
    say(
        f"{options.output}: {model.task}, {counted(model.num_classes, 'class', 'classes')}, input {size}, boxes {boxes}"
    )
    return 0
