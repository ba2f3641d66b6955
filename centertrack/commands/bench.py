"""`centertrack bench`: how fast the parts are on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from centertrack.commands.shared.options import (
    add_network_options,
    add_source_options,
    add_tracker_option,
    build_predictor,
    positive_int,
    read_names,
    read_size_option,
    read_tracker_options,
    whole_number,
)
from centertrack.commands.shared.terminal import progress_bar, say
from centertrack.configuration import find_recipe
from tracker.factory import TRACKERS
from tracker.text_table import text_table
from tracker.wording import counted

if TYPE_CHECKING:
    from centertrack.app.pipeline import Report
    from tracker.base import Tracker
    from tracker.io.video import FrameSource

SUMMARY = "measure how fast the parts are on this machine"
DESCRIPTION = """Measure how fast the parts are on this machine. Figures of different machines say nothing about each
other; OMP_NUM_THREADS=1 keeps the libraries to one core."""
EPILOG = """examples:
  OMP_NUM_THREADS=1 centertrack bench trackers --peers
  centertrack bench trackers --only bytetrack,fairmot --crowds 50,200
  OMP_NUM_THREADS=1 centertrack bench evaluate
  centertrack bench model --weights fairmot-nano --image-size 1088x608
  centertrack bench pipeline street.mp4 --max-frames 500
  centertrack bench training --image-size 512x288 --batch-size 16
  centertrack bench training --config fairmot_small --root DATA --device cuda

centertrack bench PART --help tells more."""
MIN_SCORE = 0.1  # as in `track`
PRECISIONS = ("32-true", "16-mixed", "bf16-mixed", "16-true", "bf16-true")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what can be measured, and the options of each part."""
    parts = parser.add_subparsers(title="parts", metavar="PART", required=True)
    trackers = parts.add_parser("trackers", help="milliseconds of one update, from a street to a crowd")
    trackers.add_argument("--peers", action="store_true", help="also the trackers of other libraries, where installed")
    trackers.add_argument("--only", type=read_names, metavar="A,B", help=f"only these of ours: {', '.join(TRACKERS)}")
    trackers.add_argument("--crowds", type=_counts, metavar="N,M", help="people in a frame (default: 20,100,300,1000)")
    trackers.set_defaults(measure=_bench_trackers)
    evaluation = parts.add_parser("evaluate", help="seconds and memory from files to scores, on made-up benchmarks")
    evaluation.add_argument(
        "--workers", type=positive_int, default=1, metavar="N", help="processes (default: %(default)s)"
    )
    evaluation.set_defaults(measure=_bench_evaluation)
    model = parts.add_parser("model", help="milliseconds of a network with each runtime that is installed")
    add_network_options(model, all_runtimes=True)
    model.add_argument(
        "--thorough",
        action="store_true",
        help="also what channels-last, bfloat16 and compilation change, and what drawing targets costs (some minutes)",
    )
    model.set_defaults(measure=_bench_model)
    pipeline = parts.add_parser("pipeline", help="frames per second of each stage of tracking; nothing is written")
    add_source_options(pipeline)
    add_network_options(pipeline)
    add_tracker_option(pipeline)
    pipeline.set_defaults(measure=_bench_pipeline)
    training = parts.add_parser(
        "training", help="images per second of a training against the same steps without loading"
    )
    _add_training_options(training)
    training.set_defaults(measure=_bench_training)


def _add_training_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=find_recipe, metavar="NAME|FILE",
                        help="training configuration: its network and its data")  # fmt: skip
    parser.add_argument("--root", metavar="FOLDER", help="where the paths of the configuration start")
    parser.add_argument("--weights", metavar="NAME|FILE", help="the network of these weights (default: fairmot-nano)")
    parser.add_argument(
        "--data", metavar="PATH", help="labelled data (default: those configured, else a street drawn as JPEGs)"
    )
    parser.add_argument("--image-size", metavar="WxH", help="of the training images (default: as configured, 512x288)")
    parser.add_argument("--batch-size", type=positive_int, metavar="N", help="default: as configured, 16")
    parser.add_argument("--workers", type=whole_number, metavar="N", help="loader processes; default: as configured, 2")
    parser.add_argument("--precision", choices=PRECISIONS, help="default: as configured, 32-true")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    parser.add_argument("--steps", type=positive_int, metavar="N", help="timed in a row (default: 10)")
    parser.add_argument("--rounds", type=positive_int, metavar="N", help="the fastest counts (default: 3)")


