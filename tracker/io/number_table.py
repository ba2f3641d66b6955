"""A text file of numbers, one row a line: read fast when it is regular, and with the exact line when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError
from tracker.io.reading import read_bytes, split_lines, to_float
from tracker.wording import counted

_COMMA, _NEWLINE, _MINUS, _DOT, _ZERO = b",\n-.0"
_EXACT_DIGITS = 15  # every integer of 15 digits is a float64 of its own, so mantissa / power of ten rounds only once


@dataclass(frozen=True, slots=True, eq=False)
class NumberTable:
    """The rows of one file.

    Attributes:
        path: Where they came from.
        values: (N, C) float64, rows in file order; (0, 0) for an empty file.
        lines: (N,) int64, the line of each row, from 1.
    """

    path: Path
    values: NDArray[np.float64]
    lines: NDArray[np.int64]

    def row_error(self, row: int, problem: str) -> InputError:
        """Return the error that names file, line and content of one row."""
        content = ",".join(f"{value:.12g}" for value in self.values[row])
        return InputError(f"{self.path}:{self.lines[row]}: {problem}: {content}")


def read_number_table(path: str | Path) -> NumberTable:
    """Read numbers separated by commas (or blanks), the same count on every line; blank lines are skipped.

    Raises:
        InputError: The file cannot be read, a line has another number of columns than the first, or a field is not a
            number; with file, line and row.
    """
    path = Path(path)
    raw = read_bytes(path).removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    if not raw.endswith(b"\n"):
        raw += b"\n"
    values = read_regular(raw)
    if values is not None:
        return NumberTable(path, values, np.arange(1, len(values) + 1))
    return _read_by_line(path, raw)


def read_regular(raw: bytes) -> NDArray[np.float64] | None:
    """Return the values (N, C) of a file of plain decimals and commas, or None if anything is unusual."""
    text = np.frombuffer(raw, np.uint8)
    field_ends = np.flatnonzero((text == _COMMA) | (text == _NEWLINE))
    is_last = text[field_ends] == _NEWLINE
    columns = int(is_last.argmax()) + 1
    if (
        len(field_ends) % columns
        or is_last.sum() * columns != len(field_ends)
        or not is_last[columns - 1 :: columns].all()
    ):
        return None
    starts = np.concatenate([[0], field_ends[:-1] + 1]).reshape(-1, columns)
    ends = field_ends.reshape(-1, columns)
    values = np.empty(ends.shape)
    for column in range(columns):
        decimals = _read_decimals(text, starts[:, column], ends[:, column])
        if decimals is None:
            decimals = _read_floats(raw, starts[:, column].tolist(), ends[:, column].tolist())
        if decimals is None:
            return None
        values[:, column] = decimals
    return values


def _read_decimals(
    text: NDArray[np.uint8], starts: NDArray[np.int64], ends: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """Read the fields text[start:end] as decimals, exactly as `float` does; None if one is no short plain decimal."""
    negative = text[starts] == _MINUS
    starts = starts + negative
    lengths = ends - starts
    longest = int(lengths.max())
    if lengths.min() < 1 or longest > _EXACT_DIGITS:
        return None
    mantissa, unit = np.zeros(len(ends)), np.ones(len(ends))
    dots = np.zeros(len(ends), np.int64)
    for place in range(longest):  # of a digit, counted from the right
        characters = text.take(ends - 1 - place, mode="clip")
        is_inside = lengths > place
        digits = characters - np.uint8(_ZERO)  # everything but a digit wraps round to more than 9
        is_dot = (characters == _DOT) & is_inside
        if is_dot.any():
            dots += is_dot
            unit[is_dot] = 10.0**place
            digits[is_dot] = 0
        if (digits[is_inside] > 9).any():
            return None
        mantissa += 10.0**place * (digits * is_inside)
    if dots.any():
        if (dots > 1).any() or (dots == lengths).any():
            return None
        whole = np.where(dots == 1, np.floor(mantissa / (10 * unit)), 0)
        mantissa = (whole * unit + (mantissa - whole * 10 * unit)) / unit
    return np.where(negative, -mantissa, mantissa)


def _read_floats(raw: bytes, starts: list[int], ends: list[int]) -> NDArray[np.float64] | None:
    """Read the fields raw[start:end] in any notation of Python; None if one is not a number."""
    try:
        return np.array([to_float(raw[start:end].decode()) for start, end in zip(starts, ends, strict=True)])
    except ValueError:
        return None


def _read_by_line(path: Path, raw: bytes) -> NumberTable:
    rows: list[list[float]] = []
    lines: list[int] = []
    for line, content in enumerate(split_lines(raw.decode("utf-8", "replace")), start=1):
        if not content.strip():
            continue
        fields = content.split(",") if "," in content else content.split()
        try:
            row = [to_float(field) for field in fields]
        except ValueError as error:
            raise InputError(f"{path}:{line}: expected numbers separated by commas, got: {content[:120]}") from error
        if rows and len(row) != len(rows[0]):
            raise InputError(
                f"{path}:{line}: expected {counted(len(rows[0]), 'column')} as in line {lines[0]}, "
                f"got {len(row)}: {content[:120]}"
            )
        rows.append(row)
        lines.append(line)
    values = np.array(rows, np.float64) if rows else np.empty((0, 0))
    return NumberTable(path, values, np.array(lines, np.int64))
