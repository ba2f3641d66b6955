"""Identities that files write as any text, as whole numbers."""

from __future__ import annotations

from typing import Any

from tracker.io.reading import MAX_WHOLE


class Numbering:
    """Gives every identity of one sequence a whole number of its own.

    Whole numbers from 0 stay as they are, also as text; other text gets numbers far from these.

    >>> ids = Numbering()
    >>> ids.number("0017"), ids.number(3), ids.number("red car") == ids.number("red car")
    (17, 3, True)
    """

    _FIRST = 2**40

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def number(self, identity: Any) -> int:
        """Return the number of an identity."""
        text = str(identity)
        if text.isdecimal() and text.isascii() and len(text) <= 18 and int(text) < min(self._FIRST, MAX_WHOLE):
            return int(text)
        return self._known.setdefault(text, self._FIRST + len(self._known))
