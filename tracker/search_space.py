"""Which values of a tracker's options are worth trying, as each tracker class declares them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Span:
    """Numbers from `low` to `high`.

    Attributes:
        low: Smallest value.
        high: Largest value.
        is_whole: Whole numbers only.
        is_log: Ratios matter, not differences.
        for_embeddings: Of use only where the tracker compares appearance.
    """

    low: float
    high: float
    is_whole: bool = False
    is_log: bool = False
    for_embeddings: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values.

    Attributes:
        values: All of them.
        for_embeddings: As in `Span`.
    """

    values: tuple[bool | str, ...]
    for_embeddings: bool = False


Searched: TypeAlias = Span | Choice
"""What is tried for one option."""

EITHER = Choice((True, False))
"""An option that is on or off."""
