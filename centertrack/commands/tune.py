"""`centertrack tune`: better options for a tracker, with an honest score."""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from centertrack.app.outputs import check_suffix
from centertrack.commands.shared.options import (
    add_tracker_option,
    positive_int,
    read_names,
    read_tracker_options,
    whole_number,
)
from centertrack.commands.shared.terminal import progress_bar, say
from tracker.errors import InputError
from tracker.wording import counted

if TYPE_CHECKING:
    from centertrack.predictor import Predictor
    from centertrack.tuning.study import TuningPlan, TuningReport
    from centertrack.tuning.trial import TuningSequence

SUMMARY = "search better options for a tracker on labelled sequences"
DESCRIPTION = """Search the options of a tracker on MOTChallenge sequence folders with ground truth, scored as
`centertrack evaluate` scores, and judge them on videos that the search never sees, with the 95 % interval of the gain
there. Detections are those of det/det.txt, or those of --weights on the frames, found once and kept. The search goes on
where an earlier call with the same arguments stopped. Needs Optuna: pip install 'centertrack[tune]'."""
EPILOG = """examples:
  centertrack tune MOT17/train/*-SDP --tracker bytetrack --output tuned.yaml
  centertrack tune MOT17/train/*-SDP --held-out MOT17-09,MOT17-13 --workers 2 --output tuned.yaml
  centertrack tune MINE/* --weights fairmot-base --metric IDF1 --output tuned.yaml
  centertrack track street.mp4 --tracker tuned.yaml"""
METRICS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1")
MIN_SCORE = 0.05  # of detections that are kept for the search, so that it can lower thresholds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "sequences", nargs="+", metavar="SEQ_FOLDER", help="folder with gt/gt.txt, and det/det.txt or frames"
    )
    add_tracker_option(parser)
    parser.add_argument("--output", required=True, metavar="FILE.yaml", help="tracker and options, for --tracker")
    parser.add_argument(
        "--trials",
        type=positive_int,
        default=200,
        metavar="N",
        help="with those of earlier calls (default: %(default)s)",
    )
    parser.add_argument("--metric", choices=METRICS, default="HOTA", help="what to raise (default: %(default)s)")
    parser.add_argument(
        "--held-out", type=read_names, metavar="A,B", help="never shown to the search (default: every third video)"
    )
    parser.add_argument("--search", type=read_names, metavar="A,B", help="only these options (default: all that count)")
    parser.add_argument(
        "--option", action="append", default=[], metavar="NAME=VALUE", help="set an option, which is not searched then"
    )
    parser.add_argument("--weights", metavar="NAME|FILE", help="detect in the frames (default: take det/det.txt)")
    parser.add_argument("--image-size", metavar="WxH", help="size of the network's input")
    parser.add_argument("--benchmark", metavar="NAME", help="whose rules to apply, as in centertrack evaluate")
    parser.add_argument(
        "--storage", metavar="FILE", help="where trials are kept, to go on with later (default: OUTPUT.trials)"
    )
    parser.add_argument(
        "--seed", type=whole_number, default=0, metavar="N", help="of the search (default: %(default)s)"
    )
    parser.add_argument("--workers", type=positive_int, default=1, metavar="N", help="processes (default: %(default)s)")


def run(options: argparse.Namespace) -> int:
    """Search, judge, write."""
    from centertrack.tuning.study import tune, write_tuned

    check_suffix("--output", options.output, ".yaml")
    plan = _plan(options)
    storage = Path(options.storage or f"{options.output}.trials")
    say(f"searches {', '.join(plan.space)} of {plan.tracker} on {_listed(plan.searched)}")
    say(f"held out: {_listed(plan.held_out)}")
    with progress_bar(f"{plan.tracker}: {plan.metric}", options.trials) as advance:

        def done(number: int, value: float, best: float) -> None:
            advance()
            if number % 10 == 0 or number == 1:
                say(f"trial {number}: {100 * value:.2f}, best {100 * best:.2f}")

        try:
            report = tune(plan, options.trials, storage, done)
        except KeyboardInterrupt:
            say(f"stopped; the trials are kept in {storage}, and the same command goes on with them")
            raise
    write_tuned(Path(options.output), plan, report)
    for line in _lines(plan, report, options.output):
        say(line)
    return 0


