from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fuzz import Format, fuzz
from fuzz_runs import ENDINGS, kills, pairs, videos

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


def test_no_damaged_video_breaks_the_reader(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert videos(count=40, seed=1, tracked=0, keep=tmp_path) == [], capsys.readouterr().out


def test_a_reader_that_breaks_is_found_and_its_video_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def open_source(path: Path) -> None:
        raise KeyError(path.name)

    monkeypatch.setattr("fuzz_runs.open_source", open_source)
    faults = videos(count=10, seed=1, tracked=0, keep=tmp_path)
    assert [fault.format for fault in faults] == list(ENDINGS)
    assert len(list(tmp_path.iterdir())) == len(faults)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_no_signal_loses_anything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert kills(count=12, seed=1, keep=tmp_path) == [], capsys.readouterr().out


@pytest.mark.slow
def test_two_runs_at_once_lose_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert pairs(count=1, keep=tmp_path) == [], capsys.readouterr().out
