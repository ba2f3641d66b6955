"""The loop behind `track` and `detect`: every source through the pipeline into its own files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from centertrack.app.outputs import OutputPlan
from centertrack.commands.shared.sources import part_options
from centertrack.commands.shared.terminal import complain, progress_bar, say, sentence, summary
from centertrack.commands.shared.views import Views, open_views
from tracker.errors import InputError
from tracker.io.names import STANDARD_OUTPUT

if TYPE_CHECKING:
    from centertrack.app.file_sink import FileSink
    from centertrack.app.pipeline import FrameResult
    from centertrack.app.session import Session
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
    """Process all sources, files one after the other and then all live ones at once.

    A source that fails is reported and does not keep the others from being processed.

    Args:
        options: With `sources`, `max_frames`, `quiet`, and those of `add_part_options` and `add_view_options`.
        plan: Names the outputs.
        predictor: Finds the objects.
        new_tracker: Returns a tracker for a source; None only detects.
        open_sinks: Opens the writers for the paths of a source, one after the other.

    Returns:
        Exit code: 0, or 2 if any source failed.

    Raises:
        KeyboardInterrupt: After Ctrl-C or SIGTERM, once the outputs are finished.
    """
    from centertrack.app.session import Session
    from tracker.io.video import may_be_live

    part = part_options(options)

    def open_session(source: str) -> Session:
        return Session(source, predictor, new_tracker, open_sinks, plan, options.max_frames, source_options=part)

    outcome = _Outcome()
    with open_views(options) as views, ExitStack() as held:
        live: list[Session] = []
        for source in sorted(options.sources, key=may_be_live):
            with outcome.of(source), ExitStack() as stack:
                session = stack.enter_context(open_session(source))
                if session.frames.is_live:
                    live.append(session)
                    held.push(stack.pop_all())
                else:
                    _watch_one(session, options, views, outcome)
            if outcome.is_stopped:
                return outcome.code
        if len(live) == 1:
            with outcome.of(live[0].frames.name):
                _watch_one(live[0], options, views, outcome)
        elif live:
            with outcome.of(" and ".join(session.frames.name for session in live)):
                _watch_together(live, options, views, outcome)
    return outcome.code


class _Outcome:
    """What has become of the sources so far.

    Attributes:
        code: Exit code.
        is_stopped: Whether whoever watches has seen enough.
    """

    code = OK
    is_stopped = False

    @contextmanager
    def of(self, source: str) -> Iterator[None]:
        """Say what is wrong with a source in the block, and go on behind it."""
        try:
            yield
        except KeyboardInterrupt:
            sys.stderr.write("interrupted; what was done until then is kept\n")
            raise
        except Exception as error:
            self.fail(source, error)

    def fail(self, source: str, error: BaseException) -> None:
        """Say what is wrong with a source."""
        self.code = BAD_INPUT
        if isinstance(error, InputError | OSError):
            complain(sentence(error))
        else:
            complain(f"{source}: {type(error).__name__}: {error}; nobody foresaw this: please report it")


def _watch_one(session: Session, options: argparse.Namespace, views: Views, outcome: _Outcome) -> None:
    with session:
        with progress_bar("loading the network", None, options.quiet):
            session.warm_up()
        try:
            name = session.frames.name
            with (
                progress_bar(name, session.frame_count, options.quiet) as advance,
                views.of(session) as show,
                closing(session.results()) as results,
            ):
                for result in results:
                    advance()
                    if not show(result):
                        outcome.is_stopped = True
                        break
        finally:
            _tell(session, options)


def _watch_together(sessions: Sequence[Session], options: argparse.Namespace, views: Views, outcome: _Outcome) -> None:
    """Process several live sources at once, with a line of progress each."""
    from centertrack.app.streams import Streams, share

    shared = share(sessions[0].predictor, len(sessions))
    with ExitStack() as stack:
        for session in sessions:
            stack.enter_context(session)
            session.predictor = shared
        streams = Streams(sessions)
        with progress_bar("loading the network", None, options.quiet):
            streams.warm_up()
        bars, shows = [], []
        with ExitStack() as shown:
            for line, session in enumerate(sessions):
                name = session.frames.name
                bars.append(shown.enter_context(progress_bar(name, session.frame_count, options.quiet, line)))
                shows.append(shown.enter_context(views.of(session)))

            def take(place: int, result: FrameResult) -> None:
                bars[place]()
                if not shows[place](result):
                    outcome.is_stopped = True
                    streams.stop()

            def end(place: int, error: BaseException | None) -> None:
                if error is not None:
                    outcome.fail(sessions[place].frames.name, error)

            try:
                streams.run(take, end)
            finally:
                for session in sessions:
                    _tell(session, options)


def _tell(session: Session, options: argparse.Namespace) -> None:
    """Say what was found and where it is."""
    if session.paths and not options.quiet:
        predictor, start_score = session.predictor, _start_score(session.tracker)
        aside = STANDARD_OUTPUT in map(str, session.paths.values())
        names = predictor.class_names if predictor.finds_several_classes else ()
        say(summary(session.frames.name, session.report, predictor.runtime, start_score, names), aside)
        for remark in session.remarks:
            say(f"  {remark}", aside)
        for kind, path in session.paths.items() if session.is_complete else ():
            if str(path) != STANDARD_OUTPUT:
                say(f"  {kind}: {path}", aside)


def _start_score(tracker: Tracker | None) -> float:
    """Return the score from which a detection may start a track."""
    from centertrack.app.session import thresholds

    if tracker is None:
        return 0.0
    return max((value for name, value in thresholds(tracker.options).items() if name != "min_low_score"), default=0.0)
