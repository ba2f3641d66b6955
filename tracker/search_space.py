"""Which values of a tracker's options are worth trying, as each tracker class declares them."""

from __future__ import annotations

from collections.abc import Mapping
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

TWO_STAGES: Mapping[str, Searched] = {
    "max_lost_seconds": Span(0.5, 4.0, is_log=True),
    "min_score": Span(0.3, 0.8),
    "min_low_score": Span(0.05, 0.3),
    "min_new_score": Span(0.3, 0.9),
    "min_hits": Span(1, 4, is_whole=True),
    "first_limit": Span(0.6, 0.98),
    "low_limit": Span(0.3, 0.8),
    "tentative_limit": Span(0.4, 0.9),
    "fuse_scores": EITHER,
}
"""Of trackers that match high scores first and low ones afterwards."""
