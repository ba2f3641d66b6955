"""Every violation of the MOTChallenge format in a file or folder, and a cleaned copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tracker.errors import InputError
from tracker.evaluation.benchmarks import is_of_benchmark, known_length
from tracker.evaluation.format_rules import FormatRules, Kind, LabelRows, parse_rows
from tracker.io.atomic import atomic_path
from tracker.io.cvat_mot import LABELS_FILE
from tracker.io.mot import read_sequence_info
from tracker.io.reading import read_bytes, split_lines
from tracker.wording import counted

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
        remarks: Sentences about files that keep the format, and yet cannot be scored as they are.
    """

    files: int
    rows: int
    violations: list[Violation]
    fixed: Path | None = None
    remarks: list[str] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        """Whether nothing is wrong."""
        return not self.violations

    def summary(self) -> str:
        """Return one line."""
        files = f"{counted(self.rows, 'row')} in {counted(self.files, 'file')}"
        if self.is_valid:
            return f"{files}: no violation"
        broken = len({violation.path for violation in self.violations})
        copy = f"; cleaned copy: {self.fixed}" if self.fixed else ""
        return f"{files}: {counted(len(self.violations), 'violation')} in {broken} of the files{copy}"


def validate(
    path: str | Path, kind: Kind | None = None, length: int | None = None, fix: bool = False
) -> ValidationReport:
    """Read ground truth, detections or results and list everything that breaks the format.

    Args:
        path: A txt file, or a folder: sequence folders (gt/*.txt, det/*.txt) and SEQUENCE.txt, at some depth.
        kind: What the files hold; by default told from their folder, name and columns.
        length: Frames of the sequence; by default from seqinfo.ini or, for a benchmark's sequence, its name.
        fix: Also write a copy beside it, named NAME_fixed, or NAME_fixed-2 and so on where there is one: columns are
            filled up or cut, frames or ids that count from 0 count from 1, rows that break a rule even so are left out
            (of an id twice in a frame the second).

    Raises:
        InputError: There is no such file, or no txt file in the folder.
    """
    path = Path(path)
    files = _find_files(path)
    target = _reserve_copy(path) if fix else None
    violations: list[Violation] = []
    remarks: list[str] = []
    row_count = 0
    for file in files:
        rows = parse_rows(split_lines(read_bytes(file).decode("utf-8-sig", "replace")))
        file_length = _find_length(file) if length is None else length
        rules = FormatRules.for_rows(rows, kind or _guess_kind(file, rows), file_length, is_of_benchmark(file.stem))
        remarks += _unscored(file, rows, rules)
        broken = rules.check(rows)
        row_count += len(rows.lines)
        violations += [Violation(file, int(rows.lines[row]), problem, rows.text(row)) for row, problem in broken]
        if target is not None:
            fixed = rules.fix(rows) if broken else rows.content
            with atomic_path(target if path.is_file() else target / file.relative_to(path)) as temporary:
                temporary.write_text("".join(f"{line}\n" for line in fixed), encoding="utf-8")
    return ValidationReport(len(files), row_count, violations, target, remarks)


def _reserve_copy(path: Path) -> Path:
    """Make an empty file or folder under a name that nothing has, so that two runs at once choose different ones."""
    stem, suffix = (path.stem, path.suffix) if path.is_file() else (path.name, "")
    for number in count(1):
        copy = path.with_name(f"{stem}_fixed{f'-{number}' if number > 1 else ''}{suffix}")
        with suppress(FileExistsError):
            if path.is_file():
                copy.touch(exist_ok=False)
            else:
                copy.mkdir()
            return copy
    raise AssertionError("count never ends")


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


def _guess_kind(path: Path, rows: LabelRows) -> Kind:
    for name in (path.parent.name, path.stem):
        if name == "gt" or name.startswith("gt_"):
            return "ground truth"
        if name == "det" or name.startswith("det_"):
            return "detections"
    if len(rows.lines) and rows.counts[0] == 9:
        return "ground truth"
    return "detections" if len(rows.lines) and (rows.values[:, 1] == -1).all() else "results"


def _unscored(path: Path, rows: LabelRows, rules: FormatRules) -> Iterator[str]:
    """Give a sentence if no row of a ground truth is one that MOTChallenge scores."""
    has_own_classes = (path.parent / LABELS_FILE).is_file()
    if rules.kind != "ground truth" or rules.columns != 9 or rows.values.shape[1] != 9 or has_own_classes:
        return
    flags, classes = rows.values[:, 6], rows.values[:, 7]
    if len(flags) and not ((flags != 0) & (classes == 1)).any():
        numbers = ", ".join(f"{number:.12g}" for number in np.unique(classes[np.isfinite(classes)]))
        yield (
            f"{path}: by MOTChallenge's rules no row is scored: none has flag 1 and class 1 (classes: {numbers}); "
            "`centertrack evaluate --classes` and `--flagged` score others"
        )


def _find_length(path: Path) -> int | None:
    folder = path.parent.parent
    if path.parent.name in ("gt", "det") and (folder / "seqinfo.ini").is_file():
        return read_sequence_info(folder).length
    return known_length(path.stem)
