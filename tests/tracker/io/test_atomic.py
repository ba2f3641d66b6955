from __future__ import annotations

import errno
import gc
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tracker.errors import InputError
from tracker.io.atomic import BusyError, OutputFile, atomic_path, recover_parts

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


class Lines(OutputFile):
    """Writes lines, and fails at the end if told to."""

    def __init__(self, path: Path, fails: bool = False) -> None:
        super().__init__(path)
        self._file = self.temporary.open("w", encoding="ascii")
        self._fails = fails

    def write(self, line: str) -> None:
        self._file.write(line)

    def _finish(self) -> None:
        self._file.close()
        if self._fails:
            raise OSError(errno.ENOSPC, "No space left on device")


def test_a_complete_file_takes_its_name(tmp_path):
    target = tmp_path / "rows.txt"
    target.write_text("old")
    with Lines(target) as lines:
        lines.write("new")
        assert target.read_text() == "old"
    assert (target.read_text(), names(tmp_path), lines.partial) == ("new", ["rows.txt"], None)
    lines.close()
    lines.abandon()  # nothing more happens
    assert names(tmp_path) == ["rows.txt"]


def test_what_there_is_of_a_failed_run_stays_beside_the_earlier_file(tmp_path, caplog):
    target = tmp_path / "rows.txt"
    target.write_text("old")
    for count, name in enumerate(["rows.partial.txt", "rows.partial-2.txt"], start=1):
        with pytest.raises(RuntimeError), Lines(target) as lines:
            lines.write("half" * count)
            raise RuntimeError
        assert lines.partial == tmp_path / name
        assert lines.partial.read_text() == "half" * count
        assert f"what was written is in {lines.partial}" in caplog.text
    assert target.read_text() == "old"


def test_a_full_disk_at_the_end_names_the_file_and_keeps_the_earlier_one(tmp_path):
    target = tmp_path / "rows.txt"
    target.write_text("old")
    lines = Lines(target, fails=True)
    lines.write("new")
    with pytest.raises(InputError, match=r"cannot write .*rows\.txt: No space left .*is in .*rows\.partial\.txt"):
        lines.close()
    assert (target.read_text(), (tmp_path / "rows.partial.txt").read_text()) == ("old", "new")


def test_an_opened_output_that_is_forgotten_replaces_nothing(tmp_path):
    target = tmp_path / "rows.txt"
    target.write_text("old")
    lines = Lines(target)
    del lines
    gc.collect()
    assert (target.read_text(), names(tmp_path)) == ("old", ["rows.txt"])


@on_posix
def test_two_processes_do_not_write_one_file(tmp_path):
    target = tmp_path / "rows.txt"
    part = tmp_path / f".rows.{os.getppid()}.part.txt"  # a process that runs
    part.write_text("theirs")
    with pytest.raises(BusyError, match=f"process {os.getppid()} is writing it"):
        Lines(target)
    with atomic_path(target) as path:  # in one go: the last one counts
        path.write_text("ours")
    assert names(tmp_path) == [part.name, "rows.txt"]


@on_posix
def test_what_a_killed_process_left_is_kept(tmp_path):
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (tmp_path / f".rows.{int(done.stdout)}.part.txt").write_text("half")
    (tmp_path / f".empty.{int(done.stdout)}.part.txt").touch()
    assert recover_parts(tmp_path / "rows.txt") == [tmp_path / "rows.partial.txt"]
    assert recover_parts(tmp_path / "empty.txt") == []
    assert names(tmp_path) == ["rows.partial.txt"]


def test_a_run_of_the_same_number_as_a_killed_one_keeps_what_that_left_and_says_so(tmp_path, caplog):
    (tmp_path / f".rows.{os.getpid()}.part.txt").write_text("half")  # as in containers
    with Lines(tmp_path / "rows.txt") as lines:
        lines.write("whole")
        assert recover_parts(tmp_path / "rows.txt") == []  # the new one is being written
    assert (tmp_path / "rows.partial.txt").read_text() == "half"
    assert names(tmp_path) == ["rows.partial.txt", "rows.txt"]
    assert "rows.partial.txt holds what an earlier run that was killed had written" in caplog.text
