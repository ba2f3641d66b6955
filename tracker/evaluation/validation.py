"""Every violation of the MOTChallenge format in a file or folder, and a cleaned copy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from tracker.errors import InputError
from tracker.evaluation.benchmarks import known_length
from tracker.io.atomic import atomic_path
from tracker.io.mot import read_sequence_info

Kind = Literal["ground truth", "detections", "results"]
_COLUMNS: dict[Kind, tuple[int, ...]] = {"ground truth": (9, 10), "detections": (7, 10), "results": (10,)}
_COMMON_COLUMNS = 6  # frame, id, left, top, width, height
_CLASSES = range(1, 14)
_DEPTH = 4  # folders to look into, below the one given
_NO_LABELS = ("img1", "seqmaps")


class Violation(NamedTuple):
    """One broken rule.

    Attributes:
        path: The file.
        line: From 1.
        problem: What is wrong, in words.
        row: The line itself.
    """

    path: Path
    line: int
    problem: str
    row: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}: {self.row}"


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """What was read and what is wrong with it.

    Attributes:
        files: Number of files read.
        rows: Number of rows in them.
        violations: By file and line.
        fixed: The cleaned copy, if one was asked for.
    """

    files: int
    rows: int
    violations: list[Violation]
    fixed: Path | None = None

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations

    def summary(self) -> str:
        """Return one line."""
        files = f"{self.rows} rows in {self.files} file{'s' if self.files > 1 else ''}"
        if self.is_valid:
            return f"{files}: no violation"
        broken = len({violation.path for violation in self.violations})
        copy = f"; cleaned copy: {self.fixed}" if self.fixed else ""
        return f"{files}: {len(self.violations)} violations in {broken} of the files{copy}"


def validate(
    path: str | Path, kind: Kind | None = None, length: int | None = None, fix: bool = False
) -> ValidationReport:
    """Read ground truth, detections or results and list everything that breaks the format.

    Args:
        path: A txt file, or a folder: sequence folders (gt/*.txt, det/*.txt) and SEQUENCE.txt, at some depth.
        kind: What the files hold; by default told from their folder, name and columns.
        length: Frames of the sequence; by default from seqinfo.ini or, for a benchmark's sequence, its name.
        fix: Also write a copy beside it, named NAME_fixed: columns are filled up or cut, frames or ids that count from
            0 count from 1, rows that break a rule even so are left out (of an id twice in a frame the second).

    Raises:
        InputError: There is no such file, or no txt file in the folder.
    """
    path = Path(path)
    files = _find_files(path)
    target = (
        path.with_name(f"{path.stem}_fixed{path.suffix}") if path.is_file() else path.with_name(f"{path.name}_fixed")
    )
    violations: list[Violation] = []
    row_count = 0
    for file in files:
        rows = _read_rows(file)
        row_count += len(rows)
        file_length = _find_length(file) if length is None else length
        checker = _FileChecker(file, kind or _guess_kind(file, rows), file_length, rows)
        violations += checker.check(rows)
        if fix:
            _write_fixed(checker.fix(rows), target if path.is_file() else target / file.relative_to(path))
    return ValidationReport(len(files), row_count, violations, target if fix else None)


class _Row(NamedTuple):
    line: int
    fields: list[str]
    values: list[float]  # NaN where a field is no number

    @property
    def text(self) -> str:
        return ",".join(self.fields)


def _find_files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"{path} does not exist")
    files = sorted(_text_files(path, _DEPTH))
    if not files:
        raise InputError(f"expected MOTChallenge txt files in {path} or below, found none")
    return files


def _text_files(folder: Path, depth: int) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and depth and path.name not in _NO_LABELS:
            yield from _text_files(path, depth - 1)
        elif path.suffix == ".txt" and path.is_file():
            yield path


def _read_rows(path: Path) -> list[_Row]:
    try:
        content = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    rows = []
    for line, text in enumerate(content.splitlines(), start=1):
        if text.strip():
            fields = [field.strip() for field in (text.split(",") if "," in text else text.split())]
            rows.append(_Row(line, fields, [_to_number(field) for field in fields]))
    return rows


def _to_number(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return math.nan


def _guess_kind(path: Path, rows: list[_Row]) -> Kind:
    for name in (path.parent.name, path.stem):
        if name == "gt" or name.startswith("gt_"):
            return "ground truth"
        if name == "det" or name.startswith("det_"):
            return "detections"
    columns = len(rows[0].fields) if rows else 0
    if columns == 9:
        return "ground truth"
    return "detections" if rows and all(row.values[1:2] == [-1] for row in rows) else "results"


def _find_length(path: Path) -> int | None:
    folder = path.parent.parent
    if path.parent.name in ("gt", "det") and (folder / "seqinfo.ini").is_file():
        return read_sequence_info(folder).length
    return known_length(path.stem)


class _FileChecker:
    """Knows the rules for the rows of one file."""

    def __init__(self, path: Path, kind: Kind, length: int | None, rows: list[_Row]) -> None:
        self._path = path
        self._kind: Kind = kind
        self._length = length
        allowed = _COLUMNS[kind]
        self._columns = next((len(row.fields) for row in rows if len(row.fields) in allowed), allowed[0])

    def check(self, rows: list[_Row]) -> list[Violation]:
        """List all violations, by line."""
        first_lines: dict[tuple[float, float], int] = {}
        found = []
        for row in rows:
            problems = [*self._column_problems(row), *self._value_problems(row)]
            if self._kind != "detections" and len(row.values) > 1:
                first = first_lines.setdefault((row.values[0], row.values[1]), row.line)
                if first != row.line:
                    problems.append(f"id {row.fields[1]} occurs twice in frame {row.fields[0]} (first in line {first})")
            found += [Violation(self._path, row.line, problem, row.text) for problem in problems]
        return found

    def fix(self, rows: list[_Row]) -> list[str]:
        """Return the lines of a cleaned file."""
        rows = [self._with_columns(row) for row in rows if len(row.fields) >= _COMMON_COLUMNS]
        if self._counts_from_zero(rows, column=0):
            rows = [_add_one(row, column=0) for row in rows]
        if self._kind != "detections" and self._counts_from_zero(rows, column=1):
            rows = [_add_one(row, column=1) for row in rows]
        broken = {violation.line for violation in self.check(rows)}
        return [row.text for row in rows if row.line not in broken]

    def _column_problems(self, row: _Row) -> Iterator[str]:
        if len(row.fields) != self._columns:
            yield f"expected {self._columns} columns in {self._kind}, got {len(row.fields)}"
        wrong = [i for i, value in enumerate(row.values, start=1) if not math.isfinite(value)]
        if wrong:
            yield f"expected a finite number in column {', '.join(map(str, wrong))}"

    def _value_problems(self, row: _Row) -> Iterator[str]:
        if len(row.values) < _COMMON_COLUMNS:
            return
        frame, identity, _, _, width, height = row.values[:_COMMON_COLUMNS]
        if math.isfinite(frame) and frame != int(frame):
            yield "the frame is no whole number"
        elif frame < 1 or (self._length is not None and frame > self._length):
            yield f"frame out of range, expected 1 to {self._length or 'the last'}"
        if self._kind != "detections" and math.isfinite(identity) and not (identity >= 1 and identity == int(identity)):
            yield "expected a positive whole number as id"
        if width <= 0 or height <= 0:
            yield "the box has no size"
        if self._kind == "results" and len(row.values) > 7 and row.values[7] not in (-1, 1):
            yield "expected class 1 or -1 in column 8 of a result"
        if self._kind == "ground truth" and len(row.values) == 9 and row.values[7] not in _CLASSES:
            yield "expected a class from 1 to 13 in column 8"

    def _with_columns(self, row: _Row) -> _Row:
        defaults = ["1", "1", "1", "1"] if self._kind == "ground truth" else ["1", "-1", "-1", "-1"]  # from column 7 on
        fields = (row.fields + defaults[len(row.fields) - _COMMON_COLUMNS :])[: self._columns]
        return _Row(row.line, fields, [_to_number(field) for field in fields])

    def _counts_from_zero(self, rows: list[_Row], column: int) -> bool:
        numbers = [row.values[column] for row in rows if math.isfinite(row.values[column])]
        if not numbers or min(numbers) != 0:
            return False
        return column != 0 or self._length is None or max(numbers) < self._length


def _add_one(row: _Row, column: int) -> _Row:
    fields, values = row.fields.copy(), row.values.copy()
    values[column] += 1
    fields[column] = f"{values[column]:.12g}"
    return _Row(row.line, fields, values)


def _write_fixed(lines: list[str], path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
