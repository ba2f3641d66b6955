"""A folder with the user's own `tracker.py`, as the current folder of a program that imports centertrack."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def run(folder, *arguments):
    """Run Python in a folder, which then comes first on the import path."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    environment.pop("PYTHONSAFEPATH", None)
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture(params=["tracker.py", "tracker/__init__.py"])
def shadow(request, tmp_path):
    """Write a file of the user's own, or a package, that must not run."""
    path = tmp_path / request.param
    path.parent.mkdir(exist_ok=True)
    path.write_text("print('this program ran')\n")
    return path


def named(shadow):
    return shadow if shadow.name == "tracker.py" else shadow.parent


def test_a_command_says_which_file_is_in_the_way(shadow):
    result = run(named(shadow).parent, "-m", "centertrack", "--version")
    sentence = (
        f"{named(shadow)} hides the package 'tracker' of centertrack; rename it, or start Python in another folder"
    )
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"error: {sentence}\n"


def test_an_import_says_which_file_is_in_the_way(shadow):
    result = run(named(shadow).parent, "-c", "import centertrack")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.splitlines()[-1].startswith(f"ImportError: {named(shadow)} hides the package 'tracker'")


def test_folders_that_hide_nothing_are_left_alone(tmp_path):
    (tmp_path / "tracker").mkdir()
    (tmp_path / "tracker" / "notes.txt").write_text("results of last week\n")
    for place in (tmp_path, tmp_path / "tracker"):
        result = run(place, "-m", "centertrack", "--version")
        assert (result.returncode, result.stderr) == (0, "")
