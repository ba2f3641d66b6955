"""Which frames of a sequence were labelled: only these can be scored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tracker.arrays import Integers
from tracker.errors import InputError
from tracker.io.reading import MAX_FRAMES, read_lines, read_whole

ALL_OPTION = "--labelled-frames all counts every frame"
_EVERY = re.compile(r"every[ :]?(\d+)")
_MIN_REGULAR = 3  # labelled frames; two are always at a regular distance
_MANY = 0.5  # share of the frames between the first and the last labels


class LabelledFrames:
    """The user's choice of the frames that count.

    Args:
        choice: `auto`: those that the format says were labelled; where it does not say, every N-th frame if all labels
            lie N frames or multiples apart (three labelled frames at least), otherwise all. `all`. `every N`: from the
            first frame with labels on, and before it. Or a file with a line `FRAME`, or `SEQUENCE FRAME`, each.

    Raises:
        InputError: The choice is none of these, or the file cannot be read.
    """

    def __init__(self, choice: str = "auto") -> None:
        self._step = 0
        self._named: Mapping[str, list[int]] | None = None
        self.choice = choice
        every = _EVERY.fullmatch(choice)
        if every:
            self._step = read_whole(every[1], "--labelled-frames", "N of every N", 1, MAX_FRAMES)
        elif choice not in ("auto", "all"):
            if not Path(choice).is_file():
                raise InputError(
                    f"expected labelled frames as auto, all, 'every N' or a file of frame numbers, got {choice}"
                )
            self._named = _read_file(Path(choice))

    def choose(
        self, name: str, with_labels: Integers, said: Integers | None, part: range
    ) -> tuple[Integers | None, str | None]:
        """Return the frames of one sequence that count.

        Args:
            name: Of the sequence.
            with_labels: (F,) ascending, the frames that have any label.
            said: (F,) ascending, the frames that the format says were labelled; None if it does not say.
            part: The frames that are evaluated at all.

        Returns:
            The frames that count, ascending, None for all of `part`; and a sentence about them, if anything but all.

        Raises:
            InputError: None of `part` counts.
        """
        chosen, sentence = self._choose(name, with_labels, said, part)
        if chosen is None:
            return None, sentence
        chosen = chosen[(chosen >= part.start) & (chosen < part.stop)]
        if not len(chosen):
            raise InputError(f"{name}: none of the frames {part.start} to {part.stop - 1} was labelled; {ALL_OPTION}")
        if len(chosen) == len(part):
            return None, None
        count = f"only {len(chosen):,} of {len(part):,} frames count"
        return chosen, f"{count}: {sentence}" if sentence else count

    def _choose(
        self, name: str, with_labels: Integers, said: Integers | None, part: range
    ) -> tuple[Integers | None, str | None]:
        if self.choice == "all":
            return None, None
        if self._named is not None:
            frames = self._named.get(name, self._named.get(""))
            if frames is None:
                raise InputError(f"{self.choice} names no frame of {name}")
            return np.unique(np.array(frames, np.int64)), f"those that {self.choice} names"
        if self._step:
            return every_nth(with_labels, self._step, part), f"every {_ordinal(self._step)}"
        if said is not None:
            return said, f"those that the labels list ({ALL_OPTION})"
        step = regular_step(with_labels)
        if step > 1:
            return every_nth(with_labels, step, part), f"labels are on every {_ordinal(step)} ({ALL_OPTION})"
        return None, _warning(with_labels, part)


def regular_step(frames: Integers) -> int:
    """Return the largest N such that all frames (F,) lie N or a multiple of it apart; 1 for fewer than three frames.

    >>> regular_step(np.array([3, 8, 13, 23])), regular_step(np.array([1, 2, 6, 11]))
    (5, 1)
    """
    return int(np.gcd.reduce(np.diff(frames))) if len(frames) >= _MIN_REGULAR else 1


def every_nth(with_labels: Integers, step: int, part: range) -> Integers:
    """Return every step-th frame up to the end of `part`, so that the first one with labels is among them."""
    first = int(with_labels[0]) if len(with_labels) else part.start
    return np.arange((first - 1) % step + 1, part.stop, step)


def _warning(with_labels: Integers, part: range) -> str | None:
    if not len(with_labels):
        return None
    span = int(with_labels[-1] - with_labels[0]) + 1 if len(with_labels) > 1 else len(part)
    if len(with_labels) >= _MANY * span:
        return None
    return (
        f"labels are on {len(with_labels):,} of {span:,} frames, at no regular distance; all frames count, and results "
        "in the others are false positives (--labelled-frames FILE names the labelled ones)"
    )


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
    return f"{number}{ending} frame"


def _read_file(path: Path) -> dict[str, list[int]]:
    frames: dict[str, list[int]] = {}
    for line, text in enumerate(read_lines(path), start=1):
        fields = text.replace(",", " ").split()
        if not fields:
            continue
        if len(fields) > 2:
            raise InputError(f"{path}:{line}: expected FRAME or SEQUENCE FRAME, got: {text[:120]}")
        frame = read_whole(fields[-1], f"{path}:{line}", "a frame", 1, MAX_FRAMES)
        frames.setdefault(fields[0] if len(fields) == 2 else "", []).append(frame)
    return frames
