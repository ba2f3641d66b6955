from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import Format, fuzz

from tracker import InputError


def test_no_reader_breaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fuzz(rows=12_000, seed=1, seconds=20, keep=tmp_path) == [], capsys.readouterr().out


def test_what_breaks_is_found_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(folder: Path) -> None:
        text = (folder / "a.txt").read_text(encoding="utf-8", errors="replace")
        if text != "1\n2\n3\n":
            raise InputError("two\nlines") if "1" in text else KeyError(text)

    monkeypatch.setattr("fuzz.make_formats", lambda: {"text": Format({"a.txt": b"1\n2\n3\n"}, ["a.txt"], [read])})
    faults = fuzz(rows=200, seed=1, keep=tmp_path)
    assert any("KeyError" in fault.problem for fault in faults)
    assert any("not one sentence" in fault.problem for fault in faults)
    assert len(list(tmp_path.iterdir())) == len(faults)
