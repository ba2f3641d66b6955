from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from centertrack.app.termination import Terminated, shielded, terminable
from tracker.io.mot import read_results
from tracker.io.video import VideoWriter, open_source

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

PROGRAM = """
import os, signal, sys
from centertrack.cli import main
from centertrack.app import session, sinks
from centertrack.app.pipeline import Pipeline
count, close = Pipeline._count, session.Session._end
def stop(self, result):
    count(self, result)
    if self.report.frames == 4:
        os.kill(os.getpid(), signal.{name})
def end(self, *arguments, **options):
    for _ in range({more}):
        os.kill(os.getpid(), signal.{name})
    close(self, *arguments, **options)
Pipeline._count = stop
session.Session._end = end
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start without it
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and what nohup starts ignores this one
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def long(tmp_path: Path, picture) -> Path:
    path = tmp_path / "long.mp4"
    with VideoWriter(path, (160, 96), 25) as writer:
        for _ in range(200):
            writer.write(picture)
    return path


def track(long: Path, weights: Path, name: str, more: int) -> subprocess.CompletedProcess[str]:
    arguments = ["track", str(long), "--weights", str(weights), "--device", "cpu"]
    program = PROGRAM.format(name=name, more=more)
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=long.parent, check=False)


@pytest.mark.parametrize(("name", "more", "code"), [("SIGINT", 0, 130), ("SIGINT", 1, 130), ("SIGHUP", 1, 129)])
def test_the_outputs_are_finished_whatever_comes(long, weights, name, more, code):
    done = track(long, weights, name, more)
    assert done.returncode == code, done.stderr
    assert done.stderr.count("finishing the outputs") == more
    assert "Traceback" not in done.stderr
    frames = read_results(long.parent / "runs/long.partial.txt").frames.max()
    assert frames >= 4
    assert sum(1 for _ in open_source(long.parent / "runs/long.partial.mp4")) == frames
    assert sorted(path.name for path in (long.parent / "runs").iterdir()) == ["long.partial.mp4", "long.partial.txt"]


def test_who_insists_leaves_at_once_and_is_told_what_is_unfinished(long, weights):
    done = track(long, weights, "SIGINT", 2)
    assert done.returncode == 130, done.stderr
    assert "left at once" in done.stderr
    assert "Traceback" not in done.stderr
    assert all(path.name.startswith(".long.") for path in (long.parent / "runs").iterdir())


def test_a_signal_in_a_shielded_block_waits_for_its_end():
    done = []
    with pytest.raises(Terminated) as raised, terminable():
        with shielded():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("the block")
        done.append("what comes after it")
    assert done == ["the block"]
    assert raised.value.number == signal.SIGTERM


def test_a_signal_that_is_ignored_stays_so():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminable():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
