"""What every output of finished frames has in common.

A sink completes its file when its block ends; when the block raises, it keeps what there is beside an earlier file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from typing_extensions import override

from centertrack.app.pipeline import FrameResult
from tracker.arrays import Image
from tracker.io.atomic import OutputFile


class FileSink(ABC):
    """Takes finished frames in order and keeps them in a file."""

    @abstractmethod
    def write(self, result: FrameResult) -> None:
        """Take one frame."""

    @abstractmethod
    def close(self) -> None:
        """Complete the file and give it its name."""

    @abstractmethod
    def abandon(self) -> None:
        """Keep what there is beside an earlier file."""

    @property
    def unfinished(self) -> Path | None:
        """Where what there is lies until `close` or `abandon`."""
        return None

    @property
    def labels(self) -> Mapping[int, int] | None:
        """Id -> label of everybody who was written; None where no tracks are written."""
        return None

    def draw_over(self, image: Image) -> None:  # noqa: B027  most have nothing to show
        """Draw what it knows, besides boxes, into an image (H, W, 3) uint8 RGB of the last frame."""

    @property
    def remarks(self) -> list[str]:
        """What there is to tell once it is closed, a line each."""
        return []

    def __enter__(self) -> FileSink:
        """Return the sink."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the sink, or abandon its file when the block has raised."""
        if kind is None:
            self.close()
        else:
            self.abandon()


class NoFileSink(FileSink):
    """A sink that has nothing to complete: it keeps no file, or each of its files is complete at once."""

    @override
    def close(self) -> None:
        pass

    @override
    def abandon(self) -> None:
        pass


class WriterSink(FileSink):
    """A sink around a writer.

    Args:
        writer: Of its file.
    """

    def __init__(self, writer: OutputFile) -> None:
        self._output = writer

    @override
    def close(self) -> None:
        self._output.close()

    @override
    def abandon(self) -> None:
        self._output.abandon()

    @property
    @override
    def unfinished(self) -> Path | None:
        return self._output.temporary
