"""Options that several commands share."""

from __future__ import annotations

import argparse
import ast
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from centertrack.runtime.choose import FASTEST, PRECISIONS, RUNTIMES
from tracker.errors import InputError
from tracker.factory import DEFAULT_TRACKER, TRACKERS, tracker_options

if TYPE_CHECKING:
    from centertrack.predictor import Predictor


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add what to watch and how long."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="video file, folder of images, quoted glob of images, MOTChallenge sequence folder, camera number, "
        "URL, or - for MJPEG or Y4M on standard input",
    )
    parser.add_argument("--max-frames", type=positive_int, metavar="N", help="stop each source after N frames")


def add_network_options(parser: argparse.ArgumentParser, all_runtimes: bool = False) -> None:
    """Add which network runs, where and at which size, and unless all runtimes do, with which of them."""
    group = parser.add_argument_group("network")
    group.add_argument(
        "--weights",
        default="fairmot-nano",
        metavar="NAME|FILE",
        help="bundled weights (see: centertrack models), a .safetensors file, a .ckpt of a training, a .pth of FairMOT "
        "or CenterNet, a file of centertrack export, or a detector of another project in ONNX (.onnx) or OpenVINO "
        "(.xml) (default: %(default)s)",
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    if not all_runtimes:
        group.add_argument(
            "--runtime",
            default="auto",
            help=f"{', '.join(RUNTIMES)}; auto is the first that is installed of {', '.join(FASTEST['cpu'])} on a CPU, "
            f"of {', '.join(FASTEST['cuda'])} on a GPU (default: %(default)s)",
        )
        group.add_argument(
            "--precision",
            default="auto",
            help=f"{', '.join(PRECISIONS)}; auto is the fastest that the processor has units for and that loses "
            "little with these weights (default: %(default)s)",
        )
    group.add_argument(
        "--image-size",
        metavar="WxH",
        help="size of the network's input, multiples of 32; larger finds smaller objects, smaller is faster "
        "(default: that of the weights, in the shape of the source)",
    )
    if not all_runtimes:
        group.add_argument(
            "--detector-option",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="what the file of another project does not say: family, scale, mean, std, channel_order, resize, "
            "padding, nms_iou, class_names; or classes, to keep only these; may be given several times",
        )


def add_embedding_options(parser: argparse._ActionsContainer, default: str = "the detector itself, if it can") -> None:
    """Add who describes the appearance of the detections; `default` says who does otherwise."""
    parser.add_argument(
        "--embeddings",
        metavar="NAME|FILE",
        help="who describes the appearance of the detections: weights with a re-identification head, such as "
        f"fairmot-small, or a network of crops in ONNX or OpenVINO (default: {default})",
    )
    parser.add_argument(
        "--embedding-option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="how a network of crops wants its pixels: scale, mean, std, channel_order; may be given several times",
    )


def add_tracker_option(parser: argparse._ActionsContainer) -> None:
    """Add which tracker follows."""
    parser.add_argument(
        "--tracker",
        default=DEFAULT_TRACKER,
        type=tracker_choice,
        metavar="NAME|FILE.yaml",
        help=f"{', '.join(TRACKERS)}, or a file of centertrack tune (default: %(default)s)",
    )


class TunedTracker(str):
    """The name of a tracker, with the options of a file.

    Attributes:
        options: By name.
    """

    options: Mapping[str, Any]


def tracker_choice(text: str) -> str:
    """Return the name of a tracker as it is; of a YAML file what it says, a `TunedTracker`. For argparse."""
    if not text.lower().endswith((".yaml", ".yml")):
        return text
    from centertrack.tuning.tuned_file import read_tuned

    try:
        name, options = read_tuned(Path(text))
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    chosen = TunedTracker(name)
    chosen.options = options
    return chosen


def build_predictor(options: argparse.Namespace, min_score: float, **others: Any) -> Predictor:
    """Build the predictor that the network options describe, with other arguments of its own."""
    from centertrack.app.session import STREAMS_ON_CPU
    from centertrack.predictor import Predictor

    return Predictor(
        options.weights,
        device=options.device,
        runtime=options.runtime,
        image_size=read_size_option(options.image_size),
        min_score=min_score,
        streams=STREAMS_ON_CPU,
        precision=options.precision,
        detector_options=read_assignments(options.detector_option),
        **others,
    )


def read_size_option(text: str | None) -> tuple[int, int] | None:
    """Read the width and height of --image-size, None where it is not given.

    Raises:
        InputError: It is no size.
    """
    from centertrack.geometry import parse_size

    return parse_size(text) if text else None


def read_assignments(texts: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE options; values are numbers, true, false, none or text.

    Raises:
        InputError: There is no `=`, or a name comes twice.

    >>> read_assignments(["max_lost_seconds=2", "class-agnostic=true", "embedding_distance=cosine"])
    {'max_lost_seconds': 2, 'class_agnostic': True, 'embedding_distance': 'cosine'}
    """
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise InputError(f"expected an option as NAME=VALUE, got {text!r}")
        if name in values:
            raise InputError(f"option {name} is given twice")
        values[name] = _value(value.strip())
    return values


def read_tracker_options(tracker: str, texts: Sequence[str]) -> dict[str, Any]:
    """Read NAME=VALUE options of a tracker, among which `none` may be a choice of its own.

    Raises:
        InputError: As `read_assignments`, or there is no such tracker.

    >>> read_tracker_options("botsort", ["camera_motion=none"]), read_tracker_options("fairmot", ["min_new_score=none"])
    ({'camera_motion': 'none'}, {'min_new_score': None})
    """
    kinds = get_type_hints(type(tracker_options(tracker)))
    values = {**getattr(tracker, "options", {}), **read_assignments(texts)}
    words = {name: "none" for name, value in values.items() if value is None and "none" in get_args(kinds.get(name))}
    return {**values, **words}


def score_changes(tracker: str, changes: Mapping[str, Any], min_score: float) -> dict[str, Any]:
    """Return the changes of a tracker's options that make it use detections from `min_score` on.

    A threshold for new tracks or for weak detections that is higher comes down with it; what the user set stays.

    >>> score_changes("bytetrack", {}, 0.3), score_changes("bytetrack", {"min_new_score": 0.5}, 0.3)
    ({'min_score': 0.3, 'min_new_score': 0.3}, {'min_score': 0.3})
    """
    from centertrack.app.session import thresholds

    defaults = thresholds(tracker_options(tracker))
    lowered = {name: min_score for name, value in defaults.items() if name == "min_score" or value > min_score}
    return {name: value for name, value in lowered.items() if name not in changes}


def read_steps(text: str) -> list[str]:
    """Read the steps of offline postprocessing, with commas between.

    Raises:
        InputError: There is no such step.
    """
    from tracker.postprocess import postprocess, record

    steps = read_names(text)
    postprocess(record(()), steps)
    return steps


def read_names(text: str) -> list[str]:
    """Read names with commas between.

    >>> read_names("MOT17-02, MOT17-04")
    ['MOT17-02', 'MOT17-04']
    """
    return [name.strip() for name in text.split(",") if name.strip()]


def positive_int(text: str) -> int:
    """Read a whole number from 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text!r}")
    return int(text)


def positive_number(text: str, expected: str = "a number above 0") -> float:
    """Read a finite number above 0, for argparse.

    Args:
        text: As it was given.
        expected: What the error calls it.
    """
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
    return value


def whole_number(text: str) -> int:
    """Read a whole number from 0, for argparse."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, got {text!r}")
    return int(text)


def port_number(text: str) -> int:
    """Read the port of a server, for argparse; 0 is any that is free."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


def score(text: str) -> float:
    """Read a score in [0, 1], for argparse."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a score between 0 and 1, got {text!r}")
    return value


def _value(text: str) -> Any:
    words = {"true": True, "false": False, "none": None, "null": None, "inf": float("inf")}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