def run(options: argparse.Namespace) -> int:
    """Measure one part and print its table."""
    options.measure(options)
    return 0


def _bench_trackers(options: argparse.Namespace) -> None:
    from centertrack.bench.trackers import bench_trackers, timing_table
    from tracker.factory import tracker_options

    for name in options.only or ():
        tracker_options(name)  # a typo shows before anything is measured
    chosen: dict[str, Any] = {"names": options.only, "crowds": options.crowds}
    timings = []
    with progress_bar("trackers", None) as advance:
        for timing in bench_trackers(**{key: value for key, value in chosen.items() if value}, peers=options.peers):
            timings.append(timing)
            advance()
    say("milliseconds of one update, median\n")
    say(timing_table(timings))


def _bench_evaluation(options: argparse.Namespace) -> None:
    from centertrack.bench.evaluation import bench_evaluation

    with progress_bar("evaluation", None):
        timings = bench_evaluation(options.workers)
    rows = [
        [one.name, f"{one.gt_rows:,}", f"{one.result_rows:,}", f"{one.seconds:.2f}", f"{one.peak_mb:.0f}"]
        for one in timings
    ]
    say(text_table([["set", "truth rows", "result rows", "seconds", "peak MB"], *rows]))


def _bench_model(options: argparse.Namespace) -> None:
    from centertrack.bench.model import bench_model
    from centertrack.runtime.device import resolve_device

    size = read_size_option(options.image_size)
    say(bench_model(options.weights, size, resolve_device(options.device), options.thorough))


def _bench_pipeline(options: argparse.Namespace) -> None:
    from centertrack.app.session import Session
    from tracker.factory import make_tracker

    changes = read_tracker_options(options.tracker, [])
    make_tracker(options.tracker, **changes)
    predictor = build_predictor(options, MIN_SCORE)

    def new_tracker(frames: FrameSource) -> Tracker:
        return make_tracker(options.tracker, **{"frame_rate": frames.frame_rate, **changes})

    for source in options.sources:
        with Session(source, predictor, new_tracker, max_frames=options.max_frames) as session:
            session.warm_up()
            with progress_bar(session.frames.name, session.frame_count) as advance:
                report = session.run(lambda _: advance())
        width, height = predictor.input_format.for_source(session.frames.size).size
        runtime = f"{predictor.runtime.name} on {predictor.device}"
        say(f"{session.frames.name}: {counted(report.frames, 'frame')}, network at {width}x{height}, {runtime}\n")
        say(text_table(_stage_rows(report)))


def _bench_training(options: argparse.Namespace) -> None:
    from centertrack.bench.training import bench_training
    from centertrack.runtime.device import resolve_device

    size = read_size_option(options.image_size)
    names = ("batch_size", "workers", "precision", "steps", "rounds")
    how = {name: getattr(options, name) for name in names}
    device = resolve_device(options.device)
    say(bench_training(options.config, options.weights, options.data, options.root, size, device=device, **how))


def _stage_rows(report: Report) -> list[list[str]]:
    """Return what each stage could do if it waited for no other, and what all do together.

    Stages work side by side, so that the whole takes less time than their sum.
    """
    rates = {**report.stage_rates(), "end to end": report.frame_rate}
    rows = [[name, f"{rate:.1f}", f"{1e3 / rate:.2f}"] for name, rate in rates.items()]
    return [["stage", "frames/s", "ms/frame"], *rows]


def _counts(text: str) -> list[int]:
    return [positive_int(part) for part in read_names(text)]
