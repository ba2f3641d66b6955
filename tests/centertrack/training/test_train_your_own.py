"""The path of docs/train_your_own.md, command by command."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from centertrack.cli import main
from tests.conftest import PROJECT
from tracker import evaluate

GUIDE = PROJECT / "docs" / "train_your_own.md"


def commands() -> list[list[str]]:
    """Every command of the guide's numbered steps, in order."""
    steps = GUIDE.read_text(encoding="utf-8").partition("## Labels from corrected tracks")[0]
    blocks = re.findall(r"```sh\n(.*?)```", steps, re.DOTALL)
    return [shlex.split(line) for block in blocks for line in re.split(r"\n(?=centertrack|python)", block.strip())]


def test_the_guide_names_the_steps() -> None:
    steps = [command[1] if command[0] == "centertrack" else command[0] for command in commands()]
    assert steps == ["python", "data", "data", "data", "data", "data", "train", "track", "evaluate"]


@pytest.mark.slow
def test_the_guide_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").symlink_to(PROJECT / "configs")
    for command in commands():
        if command[0] == "python":
            subprocess.run([sys.executable, *command[1:]], check=True)
        else:
            assert main(command[1:]) == 0, command
    assert evaluate("mine/test", "results").combined.metrics()["MOTA"] > 0.8