def _plan(options: argparse.Namespace) -> TuningPlan:
    from centertrack.tuning.study import TuningPlan, hold_out, space_of
    from tracker.evaluation.evaluator import Protocol
    from tracker.factory import make_tracker, tracker_options

    fixed = read_tracker_options(options.tracker, options.option)
    if hasattr(tracker_options(options.tracker), "camera_motion"):
        fixed.setdefault("camera_motion", "none")  # no frames are shown to the tracker
    if make_tracker(options.tracker, **fixed).needs_embeddings and not options.weights:
        raise InputError(f"tracker {options.tracker} compares appearance: give --weights with a re-identification head")
    sequences = _sequences(options)
    searched, held_out = hold_out(list(sequences), options.held_out)
    space = space_of(str(options.tracker), fixed, options.search)
    if not space:
        raise InputError(f"there is nothing to search: tracker {options.tracker} declares no options, or all are set")
    return TuningPlan(
        tracker=str(options.tracker),
        fixed=fixed,
        space=space,
        metric=options.metric,
        searched=[sequences[name] for name in searched],
        held_out=[sequences[name] for name in held_out],
        protocol=Protocol(options.benchmark),
        workers=options.workers,
        seed=options.seed,
    )


def _sequences(options: argparse.Namespace) -> dict[str, TuningSequence]:
    """Return the sequences by name, their detections at hand."""
    from centertrack.geometry import parse_size
    from centertrack.tuning.detections import cached_file, detect_once
    from centertrack.tuning.trial import TuningSequence
    from tracker.io.mot import read_sequence_info

    size = parse_size(options.image_size) if options.image_size else None

    @cache
    def predictor() -> Predictor:
        from centertrack.predictor import Predictor

        return Predictor(options.weights, image_size=size, min_score=MIN_SCORE)

    found: dict[str, Any] = {}
    for folder in map(Path, options.sequences):
        name = folder.resolve().name
        if name in found:
            raise InputError(f"several folders are called {name}; give each sequence once")
        if not (folder / "gt" / "gt.txt").is_file():
            raise InputError(
                f"{folder}: expected a sequence folder with gt/gt.txt, which the trials are scored against"
            )
        if not options.weights:
            found[name] = TuningSequence(name, folder)
            continue
        file = cached_file(folder, options.weights, size, MIN_SCORE)
        with progress_bar(f"detect in {name}", read_sequence_info(folder).length, quiet=file.is_file()) as advance:
            detect_once(folder, file, predictor, advance)
        found[name] = TuningSequence(name, folder, file)
    return found


def _lines(plan: TuningPlan, report: TuningReport, output: str) -> list[str]:
    """Say what was found."""
    defaults, best = (100 * value for value in report.searched)
    before, after = (100 * value for value in report.held_out)
    lines = [
        f"{counted(report.trials, 'trial')}; on the sequences of the search {plan.metric} {defaults:.2f} -> {best:.2f}",
        f"on those held out {plan.metric} {before:.2f} -> {after:.2f}",
    ]
    gain = report.gain
    if gain is None:
        lines.append("too few held-out frames to say how sure that is")
    else:
        unsure = "worse than the defaults" if gain.high < 0 else "not surely better than the defaults"
        verdict = "" if gain.low > 0 else f": {unsure}; more videos to search on would tell more"
        lines.append(f"gain there: {gain} (value, 95 % interval over {report.over}){verdict}")
    return [*lines, f"{output}: for --tracker"]


def _listed(sequences: Any) -> str:
    return ", ".join(one.name for one in sequences)
