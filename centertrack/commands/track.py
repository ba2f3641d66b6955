"""`centertrack track`: video in, boxes with ids out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from centertrack.app.outputs import TRACK_SUFFIXES, OutputKind, OutputPlan
from centertrack.commands.shared.counting_options import add_counting_options, answer_kinds, read_questions
from centertrack.commands.shared.options import (
    add_embedding_options,
    add_network_options,
    add_source_options,
    add_tracker_option,
    build_predictor,
    read_assignments,
    read_steps,
    read_tracker_options,
    score,
    score_changes,
)
from centertrack.commands.shared.output_options import (
    RESULTS_HELP,
    add_box_options,
    add_classes_option,
    add_export_option,
    export_kinds,
)
from centertrack.commands.shared.sources import add_part_options
from centertrack.commands.shared.views import add_view_options
from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.app.file_sink import FileSink
    from tracker.base import Tracker
    from tracker.io.video import FrameSource

HEAD = "fairmot-small"  # weights whose re-identification head may describe the boxes of others
SUMMARY = "follow objects through videos and image folders"
DESCRIPTION = """Follow objects through videos: every object keeps its id.

Results are MOTChallenge rows: frame, id, left, top, width, height, score, class, -1, -1; frames, pixels and classes
count from 1, and the class is -1 where the network knows a single one. Other suffixes write a table with times, names
of classes and speeds, see docs/outputs.md. Boxes are in the source's own pixels, and may go beyond its edges. Without
--results, --video and --export rows and a video are written under runs/."""
EPILOG = """examples:
  centertrack track street.mp4
  centertrack track street.mp4 --video out/street.mp4 --results out/street.txt
  centertrack track MOT17/train/* --results results
  centertrack track "frames/*.jpg" --tracker bytetrack --option max_lost_seconds=2
  centertrack track street.mp4 --weights yolo11n.onnx --detector-option classes=person
  centertrack track street.mp4 --weights yolo11n.onnx --embeddings fairmot-small --tracker fairmot
  centertrack track street.mp4 --weights yolo11n.onnx --classes person,car --results street.csv
  centertrack track street.mp4 --export cvat
  centertrack track street.mp4 --line gate=50%,40%,50%,95% --audit checked
  centertrack track street.mp4 --heatmap heatmap.png --trails trails.png --plot people.png
  centertrack track rtsp://camera/stream --max-frames 1000
  centertrack track rtsp://door/stream rtsp://yard/stream 0 --serve :8000
  centertrack track street.mp4 --start 1:30 --end 2:00 --stride 5"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_source_options(parser)
    add_part_options(parser)
    add_view_options(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--results", metavar="FILE|FOLDER", help=RESULTS_HELP)
    output.add_argument("--video", metavar="FILE|FOLDER", help="video with boxes, ids and trails (H.264, .mp4)")
    add_export_option(output)
    add_box_options(output, tracks=True)
    output.add_argument("--quiet", action="store_true", help="write nothing but errors to the terminal")
    add_network_options(parser)
    add_classes_option(parser, "find and follow")
    tracking = parser.add_argument_group("tracking")
    add_tracker_option(tracking)
    add_embedding_options(tracking)
    tracking.add_argument(
        "--min-score",
        type=score,
        metavar="S",
        help="detections below do not count, from here on they may start tracks (default: the tracker's own)",
    )
    tracking.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the tracker, such as max_lost_seconds=2; may be given several times",
    )
    tracking.add_argument(
        "--postprocess",
        default="",
        metavar="STEPS",
        help="offline, once a source has ended, and for the rows only: any of link (joins tracks that look alike), "
        "interpolate, smooth, with commas between",
    )
    add_counting_options(parser)


def run(options: argparse.Namespace) -> int:
    """Track all sources."""
    from centertrack.app.answers import Answers, counted_track_sinks, namer, noun_of
    from centertrack.app.session import PREDICTOR_MIN_SCORE, thresholds
    from centertrack.app.tracks_sink import BoxChoice, OutputOptions
    from centertrack.commands.shared.watch import watch
    from tracker.factory import DEFAULT_TRACKER, make_tracker
    from tracker.io.track_writers import check_tracks_format
    from tracker.io.writer import VIDEO_SUFFIXES

    changes = read_tracker_options(options.tracker, options.option)
    if options.min_score is not None:
        changes.update(score_changes(options.tracker, changes, options.min_score))
    sample = make_tracker(options.tracker, **changes)  # a typo shows before anything is loaded
    steps = read_steps(options.postprocess)
    questions = read_questions(options, looks="link" in steps)
    kinds = [
        OutputKind("results", ".txt", options.results, TRACK_SUFFIXES, goes_to_standard_output=True),
        OutputKind("video", ".mp4", options.video, VIDEO_SUFFIXES),
        *export_kinds(options.export),
        *answer_kinds(options, questions),
    ]
    check_tracks_format(options.results)
    plan = OutputPlan(kinds, options.sources)
    if options.embeddings and not sample.needs_embeddings and "link" not in steps:
        raise InputError(
            f"--embeddings describes appearance, which tracker {options.tracker} does not compare; leave it out, or "
            "use --tracker scene-reid or fairmot, or --postprocess link"
        )
    predictor = build_predictor(
        options,
        min(PREDICTOR_MIN_SCORE, *thresholds(sample.options).values()),
        embeddings=options.embeddings,
        embedding_options=read_assignments(options.embedding_option),
        classes=options.classes,
    )
    if not predictor.has_embeddings:
        lacks = f"compares appearance, but {options.weights} has no re-identification head; give --embeddings {HEAD}"
        if sample.needs_embeddings:
            raise InputError(f"tracker {options.tracker} {lacks}, or use --tracker {DEFAULT_TRACKER}")
        if "link" in steps:
            raise InputError(f"--postprocess link {lacks}, or leave it out")

    def new_tracker(source: FrameSource) -> Tracker:
        return make_tracker(options.tracker, **{"frame_rate": source.frame_rate, **changes})

    written = OutputOptions.of(predictor, steps, BoxChoice(options.coasting, options.clip))

    def open_sinks(paths: Mapping[str, Path], frames: FrameSource) -> Iterator[FileSink]:
        names = predictor.class_names
        answers = Answers(questions, frames.name, frames.size, namer(names), noun_of(names))
        yield from counted_track_sinks(paths, frames, answers, written)

    return watch(options, plan, predictor, new_tracker, open_sinks)
