"""What an evaluation does not score, counted by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from tracker.arrays import Integers

FLAGGED = "with flag 0"
NOT_LABELLED = "in frames that were not labelled"
OTHER_FRAMES = "in frames that do not count"
ON_DISTRACTORS = "on distractors"
IN_REGIONS = "in regions to ignore"
TOO_SMALL = "unmatched and too low"
NO_CLASS = "without a class"
_CLASS = "of class "


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Labels and results of the evaluated frames, and how many of them are not scored.

    Attributes:
        label_count: Ground-truth boxes, those left out included.
        result_count: Tracker boxes, those left out included.
        labels: Reason -> ground-truth boxes left out.
        results: Reason -> tracker boxes left out.
    """

    label_count: int = 0
    result_count: int = 0
    labels: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)

    @classmethod
    def total(cls, parts: Iterable[LeftOut]) -> LeftOut:
        """Add up."""
        total = cls()
        label_count = result_count = 0
        for part in parts:
            label_count, result_count = label_count + part.label_count, result_count + part.result_count
            total.labels.update(part.labels)
            total.results.update(part.results)
        return cls(label_count, result_count, total.labels, total.results)

    def lines(self) -> list[str]:
        """Return a line for labels and one for results, where any are left out.

        >>> LeftOut(5, 9, Counter({"of class 2": 3, "of class 7": 1})).lines()
        ['not scored: 4 of 5 labels (3 of class 2, 1 of class 7)']
        """
        sides = (("labels", self.label_count, self.labels), ("results", self.result_count, self.results))
        return [
            f"not scored: {sum(reasons.values()):,} of {count:,} {side} ({_listed(reasons)})"
            for side, count, reasons in sides
            if sum(reasons.values())
        ]

    def hint(self) -> str:
        """Return which option scores the labels that are left out."""
        classes = sorted(
            {reason.removeprefix(_CLASS) for reason in self.labels if reason.startswith(_CLASS)},
            key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name),
        )
        ways = []
        if classes:
            ways.append(f"--classes {','.join(classes)} scores these classes, --benchmark none all as one")
        if self.labels[FLAGGED]:
            ways.append("--flagged scores labels with flag 0 (column 7), which says that they are not to be scored")
        if self.labels[OTHER_FRAMES]:
            ways.append("--labelled-frames all scores every frame")
        return "; ".join(ways)

    def to_dict(self) -> dict[str, object]:
        """Return everything, ready for JSON."""
        return {
            "labels": self.label_count,
            "results": self.result_count,
            "labels_left_out": dict(self.labels),
            "results_left_out": dict(self.results),
        }


def count_classes(numbers: Integers, names: Iterable[tuple[int, str]] = ()) -> Counter[str]:
    """Return the reason "of class X" of each number in `numbers` (N,), with how often it is there; -1 is no class."""
    known = dict(names)
    found, counts = np.unique(numbers, return_counts=True)
    return Counter(
        {
            NO_CLASS if number == -1 else f"{_CLASS}{known.get(number, number)}": count
            for number, count in zip(found.tolist(), counts.tolist(), strict=True)
        }
    )


def count_if(reason: str, number: int) -> Counter[str]:
    """Return the reason with its count, nothing for a count of 0."""
    return Counter({reason: number} if number else {})


def _listed(reasons: Counter[str]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in reasons.most_common())
