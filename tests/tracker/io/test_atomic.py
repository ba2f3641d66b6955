from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest

from tracker.errors import InputError
from tracker.io.atomic import atomic_path

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="links, devices and file modes of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_block_leaves_the_previous_file(tmp_path):
    target = tmp_path / "rows.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_path(target) as path:
        path.write_text("half")
        raise RuntimeError
    assert (target.read_text(), names(tmp_path)) == ("old", ["rows.txt"])


def test_what_was_written_is_kept_where_asked_for(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "rows.txt", keep_on_error=True) as path:
        path.write_text("half")
        raise RuntimeError
    assert ((tmp_path / "rows.txt").read_text(), names(tmp_path)) == ("half", ["rows.txt"])


def test_a_folder_is_refused_before_anything_is_computed(tmp_path):
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(InputError, match=r"out\.mp4: it is a folder"), atomic_path(tmp_path / "out.mp4"):
        pytest.fail("the block was entered")
    assert names(tmp_path) == ["out.mp4"]


def test_an_error_names_the_path_as_it_was_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(InputError, match=r"^cannot write file.rows\.txt: "), atomic_path("file/rows.txt"):
        pytest.fail("the block was entered")


@on_posix
def test_the_target_of_a_link_is_replaced_and_the_link_stays(tmp_path):
    (tmp_path / "disk").mkdir()
    link = tmp_path / "rows.txt"
    link.symlink_to(Path("disk", "rows.txt"))
    for text in ("new", "again"):  # first with nothing there yet
        with atomic_path(link) as path:
            path.write_text(text)
        assert link.is_symlink()
        assert (tmp_path / "disk" / "rows.txt").read_text() == text
    assert names(tmp_path / "disk") == ["rows.txt"]


@on_posix
def test_what_is_no_file_is_written_directly(tmp_path):
    with atomic_path("/dev/null") as path:
        assert path == Path("/dev/null")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with atomic_path(pipe) as path:
        assert path == pipe
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_no_temporary_stays_when_the_rename_fails(tmp_path):
    target = tmp_path / "rows.txt"
    with pytest.raises(OSError), atomic_path(target):
        target.mkdir()
        (target / "file").touch()
    assert names(tmp_path) == ["rows.txt"]


@on_posix
def test_a_file_that_its_writer_makes_anew_gets_the_usual_permissions(tmp_path):
    with atomic_path(tmp_path / "weights.bin") as path:
        path.unlink()
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    (tmp_path / "usual.bin").touch()
    assert stat.S_IMODE((tmp_path / "weights.bin").stat().st_mode) == stat.S_IMODE(
        (tmp_path / "usual.bin").stat().st_mode
    )
