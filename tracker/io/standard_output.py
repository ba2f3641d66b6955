"""MOTChallenge rows on standard output, as they come: for pipes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.io.mot import MotRowText, warn_of_left_out


class StandardOutputTracks:
    """Writes the rows of each frame to standard output at once, as `MotWriter` writes them to a file.

    Args:
        has_classes: As in `MotWriter`.

    Attributes:
        labels: Id -> label of everybody who was written.
        temporary: None; nothing is left to complete.
    """

    temporary: Path | None = None

    def __init__(self, has_classes: bool = False) -> None:
        self._rows = MotRowText(has_classes)
        self.labels = self._rows.labels

    def write(self, frame_number: int, tracks: Tracks, time: float | None = None) -> None:
        """Write the rows of one frame; the arguments are those of `MotWriter.write`.

        Raises:
            InputError: Nobody reads any more.
        """
        del time
        try:
            sys.stdout.write(self._rows.text(frame_number, tracks))
            sys.stdout.flush()
        except (OSError, ValueError) as error:
            sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115  open until the process ends
            raise InputError(f"nobody reads standard output any more, frame {frame_number} was the last") from error

    def close(self) -> None:
        """Say how many boxes without a size are left out."""
        warn_of_left_out(Path("standard output"), self._rows.left_out)

    def abandon(self) -> None:
        """Do nothing: what was written is out."""
