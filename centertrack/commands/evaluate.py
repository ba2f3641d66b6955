"""`centertrack evaluate`: tracking results against ground truth."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from centertrack.app.outputs import check_suffix
from centertrack.commands.shared.options import positive_int, read_names
from centertrack.commands.shared.output_options import add_classes_option
from centertrack.commands.shared.terminal import say
from tracker.errors import InputError
from tracker.text_table import text_table

if TYPE_CHECKING:
    from tracker.evaluation import EvaluationResult

SUMMARY = "score tracking results: HOTA, MOTA, IDF1 and more"
DESCRIPTION = """Score tracking results against ground truth with HOTA, CLEAR and Identity, under the official
preprocessing of the MOTChallenge benchmarks. Ratios are printed in percent, and written as fractions. Lines below the
table say what was not scored, and why."""
EPILOG = """examples:
  centertrack evaluate --gt MOT17/train --results results
  centertrack evaluate --gt MOT17/train --results results --sequences MOT17-02-SDP,MOT17-04-SDP --json scores.json
  centertrack evaluate --gt MOT17/train --results half --frames half-val
  centertrack evaluate --gt mine --results results --classes car,person --labelled-frames every 5
  centertrack evaluate --gt bdd100k/labels/val --results results.json
  centertrack evaluate --gt MOT17/train --results results --report report.html --images MOT17/train
  centertrack evaluate --gt gt.txt --results street.txt --edits street.edits.jsonl
  centertrack evaluate --gt MOT17/train --results mine --compare theirs others --report comparison.html"""
BENCHMARKS = ("MOT15", "MOT16", "MOT17", "MOT20", "DanceTrack", "KITTI", "BDD100K", "VisDrone", "none")
COMPARED = ("HOTA", "IDF1", "MOTA")
FORMATS = ("mot", "cvat", "kitti", "visdrone", "scalabel", "cvat-video", "coco", "label-studio", "csv", "json", "jsonl",
           "parquet")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--gt",
        required=True,
        metavar="PATH",
        help="folder of sequence folders, one sequence folder, or one gt file; or a file or folder of another format",
    )
    parser.add_argument(
        "--results", required=True, metavar="PATH", help="folder of SEQUENCE.txt, or one file; or of another format"
    )
    for side in ("gt", "results"):
        parser.add_argument(
            f"--{side}-format",
            choices=FORMATS,
            metavar="NAME",
            help=f"{', '.join(FORMATS)} (default: told by the files)",
        )
    parser.add_argument(
        "--benchmark",
        choices=BENCHMARKS,
        help="whose rules to apply; none ignores classes (default: by the format and the name of each sequence)",
    )
    add_classes_option(parser, "score, each for itself and all together,")
    parser.add_argument("--flagged", action="store_true", help="score labels with flag 0 (column 7), too")
    parser.add_argument("--sequences", type=read_names, metavar="A,B", help="only these sequences")
    parser.add_argument(
        "--frames",
        metavar="A:B",
        help="only frames A to B of each sequence, both included and either left out at will; or half-val, half-train",
    )
    parser.add_argument(
        "--labelled-frames",
        nargs="+",
        default=["auto"],
        metavar="WHICH",
        help="which frames were labelled, so that only these count: all, every N, a file with a line FRAME or SEQUENCE "
        "FRAME each, or auto: what the format says, or every N-th where all labels lie so (default: auto)",
    )
    parser.add_argument("--workers", type=positive_int, default=1, metavar="N", help="processes (default: %(default)s)")
    output = parser.add_argument_group("output")
    output.add_argument("--json", metavar="FILE", help="write all scores as JSON")
    output.add_argument("--csv", metavar="FILE", help="write all scores as CSV")
    output.add_argument(
        "--report", metavar="FILE.html", help="write one page that opens offline: scores, charts, every identity switch"
    )
    output.add_argument(
        "--images", metavar="FOLDER", help="sequence folders with frames, for pictures of the switches in the report"
    )
    output.add_argument(
        "--compare",
        nargs="+",
        default=[],
        metavar="RESULTS",
        help="results of other trackers, to be set beside in the table and the report; with the difference to each and "
        "its interval",
    )
    output.add_argument(
        "--edits",
        metavar="FILE",
        type=Path,
        help="edit list of centertrack review, of the one file that --results names: what it changed, set beside",
    )
    output.add_argument(
        "--intervals",
        action="store_true",
        help="95 %% bootstrap intervals over videos, or over windows of frames where there are fewer than five",
    )
    output.add_argument(
        "--check", choices=("motmetrics",), help="set the figures of another library beside, and say why they differ"
    )


def run(options: argparse.Namespace) -> int:
    """Evaluate and print the table."""
    for name, suffix in (("json", ".json"), ("csv", ".csv"), ("report", ".html")):
        check_suffix(f"--{name}", getattr(options, name), suffix)
    if options.images and not options.report:
        raise InputError("--images are shown in the report; add --report FILE.html")
    if options.images and not Path(options.images).is_dir():
        raise InputError(f"--images {options.images}: no such folder")
    trackers = _trackers_by_name([options.results, *options.compare])
    with TemporaryDirectory() as folder:
        if options.edits:
            trackers = _with_edited(trackers, options, Path(folder))
        results = _evaluate_all(options, trackers)
    result = next(iter(results.values()))
    say(result.table())
    for remark in _remarks(results):
        say(remark)
    if options.intervals:
        for tracker, one in results.items():
            say("\n" + _intervals(tracker if len(results) > 1 else "", one))
    if len(results) > 1:
        say("\n" + text_table(_comparison(results)))
        say("\n" + "\n".join(_differences(results)))
    if options.check:
        say("\n" + _second_opinion(options))
    if options.json:
        result.write_json(options.json)
    if options.csv:
        result.write_csv(options.csv)
    if options.report:
        say(f"\nreport: {options.report}")
    return 0


def _trackers_by_name(paths: Sequence[str]) -> dict[str, str]:
    """Name trackers by the last part of their path, or by the whole where that does not tell them apart."""
    names = [Path(path).resolve().name.removesuffix(".txt") for path in paths]
    if len(set(names)) < len(names):
        names = [str(Path(path)) for path in paths]
    if len(set(names)) < len(names):
        raise InputError(f"--results and --compare name the same results twice: {', '.join(names)}")
    return dict(zip(names, paths, strict=True))


def _with_edited(trackers: dict[str, str], options: argparse.Namespace, folder: Path) -> dict[str, str]:
    """Return the trackers with the corrected results of the first one beside it."""
    from tracker.editing.edited import read_edited
    from tracker.io.track_writer import TrackedSource

    if not Path(options.results).is_file():
        raise InputError(f"--edits belongs to one file of results, and --results {options.results} is none")
    name, *others = trackers
    corrected = folder / Path(options.results).with_suffix(".txt").name
    edited = read_edited(Path(options.results), options.edits)
    edited.write(corrected, TrackedSource(has_classes=edited.has_classes))
    return {name: trackers[name], f"{name}, edited": str(corrected), **{one: trackers[one] for one in others}}


def _evaluate_all(options: argparse.Namespace, trackers: dict[str, str]) -> dict[str, EvaluationResult]:
    """Return the scores of each tracker; the report is written on the way, since it needs all that they are made of."""
    chosen = {**_chosen(options), "intervals": options.intervals or len(trackers) > 1}
    if options.report:
        from tracker.report import write_report

        return write_report(options.report, options.gt, trackers, images=options.images, **chosen)
    from tracker.evaluation import evaluate

    return {name: evaluate(options.gt, path, **chosen) for name, path in trackers.items()}


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """Return what is scored, as the arguments of `evaluate`."""
    return {
        "benchmark": options.benchmark,
        "sequences": options.sequences,
        "frames": options.frames,
        "workers": options.workers,
        "labelled_frames": " ".join(options.labelled_frames),
        "classes": options.classes,
        "flagged": options.flagged,
        "gt_format": options.gt_format,
        "results_format": options.results_format,
    }


def _comparison(results: dict[str, EvaluationResult]) -> list[list[str]]:
    """Return a header and the combined row of each tracker."""
    rows = {name: result.rows() for name, result in results.items()}
    header = next(iter(rows.values()))[0]
    return [["all sequences", *header[1:]], *([name, *cells[-1][1:]] for name, cells in rows.items())]


def _remarks(results: dict[str, EvaluationResult]) -> list[str]:
    """Return what there is to say beside the scores, once; before what holds for some trackers only stands which."""
    trackers: dict[str, list[str]] = {}
    for tracker, result in results.items():
        for remark in result.remarks():
            trackers.setdefault(remark, []).append(tracker)
    return [remark if len(of) == len(results) else f"{', '.join(of)}: {remark}" for remark, of in trackers.items()]


def _intervals(tracker: str, result: EvaluationResult) -> str:
    """Return a table of the scores with their intervals, or why there is none."""
    if result.units is None:
        return "no intervals: there are too few frames to part them into five windows"
    found = result.intervals()
    rows = [["95 % interval" + (f", {tracker}" if tracker else ""), *found]]
    for side in ("value", "low", "high"):
        rows.append([side, *(f"{100 * getattr(one, side):.2f}" for one in found.values())])
    return f"{text_table(rows)}\nbootstrap over {result.units.kind}"


def _differences(results: dict[str, EvaluationResult]) -> list[str]:
    """Return how the first tracker differs from each other one, a sentence each figure."""
    from tracker.evaluation.intervals import compared, paired_intervals

    (name, first), *others = results.items()
    sentences = []
    for other, result in others:
        if first.units is None or result.units is None:
            sentences.append(f"{name} and {other}: too few frames to say how sure the difference is")
            continue
        found = paired_intervals(first.units, result.units)
        sentences += [compared(name, other, figure, found[figure], first.units.kind) for figure in COMPARED]
    return sentences


def _second_opinion(options: argparse.Namespace) -> str:
    from tracker.evaluation.evaluator import load_sequences
    from tracker.evaluation.second_opinion import DIFFERENCES, second_opinion

    data = load_sequences(options.gt, options.results, **_chosen(options))
    return "\n".join([text_table(second_opinion(data, options.workers)), "", *DIFFERENCES])
