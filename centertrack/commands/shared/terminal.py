"""What a command tells the person in front of it: results on standard output, progress on standard error."""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import override

from tracker.errors import InputError
from tracker.io.class_names import label_name
from tracker.wording import counted

if TYPE_CHECKING:
    from centertrack.app.pipeline import Report
    from centertrack.runtime.contract import Runtime


_lost: list[str] = []
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Write out what a terminal would obey rather than show, as names of files and classes may hold.

    >>> printable("a\x1b[31mb\n")
    'a\\x1b[31mb\n'
    """
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class PrintableFormatter(logging.Formatter):
    """Formats log records without what a terminal would obey."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        return printable(super().format(record))


def say(text: str, aside: bool = False) -> None:
    """Write a line to standard output; where that is closed, say so once and go on without it.

    Args:
        text: The line.
        aside: Write it to standard error, since standard output has results.
    """
    if aside:
        sys.stderr.write(printable(text) + "\n")
        return
    try:
        sys.stdout.write(printable(text) + "\n")
        sys.stdout.flush()
    except (OSError, ValueError):  # a pipe that nobody reads any more, or a closed file
        sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  open until the process ends
        _lost.append(text)
        complain("standard output is closed; the rest is not shown, files are written all the same")


def lost_output() -> bool:
    """Tell once whether something could not be shown."""
    lost = bool(_lost)
    _lost.clear()
    return lost


def complain(message: str) -> None:
    """Write what is wrong to standard error, as one line."""
    sys.stderr.write(f"error: {printable(' '.join(message.split()))}\n")


def sentence(error: InputError | OSError) -> str:
    """Say what is wrong; what the operating system found as well, with the file.

    >>> sentence(OSError(28, "No space left on device", "rows.txt"))
    'No space left on device: rows.txt'
    """
    if isinstance(error, InputError):
        return str(error)
    return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")


@contextmanager
def progress_bar(
    title: str, total: int | None, quiet: bool = False, line: int | None = None
) -> Iterator[Callable[[], None]]:
    """Show a bar while a block runs, if there is a terminal to show it on.

    Args:
        title: What is being done.
        total: Steps to expect, None where unknown.
        quiet: Show nothing.
        line: On which it stands, from 0, where there are several bars.

    Yields:
        A function to call after each step.
    """
    if quiet or not sys.stderr.isatty():
        yield lambda: None
        return
    from tqdm import tqdm

    with tqdm(
        desc=printable(title),
        total=total,
        unit="",
        leave=False,
        dynamic_ncols=True,
        file=sys.stderr,
        position=line,
    ) as bar:

        def advance() -> None:
            bar.update()

        yield advance


def summary(
    name: str, report: Report, runtime: Runtime, start_score: float = 0.0, class_names: Sequence[str] = ()
) -> str:
    """Say in one line what a run did and how fast each stage was.

    The rate of a stage is what it could do if it waited for no other; the end-to-end rate is lower, since the stages
    share the processor.

    Args:
        name: Of the source.
        report: What was done.
        runtime: What executed the network, and in which precision.
        start_score: Detections from here on may start a track; the line tells if there is no id because none did.
        class_names: Name of each label, where there may be several: how many are of each is told.
    """
    seen = counted(report.detections, "detection")
    found = counted(len(report.ids), "id") if report.ids is not None else seen
    by_label = report.by_label() if class_names else {}
    if by_label:
        counts = sorted(by_label.items(), key=lambda one: (-one[1], one[0]))
        found += f" ({', '.join(f'{count} {label_name(class_names, label)}' for label, count in counts)})"
    if report.ids is not None and not report.ids and report.detections:
        found += f" from {seen}, the best of which scores {report.best_score:.3g}"
        if report.best_score < start_score:
            found += f" while tracks start from {start_score:g}: lower --min-score"
    stages = ", ".join(f"{stage} {_rate(rate)}" for stage, rate in report.stage_rates().items())
    rates = f", {_rate(report.frame_rate)} frames/s ({stages})" if report.frames else ""
    return f"{name}: {counted(report.frames, 'frame')}, {found}{rates} with {runtime.name} in {runtime.precision}"


def _rate(value: float) -> str:
    """Three digits that count, and none less before the point: also a slow network has a rate.

    >>> [_rate(value) for value in (0.0312, 4.0, 25.04, 1234.5)]
    ['0.0312', '4', '25', '1234']
    """
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"
