"""The edit list of a file of results: JSON lines beside it, appended to as a person corrects, never rewritten."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker.editing.edits import Edit, apply_edits, edit_from_json
from tracker.errors import InputError
from tracker.io.atomic import cannot_write
from tracker.io.mot import ResultRows
from tracker.io.reading import parse_json, read_bytes, read_lines

SUFFIX = ".edits.jsonl"
_VERSION = 1


def edits_beside(results: str | Path) -> Path:
    """Return where the edits of a file of results lie.

    >>> edits_beside("out/street.txt").as_posix()
    'out/street.edits.jsonl'
    """
    return Path(results).with_suffix(SUFFIX)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list.

    Attributes:
        place: File and line.
        edit: What was done; None takes back the last edit that is in force.
    """

    place: str
    edit: Edit | None


class EditList:
    """The edits of one file of results.

    The first line names the results and their SHA-256, so that a list is never applied to other rows; each further line
    is an edit, or `{"edit": "undo"}`, which takes back the last one in force. Lines are only ever appended, each with
    one write, and reach the disk before `append` returns.

    Args:
        path: The list; it need not exist.
        results: The file whose tracks are corrected.

    Attributes:
        digest: SHA-256 of the results, in hexadecimal.
        entries: The lines after the first.

    Raises:
        InputError: The list cannot be read, a line is broken, or it belongs to other results.
    """

    def __init__(self, path: str | Path, results: str | Path) -> None:
        self.path, self.results = Path(path), Path(results)
        self.digest = hashlib.sha256(read_bytes(results)).hexdigest()
        self.entries: list[Entry] = []
        self._ends_open = False
        if self.path.exists():
            self._read()

    def _read(self) -> None:
        lines = read_lines(self.path)
        self._ends_open = bool(lines) and not read_bytes(self.path).endswith((b"\n", b"\r"))
        if not lines:
            return
        self._check_head(parse_json(lines[0], str(self.path), 1))
        for number, line in enumerate(lines[1:], start=2):
            place = f"{self.path}:{number}"
            if not line.strip():
                continue
            content = parse_json(line, str(self.path), number)
            if isinstance(content, dict) and content.get("edit") == "undo":
                if not self._in_force():
                    raise InputError(f"{place}: there is nothing to undo")
                self.entries.append(Entry(place, None))
            else:
                self.entries.append(Entry(place, edit_from_json(content, place)))

    def _check_head(self, head: Any) -> None:
        if not isinstance(head, dict) or not isinstance(head.get("sha256"), str) or head.get("edits_of") is None:
            raise InputError(
                f'{self.path}:1: expected the edit list of a file of results: {{"edits_of": NAME, "sha256": DIGEST}}'
            )
        if head["sha256"] != self.digest:
            raise InputError(
                f"{self.path}: these are edits of another {head['edits_of']}; {self.results} has changed since, or is "
                "not the file they were made for"
            )

    def _in_force(self) -> list[Entry]:
        kept: list[Entry] = []
        for entry in self.entries:
            if entry.edit is None:
                kept.pop()
            else:
                kept.append(entry)
        return kept

    @property
    def edits(self) -> list[Edit]:
        """The edits in force, in their order."""
        return [entry.edit for entry in self._in_force() if entry.edit is not None]

    def apply(self, rows: ResultRows) -> ResultRows:
        """Return the corrected rows.

        Raises:
            InputError: An edit does not fit; with file and line.
        """
        return apply_edits(rows, self.edits, [entry.place for entry in self._in_force()])

    def append(self, edit: Edit | None) -> None:
        """Write one more edit; None takes back the last one in force.

        Raises:
            InputError: There is nothing to take back, or the list cannot be written; then it is as it was.
        """
        if edit is None and not self._in_force():
            raise InputError("there is nothing to undo")
        lines = [{"edit": "undo"} if edit is None else edit.as_json()]
        if not self.path.exists() or not self.path.stat().st_size:
            lines.insert(0, {"edits_of": self.results.name, "sha256": self.digest, "version": _VERSION})
        self._write(("\n" if self._ends_open else "") + "".join(json.dumps(line) + "\n" for line in lines))
        self._ends_open = False
        self.entries.append(Entry(str(self.path), edit))

    def _write(self, text: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                before = file.tell()
                try:
                    file.write(text.encode())
                    file.flush()
                    os.fsync(file.fileno())
                except OSError:
                    os.truncate(self.path, before)
                    raise
        except OSError as error:
            raise cannot_write(self.path, error) from error
