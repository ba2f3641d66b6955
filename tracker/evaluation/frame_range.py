"""Which frames of a sequence are evaluated: all, a stretch, or one half by the usual convention."""

from __future__ import annotations

import re

from tracker.errors import InputError
from tracker.io.mot import RowsT
from tracker.wording import counted

_STRETCH = re.compile(r"(\d*):(\d*)")


def parse_frames(frames: str | None, length: int) -> range:
    """Return the chosen frame numbers, from 1, of a sequence.

    Args:
        frames: "A:B" for frames A to B, both included, either may be left out; "half-train" or "half-val" for the
            halves that CenterTrack and ByteTrack train and validate on; None for all.
        length: Of the sequence, in frames.

    Raises:
        InputError: Not one of these, or no frame of the sequence is in it.

    >>> parse_frames("half-val", 600)
    range(302, 601)
    >>> parse_frames("half-train", 600)
    range(1, 302)
    >>> parse_frames("half-val", 3), parse_frames("half-train", 1)
    (range(3, 4), range(1, 2))
    >>> parse_frames("5:", 10)
    range(5, 11)
    """
    if frames is None:
        return range(1, length + 1)
    middle = length // 2 + 1  # the training half holds the 0-based frames 0 .. length // 2
    if frames == "half-train":
        return range(1, min(middle, length) + 1)
    if frames == "half-val":
        if middle >= length:
            raise InputError(f"half-val of a sequence of {counted(length, 'frame')} is empty; it needs 3")
        return range(middle + 1, length + 1)
    stretch = _STRETCH.fullmatch(frames)
    if stretch is None:
        raise InputError(f"expected frames as A:B, half-train or half-val, got {frames}")
    first, last = int(stretch[1] or 1), min(int(stretch[2] or length), length)
    if not 1 <= first <= last:
        raise InputError(f"expected frames between 1 and {length}, the length of the sequence, got {frames}")
    return range(first, last + 1)


def count_from_start(rows: RowsT, frames: range) -> RowsT:
    """Return rows with the frame numbers of the whole sequence, if a tracker counted from the first frame it was given.

    That is so when all its frames lie before the evaluated ones and would fit into them: numbered like the whole
    sequence, such a file would not hold one row to evaluate.
    """
    last = int(rows.frames.max(initial=0))
    if last >= frames.start or last > len(frames):
        return rows
    return rows.shifted(frames.start - 1)
