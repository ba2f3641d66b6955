"""Events as CSV, row by row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path

from typing_extensions import override

from tracker.counting.events import Event
from tracker.io.atomic import OutputFile, cannot_write
from tracker.io.names import ODD_NAMES

COLUMNS = ("time", "frame", "id", "class", "what", "name", "direction", "probability", "x", "y", "certain_frame")


class EventWriter(OutputFile):
    """Writes events as they become certain, a row each under a header.

    Seconds have three decimals, pixels and probabilities two and four. The file takes its name when it is complete; see
    `OutputFile`.

    Args:
        path: Of the CSV file.
        class_name: Names a label.

    Raises:
        InputError: The file cannot be written.
    """

    def __init__(self, path: str | Path, class_name: Callable[[int], str]) -> None:
        super().__init__(path)
        self._class_name = class_name
        self._file = self.temporary.open("w", encoding="utf-8", errors=ODD_NAMES, newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")
        self._write([COLUMNS])

    def write(self, events: Iterable[Event]) -> None:
        """Append events."""
        rows = [
            (
                f"{event.time:.3f}",
                event.frame,
                event.identity,
                self._class_name(event.label),
                event.what,
                event.name,
                event.direction,
                f"{event.probability:.4f}",
                f"{event.point[0]:.2f}",
                f"{event.point[1]:.2f}",
                event.certain_frame,
            )
            for event in events
        ]
        if rows:
            self._write(rows)

    def _write(self, rows: Iterable[Iterable[object]]) -> None:
        try:
            self._rows.writerows(rows)
            self._file.flush()  # events are few, and whoever watches the file wants them now
        except OSError as error:
            self.abandon()
            raise cannot_write(self.path, error, self.partial) from error

    @override
    def _finish(self) -> None:
        self._file.close()
