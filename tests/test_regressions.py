"""Inputs that once broke something: a folder each in `regressions`, with its files and a `case.yaml`.

The folder is copied, the command runs in the copy, and what it says and leaves behind is compared:

    was: what happened before, in a sentence
    command: [data, check, labels]     arguments of `centertrack`; {weights} is a small network on the CPU
    place: {"x<y/S.txt": S.txt}        copies under names that not every system has, where this one has them
    links: {there.txt: where.txt}      symbolic links
    signal: {name: SIGINT, frame: 4}   sent to itself when frame 4 is done; `times: 2` sends two
    disk: 2000                         bytes after which a file cannot grow, as on a full disk
    closed: true                       nobody reads standard output
    runs: 2                            so many at once
    exit: 2
    says: [texts that it must print, on either stream]
    never: [texts that it must not print]
    files: {out/rows.txt: [texts that the file must hold]}
    unchanged: [files that must be as before]
    absent: [files that must not be there]

No command may print a traceback, take more than `MEMORY` or run longer than `SECONDS`.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from centertrack.models import save_weights
from tests.centertrack.conftest import small_network

FOLDER = Path(__file__).parent / "regressions"
CASES = sorted(path.parent for path in FOLDER.glob("*/case.yaml"))
KEYS = {"was", "command", "place", "exit", "says", "never", "files", "unchanged", "absent"}
CIRCUMSTANCES = {"links", "signal", "disk", "closed", "runs"}  # of POSIX systems
SECONDS = 60.0  # a guard against hangs on a busy machine; all take a few seconds at most
MEMORY = 3 * 2**30  # bytes that a command may write to
PRELOADED = ["centertrack.cli", "centertrack.commands.shared.watch", "centertrack.predictor", "centertrack.data.check",
             "centertrack.data.convert", "tracker.io.video", "tracker.evaluation"]  # fmt: skip


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_weights(small_network(), path)
    return path


@pytest.fixture(scope="module")
def processes() -> Any:
    """Start processes from one that has imported everything and has no threads, which takes no time."""
    context = multiprocessing.get_context("forkserver" if sys.platform != "win32" else "spawn")
    if sys.platform != "win32":
        context.set_forkserver_preload(PRELOADED)
    return context


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_what_once_broke_holds(folder: Path, tmp_path: Path, weights: Path, processes: Any) -> None:
    case: dict[str, Any] = yaml.safe_load((folder / "case.yaml").read_text(encoding="utf-8"))
    assert case.keys() <= KEYS | CIRCUMSTANCES
    if case.keys() & CIRCUMSTANCES and sys.platform == "win32":
        pytest.skip("signals, links and limits of POSIX")
    assert case["was"]
    work, said = tmp_path / folder.name, tmp_path / "said.txt"
    shutil.copytree(folder, work)
    for name, source in case.get("place", {}).items():
        try:
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(work / source, work / name)
        except OSError as error:
            pytest.skip(f"this system has no files of such names: {error}")
    for name, target in case.get("links", {}).items():
        (work / name).symlink_to(target)
    before = {name: (work / name).read_bytes() for name in case.get("unchanged", [])}
    command = [argument.format(weights=weights) for argument in case["command"]]

    code = _run(processes, command, work, said, tmp_path, case)

    output = said.read_text(encoding="utf-8", errors="surrogateescape")
    assert "Traceback" not in output, output
    assert code == case["exit"], output
    for text in case.get("says", []):
        assert text in output, output
    for text in case.get("never", []):
        assert text not in output, output
    for name, texts in case.get("files", {}).items():
        content = (work / name).read_text(encoding="utf-8")
        for text in texts or ():
            assert text in content, f"{name}: {content[:2000]}"
    assert {name: (work / name).read_bytes() for name in before} == before
    assert [name for name in case.get("absent", []) if (work / name).exists()] == []


def _run(processes: Any, command: list[str], work: Path, said: Path, cache: Path, case: Mapping[str, Any]) -> int:
    """Return the exit code, the highest of several runs at once."""
    arguments = (command, work, said, {"XDG_CACHE_HOME": str(cache.parent)}, case)
    running = [processes.Process(target=_call, args=arguments) for _ in range(case.get("runs", 1))]
    for process in running:
        process.start()
    for process in running:
        process.join(SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
            pytest.fail(f"centertrack {' '.join(command)} does not end within {SECONDS:g} seconds")
    return max(int(process.exitcode) for process in running)


def _call(command: list[str], work: Path, said: Path, environment: Mapping[str, str], case: Mapping[str, Any]) -> None:
    """Run in a process of its own: everything that it prints goes to a file."""
    os.environ.update(environment)
    os.chdir(work)
    output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    with suppress(ImportError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        if "disk" in case:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (case["disk"], case["disk"]))
    if case.get("closed"):
        reader, writer = os.pipe()
        os.close(reader)
        os.dup2(writer, 1)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as Python starts
    from centertrack.cli import main

    if "signal" in case:
        _send_at_frame(**case["signal"])
    sys.exit(main(command))


def _send_at_frame(name: str, frame: int, times: int = 1) -> None:
    from centertrack.app.pipeline import Pipeline

    count = Pipeline._count
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs in the background start without it
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # and what nohup starts ignores this one

    def send(self: Pipeline, result: Any) -> None:
        count(self, result)
        if self.report.frames == frame:
            try:
                os.kill(os.getpid(), getattr(signal, name))
            finally:
                for _ in range(times - 1):
                    os.kill(os.getpid(), getattr(signal, name))

    Pipeline._count = send  # type: ignore[method-assign]
