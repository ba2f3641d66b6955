"""The loop behind `track` and `detect`: every source through the pipeline into its own files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from centertrack.app.outputs import OutputPlan
from centertrack.commands.shared.terminal import complain, progress_bar, say, sentence, summary
from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.app.sinks import FileSink
    from centertrack.predictor import Predictor
    from tracker.base import Tracker
    from tracker.io.video import FrameSource

OK, BAD_INPUT = 0, 2


def watch(
    options: argparse.Namespace,
    plan: OutputPlan,
    predictor: Predictor,
    new_tracker: Callable[[FrameSource], Tracker] | None,
    open_sinks: Callable[[Mapping[str, Path], FrameSource], Iterator[FileSink]],
) -> int:
    """Process all sources; a source that fails is reported and does not keep the others from being processed.

    Args:
        options: With `sources`, `max_frames` and `quiet`.
        plan: Names the outputs.
        predictor: Finds the objects.
        new_tracker: Returns a tracker for a source; None only detects.
        open_sinks: Opens the writers for the paths of a source, one after the other.

    Returns:
        Exit code: 0, or 2 if any source failed.

    Raises:
        KeyboardInterrupt: After Ctrl-C or SIGTERM, once the outputs are finished.
    """
    code = OK
    for source in options.sources:
        try:
            _watch_one(source, options, plan, predictor, new_tracker, open_sinks)
        except (InputError, OSError) as error:
            complain(sentence(error))
            code = BAD_INPUT
        except Exception as error:
            complain(f"{source}: {type(error).__name__}: {error}; nobody foresaw this: please report it")
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
    new_tracker: Callable[[FrameSource], Tracker] | None,
    open_sinks: Callable[[Mapping[str, Path], FrameSource], Iterator[FileSink]],
) -> None:
    from centertrack.app.session import Session

    with Session(source, predictor, new_tracker, open_sinks, plan, options.max_frames) as session:
        with progress_bar("loading the network", None, options.quiet):
            session.warm_up()
        try:
            with progress_bar(session.frames.name, session.frame_count, options.quiet) as advance:
                session.run(lambda result: advance())
        finally:
            if session.paths and not options.quiet:
                say(summary(session.frames.name, session.report, predictor.runtime, _start_score(session.tracker)))
                for remark in session.remarks:
                    say(f"  {remark}")
                for kind, path in session.paths.items() if session.is_complete else ():
                    say(f"  {kind}: {path}")


def _start_score(tracker: Tracker | None) -> float:
    """Return the score from which a detection may start a track."""
    from centertrack.app.session import thresholds

    if tracker is None:
        return 0.0
    return max((value for name, value in thresholds(tracker.options).items() if name != "min_low_score"), default=0.0)
