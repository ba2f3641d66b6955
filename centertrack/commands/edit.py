"""`centertrack edit`: apply the corrections of an edit list."""

from __future__ import annotations

import argparse
from pathlib import Path

from centertrack.app.outputs import TRACK_SUFFIXES, OutputKind, OutputPlan
from centertrack.commands.shared.output_options import add_export_option, export_kinds
from centertrack.commands.shared.terminal import progress_bar, say
from tracker.errors import InputError
from tracker.wording import counted

SUMMARY = "apply an edit list of the review page to results"
DESCRIPTION = """Apply the corrections that were made with `centertrack review` to the results they were made for,
and write the corrected tracks. The results and the list stay as they are. A list of other results, or of results
that changed since, is refused. With --source, a video of the corrected tracks and labels to train from can be
written, too."""
EPILOG = """examples:
  centertrack edit street.txt street.edits.jsonl --results corrected.txt
  centertrack edit street.txt street.edits.jsonl --source street.mp4 --video corrected.mp4
  centertrack edit street.txt street.edits.jsonl --source street.mp4 --export mot=mine/street
  centertrack evaluate --gt gt.txt --results street.txt --edits street.edits.jsonl"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("tracks", metavar="RESULTS", type=Path, help="tracks as written by track")
    parser.add_argument("edits", metavar="EDITS", type=Path, help="edit list, RESULTS with the ending .edits.jsonl")
    parser.add_argument(
        "--results", metavar="FILE", help=f"where the corrected tracks go, as {', '.join(TRACK_SUFFIXES)}"
    )
    parser.add_argument("--source", metavar="VIDEO", help="what the tracks lie on, for --video and --export, and times")
    parser.add_argument("--video", metavar="FILE", help="video with the corrected boxes, ids and trails (H.264, .mp4)")
    add_export_option(parser)


def run(options: argparse.Namespace) -> int:
    """Apply all edits."""
    from tracker.editing.edited import read_edited
    from tracker.io.track_writer import TrackedSource
    from tracker.io.track_writers import check_tracks_format
    from tracker.io.writer import VIDEO_SUFFIXES

    if not (options.results or options.video or options.export):
        raise InputError("nothing to write; give --results FILE, or --source VIDEO with --video or --export")
    if (options.video or options.export) and not options.source:
        raise InputError("--video and --export need the frames; give --source VIDEO")
    kinds = [
        OutputKind("results", ".txt", options.results, TRACK_SUFFIXES),
        OutputKind("video", ".mp4", options.video, VIDEO_SUFFIXES),
        *export_kinds(options.export),
    ]
    check_tracks_format(options.results)
    sources = [options.source] if options.source else []
    plan = OutputPlan([kind for kind in kinds if kind.given], sources, [str(options.tracks), str(options.edits)])
    edited = read_edited(options.tracks, options.edits)
    paths = plan.paths_for(options.tracks.stem)
    try:
        if options.source:
            from centertrack.app.replay import replay
            from centertrack.app.sinks import track_sinks
            from centertrack.app.tracks_sink import OutputOptions
            from tracker.io.video import open_source

            written = OutputOptions(
                class_names=edited.class_names,
                has_classes=edited.has_classes,
                shows_classes=edited.has_classes and len(edited.names) > 1,
            )
            frames = open_source(options.source)
            with frames, progress_bar(frames.name, frames.frame_count) as advance:
                replay(
                    dict(edited.tracks),
                    lambda frame: str(options.tracks),
                    frames,
                    track_sinks(paths, frames, written),
                    advance,
                )
        else:
            about = TrackedSource(options.tracks.stem, class_names=edited.class_names, has_classes=edited.has_classes)
            edited.write(paths["results"], about)
    finally:
        plan.release(paths.values())
    ids = len(set(edited.tracks.ids.tolist()))
    say(f"{counted(edited.edit_count, 'edit')}: {counted(edited.ids_before, 'id')} before, {ids} after")
    for kind, path in paths.items():
        say(f"  {kind}: {path}")
    return 0
