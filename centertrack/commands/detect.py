"""`centertrack detect`: images or video in, boxes out."""

from __future__ import annotations

import argparse
from functools import partial

from centertrack.app.outputs import OutputKind, OutputPlan
from centertrack.commands.shared.options import add_network_options, add_source_options, build_predictor, score
from centertrack.commands.shared.output_options import add_box_options, add_classes_option
from centertrack.commands.shared.sources import add_part_options
from centertrack.commands.shared.views import add_view_options

SUMMARY = "find objects in images and videos"
DESCRIPTION = """Find objects in images and videos, frame by frame, without ids.

Results are COCO-style JSON: images, annotations (bbox as x, y, width, height in the source's own pixels, score,
category_id) and categories. Without --results and --video both are written under runs/. Where the source is photos, a
folder given for --video gets a picture of each."""
EPILOG = """examples:
  centertrack detect photos/ --results photos.json
  centertrack detect photos/ --video found/ --classes person
  centertrack detect street.mp4 --video boxes.mp4 --min-score 0.5"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_source_options(parser)
    add_part_options(parser)
    add_view_options(parser)
    output = parser.add_argument_group("output")
    output.add_argument("--results", metavar="FILE|FOLDER", help="COCO-style JSON; a folder for several sources")
    output.add_argument("--video", metavar="FILE|FOLDER", help="video with boxes (H.264, .mp4); of photos a JPEG each")
    add_box_options(output, tracks=False)
    output.add_argument("--quiet", action="store_true", help="write nothing but errors to the terminal")
    add_network_options(parser)
    add_classes_option(parser, "find")
    parser.add_argument(
        "--min-score", type=score, default=0.3, metavar="S", help="leave out what scores less (default: %(default)s)"
    )


def run(options: argparse.Namespace) -> int:
    """Detect in all sources."""
    from centertrack.app.sinks import detect_sinks
    from centertrack.app.tracks_sink import BoxChoice, OutputOptions
    from centertrack.commands.shared.watch import watch
    from tracker.io.writer import VIDEO_SUFFIXES

    kinds = [
        OutputKind("results", ".json", options.results, (".json",)),
        OutputKind("video", ".mp4", options.video, VIDEO_SUFFIXES),
    ]
    plan = OutputPlan(kinds, options.sources)
    predictor = build_predictor(options, options.min_score, classes=options.classes)
    written = OutputOptions.of(predictor, boxes=BoxChoice(clip=options.clip))
    return watch(options, plan, predictor, None, partial(detect_sinks, options=written))
