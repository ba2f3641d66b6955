"""The rules of the MOTChallenge format for the rows of one file, whatever is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tracker.arrays import Floats, Integers
from tracker.io.number_table import read_regular
from tracker.io.reading import MAX_FRAMES, MAX_NUMBER, to_float

Kind = Literal["ground truth", "detections", "results"]
_COLUMNS: dict[Kind, tuple[int, ...]] = {"ground truth": (9, 10), "detections": (7, 10), "results": (10,)}
_COMMON_COLUMNS = 6  # frame, id, left, top, width, height
_CLASS = 7  # the eighth column
# What columns 7 and on hold where a file does not say.
_DEFAULTS: dict[Kind, tuple[str, ...]] = {
    "ground truth": ("1", "1", "1", "1"),
    "detections": ("1", "-1", "-1", "-1"),
    "results": ("1", "-1", "-1", "-1"),
}
_CLASSES = tuple(range(1, 14))


@dataclass(frozen=True, slots=True, eq=False)
class LabelRows:
    """A file as it is, broken rows included.

    Attributes:
        content: All lines.
        lines: (N,) line of each row, from 1; blank lines are no rows.
        counts: (N,) its number of columns.
        values: (N, 6 or more) its numbers; NaN where a field is no number or missing.
    """

    content: list[str]
    lines: Integers
    counts: Integers
    values: Floats

    def text(self, row: int) -> str:
        """Return a row as it is written."""
        return self.content[self.lines[row] - 1].strip()


def parse_rows(content: list[str]) -> LabelRows:
    """Read lines into rows, fast where they are regular; nothing is an error."""
    values = read_regular("\n".join([*content, ""]).encode()) if content else None
    if values is not None and values.shape[1] >= _COMMON_COLUMNS:
        return LabelRows(content, np.arange(1, len(values) + 1), np.full(len(values), values.shape[1]), values)
    rows = [(line, _split(text)) for line, text in enumerate(content, start=1) if text.strip()]
    counts = np.array([len(fields) for _, fields in rows], np.int64)
    values = np.full((len(rows), max([_COMMON_COLUMNS, *counts.tolist()])), np.nan)
    for row, (_, fields) in enumerate(rows):
        values[row, : len(fields)] = [_to_number(field) for field in fields]
    return LabelRows(content, np.array([line for line, _ in rows], np.int64), counts, values)


def _split(text: str) -> list[str]:
    return [field.strip() for field in text.split(",")] if "," in text else text.split()


def _to_number(field: str) -> float:
    try:
        return to_float(field)
    except ValueError:
        return float("nan")


@dataclass(frozen=True, slots=True)
class FormatRules:
    """What must hold for the rows of one file.

    Attributes:
        kind: What the file holds.
        columns: How many it must have.
        length: Frames of the sequence; None if unknown.
        has_one_class: Whether results may only be of class 1, as MOTChallenge's benchmarks have it.
    """

    kind: Kind
    columns: int
    length: int | None
    has_one_class: bool = True

    @classmethod
    def for_rows(cls, rows: LabelRows, kind: Kind, length: int | None, has_one_class: bool = True) -> FormatRules:
        """Return the rules for a file: of the possible numbers of columns it has to keep to its first."""
        columns = next((count for count in rows.counts.tolist() if count in _COLUMNS[kind]), _COLUMNS[kind][0])
        return cls(kind, columns, length, has_one_class)

    def check(self, rows: LabelRows) -> list[tuple[int, str]]:
        """List row and problem of every violation, by row."""
        problems = [*self._column_problems(rows), *self._value_problems(rows), *self._repeated_ids(rows)]
        return sorted(problems, key=lambda problem: problem[0])

    def fix(self, rows: LabelRows) -> list[str]:
        """Return the lines of a cleaned file."""
        kept = np.flatnonzero(rows.counts >= _COMMON_COLUMNS).tolist()
        add = [self._counts_from_zero(rows, column) for column in (0, 1)]
        fixed = parse_rows([self._fix_row(rows.text(row), rows.values[row], add) for row in kept])
        broken = {row for row, _ in self.check(fixed)}
        return [line for row, line in enumerate(fixed.content) if row not in broken]

    def _column_problems(self, rows: LabelRows) -> Iterator[tuple[int, str]]:
        for row in np.flatnonzero(rows.counts != self.columns).tolist():
            yield row, f"expected {self.columns} columns in {self.kind}, got {rows.counts[row]}"
        is_field = np.arange(rows.values.shape[1]) < rows.counts[:, None]
        wrong = is_field & ~np.isfinite(rows.values)
        for row in np.flatnonzero(wrong.any(axis=1)).tolist():
            columns = np.flatnonzero(wrong[row]) + 1
            yield row, f"expected a finite number in column {', '.join(map(str, columns))}"

    def _value_problems(self, rows: LabelRows) -> Iterator[tuple[int, str]]:
        frame, identity, _, _, width, height = rows.values[:, :_COMMON_COLUMNS].T
        last = MAX_FRAMES if self.length is None else self.length
        far = (np.abs(rows.values[:, 2:_COMMON_COLUMNS]) > MAX_NUMBER).any(axis=1)
        is_whole = frame == np.floor(frame)
        checks = [
            (np.isfinite(frame) & ~is_whole, "the frame is no whole number"),
            (
                is_whole & ((frame < 1) | (frame > last)),
                f"frame out of range, expected 1 to {last}",
            ),
            (far, f"expected numbers of the box from {-MAX_NUMBER:.0f} to {MAX_NUMBER:.0f}"),
            ((width <= 0) | (height <= 0), "the box has no size"),
        ]
        if self.kind != "detections":
            positive = (identity >= 1) & (identity == np.floor(identity))
            checks.append((np.isfinite(identity) & ~positive, "expected a positive whole number as id"))
        if rows.values.shape[1] > _CLASS and self.kind == "results":
            numbers = rows.values[:, _CLASS]
            allowed = np.isin(numbers, (-1, 1)) | (rows.counts <= _CLASS)
            if not self.has_one_class:
                allowed |= (numbers >= 1) & (numbers == np.floor(numbers))
            expected = "class 1 or -1" if self.has_one_class else "a class from 1, or -1,"
            checks.append((~allowed, f"expected {expected} in column 8 of a result"))
        if rows.values.shape[1] > _CLASS and self.kind == "ground truth" and self.columns == 9:
            allowed = np.isin(rows.values[:, _CLASS], _CLASSES) | (rows.counts <= _CLASS)
            checks.append((~allowed, "expected a class from 1 to 13 in column 8"))
        for is_wrong, problem in checks:
            yield from ((row, problem) for row in np.flatnonzero(is_wrong).tolist())

    def _repeated_ids(self, rows: LabelRows) -> Iterator[tuple[int, str]]:
        if self.kind == "detections":
            return
        usable = np.flatnonzero(np.isfinite(rows.values[:, :2]).all(axis=1))
        keys = rows.values[usable, :2]
        order = np.lexsort((usable, keys[:, 1], keys[:, 0]))
        is_first = np.ones(len(order), bool)
        is_first[1:] = (keys[order][1:] != keys[order][:-1]).any(axis=1)
        first = order[np.maximum.accumulate(np.where(is_first, np.arange(len(order)), 0))]
        for row, original in zip(usable[order][~is_first].tolist(), usable[first][~is_first].tolist(), strict=True):
            frame, identity = rows.values[row, :2]
            line = rows.lines[original]
            yield row, f"id {identity:.12g} occurs twice in frame {frame:.12g} (first in line {line})"

    def _counts_from_zero(self, rows: LabelRows, column: int) -> bool:
        numbers = rows.values[np.isfinite(rows.values[:, column]), column]
        if len(numbers) == 0 or numbers.min() != 0 or (column == 1 and self.kind == "detections"):
            return False
        return column != 0 or self.length is None or bool(numbers.max() < self.length)

    def _fix_row(self, text: str, values: Floats, add: list[bool]) -> str:
        """Fill up or cut the columns, and add one to frame and id where asked."""
        fields = _split(text)
        for column, counts_from_zero in enumerate(add):
            if counts_from_zero:
                fields[column] = f"{values[column] + 1:.12g}"
        missing = _DEFAULTS[self.kind][len(fields) - _COMMON_COLUMNS :]
        return ",".join([*fields, *missing][: self.columns])
