"""A part of a source as a source of its own."""

from __future__ import annotations

from collections.abc import Iterator

from typing_extensions import override

from tracker.errors import InputError
from tracker.io.frame import Frame, FrameSource
from tracker.io.image_files import ImageFiles
from tracker.io.part import Part
from tracker.wording import counted


class Excerpt(FrameSource):
    """The frames of a part, with the numbers and times that they have in the whole.

    Args:
        source: The whole; closed with this one.
        part: Of it.

    Raises:
        InputError: A live source is to start later; while iterating: there is no frame in this part.
    """

    def __init__(self, source: FrameSource, part: Part) -> None:
        if source.is_live and part.start is not None:
            raise InputError(f"{source.name}: a live source starts when it is opened; leave out the start {part.start}")
        self._source, self._part = source, part
        self.name, self.size, self.frame_rate = source.name, source.size, source.frame_rate
        self.is_live, self.is_rate_guessed = source.is_live, source.is_rate_guessed
        self.frame_count = part.count(source.frame_count, source.frame_rate) if source.frame_count else None

    def __iter__(self) -> Iterator[Frame]:
        is_empty = True
        for frame in self._source.frames_of(self._part):
            is_empty = False
            yield frame
        if is_empty and not self.is_live:
            raise _nothing_in(self._source, self._part)

    @override
    def stop(self) -> None:
        self._source.stop()

    @override
    def close(self) -> None:
        self._source.close()


def take_part(source: FrameSource, part: Part) -> FrameSource:
    """Return a part of a source as a source; all of it as it is.

    Raises:
        InputError: A live source is to start later, or no image lies in this part.
    """
    if part.is_all:
        return source
    if not isinstance(source, ImageFiles):
        try:
            return Excerpt(source, part)
        except InputError:
            source.close()
            raise
    chosen = source.choose(part)
    if chosen is None:
        raise _nothing_in(source, part)
    return chosen


def _nothing_in(source: FrameSource, part: Part) -> InputError:
    ends = [f"{name} {place}" for name, place in (("start", part.start), ("end", part.end)) if place is not None]
    count, rate = source.frame_count, source.frame_rate
    length = f"; it has about {counted(count, 'frame')}, {count / rate:.1f} s" if count else ""
    return InputError(f"{source.name}: there is no frame with {' and '.join(ends)}{length}")
