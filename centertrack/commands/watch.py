"""The loop behind `track` and `detect`: every source through the pipeline into its own files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from centertrack.commands.options import thresholds
from centertrack.commands.outputs import OutputPlan
from centertrack.commands.terminal import complain, progress_bar, say, sentence, summary
from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.predictor import Predictor
    from centertrack.sinks import FileSink
    from tracker.base import Tracker
    from tracker.io.video import FrameSource

BATCH_SIZE_ON_GPU = 4
OK, BAD_INPUT = 0, 2


def batch_size(predictor: Predictor, frames: FrameSource) -> int:
    """Return how many frames go into a call of the network: several on a GPU, but never those of a live stream."""
    return BATCH_SIZE_ON_GPU if predictor.device != "cpu" and frames.frame_count else 1


def watch(
    options: argparse.Namespace,
    plan: OutputPlan,
    predictor: Predictor,
    make_tracker: Callable[[FrameSource], Tracker] | None,
    make_sinks: Callable[[Mapping[str, Path], FrameSource], list[FileSink]],
) -> int:
    """Process all sources; a source that fails is reported and does not keep the others from being processed.

    Args:
        options: With `sources`, `max_frames` and `quiet`.
        plan: Names the outputs.
        predictor: Finds the objects.
        make_tracker: Returns a tracker for a source; None only detects.
        make_sinks: Opens the writers for the paths of a source.

    Returns:
        Exit code: 0, or 2 if any source failed.

    Raises:
        KeyboardInterrupt: After Ctrl-C or SIGTERM, once the outputs are finished.
    """
    code = OK
    for source in options.sources:
        try:
            _watch_one(source, options, plan, predictor, make_tracker, make_sinks)
        except (InputError, OSError) as error:
            complain(sentence(error))
            code = BAD_INPUT
        except KeyboardInterrupt:
            sys.stderr.write("interrupted; what was done until then is kept\n")
            raise
    return code


def _watch_one(
    source: str,
    options: argparse.Namespace,
    plan: OutputPlan,
    predictor: Predictor,
    make_tracker: Callable[[FrameSource], Tracker] | None,
    make_sinks: Callable[[Mapping[str, Path], FrameSource], list[FileSink]],
) -> None:
    from centertrack.pipeline import Pipeline
    from tracker.io.video import open_source

    with open_source(source) as frames, ExitStack() as stack:
        with progress_bar("loading the network", None, options.quiet):
            predictor.warm_up(frames.size)  # before any file is opened: a failure here leaves everything as it was
        paths = plan.paths_for(frames.name)
        sinks = [stack.enter_context(sink) for sink in make_sinks(paths, frames)]
        tracker = None if make_tracker is None else make_tracker(frames)
        pipeline = Pipeline(frames, predictor, tracker, sinks, batch_size(predictor, frames), options.max_frames)
        total = min(filter(None, (frames.frame_count, options.max_frames)), default=None)
        try:
            with progress_bar(frames.name, total, options.quiet) as advance:
                pipeline.run(lambda result: advance())
        finally:
            stack.close()
            if not options.quiet:
                say(summary(frames.name, pipeline.report, _start_score(tracker)))
                for kind, path in paths.items():
                    say(f"  {kind}: {path}")


def _start_score(tracker: Tracker | None) -> float:
    """Return the score from which a detection may start a track."""
    if tracker is None:
        return 0.0
    return max((value for name, value in thresholds(tracker.options).items() if name != "min_low_score"), default=0.0)
