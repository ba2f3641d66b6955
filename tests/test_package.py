"""What the package says about itself, and what goes into it."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import centertrack
from tests.conftest import PROJECT

PACKAGES = ("centertrack", "tracker")


@pytest.fixture(scope="module")
def pyproject() -> dict[str, Any]:
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    return toml.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))


def data_files(package: str) -> set[Path]:
    found = (path for path in (PROJECT / package).rglob("*") if path.is_file())
    return {path for path in found if path.suffix != ".py" and "__pycache__" not in path.parts}


def test_the_metadata_names_files_that_are_there(pyproject: dict[str, Any]) -> None:
    project = pyproject["project"]
    assert project["name"] == "centertrack"
    for name in (project["readme"], *project["license-files"]):
        assert (PROJECT / name).stat().st_size > 0, name


def test_the_classifiers_start_at_the_oldest_python(pyproject: dict[str, Any]) -> None:
    classifiers = pyproject["project"]["classifiers"]
    assert len(set(classifiers)) == len(classifiers)
    minors = [int(found[1]) for found in (re.fullmatch(r".*Python :: 3\.(\d+)", one) for one in classifiers) if found]
    oldest = int(re.fullmatch(r">=3\.(\d+)", pyproject["project"]["requires-python"])[1])
    assert minors == list(range(oldest, max(minors) + 1))
    assert pyproject["tool"]["ruff"]["target-version"] == f"py3{oldest}"
    assert pyproject["tool"]["mypy"]["python_version"] == f"3.{oldest}"


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_read_the_annotations(package: str) -> None:
    assert PROJECT / package / "py.typed" in data_files(package)


def test_the_version_is_stated_once(pyproject: dict[str, Any]) -> None:
    assert pyproject["project"]["dynamic"] == ["version"]
    version = import_module("centertrack.version").__version__
    assert pyproject["tool"]["hatch"]["version"]["path"] == "centertrack/version.py"
    assert centertrack.__version__ == version
    code = [path for package in PACKAGES for path in (PROJECT / package).rglob("*.py")]
    texts = {path: path.read_text(encoding="utf-8") for path in (PROJECT / "pyproject.toml", *code)}
    stating = [path for path, text in texts.items() if f'"{version}"' in text]
    assert stating == [PROJECT / "centertrack" / "version.py"]


ELSEWHERE = """
import os, pkgutil, signal, sys
from importlib import import_module

import gradio, pytorch_lightning, torchmetrics, torch.utils.tensorboard  # may use what they like

del os.fork, signal.SIGHUP, signal.SIGKILL, os.getuid, os.nice
for name in ("resource", "fcntl", "termios", "pwd", "grp"):
    sys.modules[name] = None
for package in ("centertrack", "tracker"):
    for module in pkgutil.walk_packages(import_module(package).__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
print("all")
"""


def test_everything_can_be_imported_where_the_system_is_no_posix() -> None:
    done = subprocess.run([sys.executable, "-c", ELSEWHERE], cwd=PROJECT, capture_output=True, text=True)
    assert done.stdout == "all\n", done.stderr
