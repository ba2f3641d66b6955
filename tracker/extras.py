"""Packages that only some tasks need, and which extra of the installation brings each."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import MissingPackageError

EXTRAS = {  # package -> extra of pyproject.toml
    "torch": "train",
    "torchvision": "train",
    "pytorch_lightning": "train",
    "lightning_fabric": "train",
    "timm": "train",
    "torchmetrics": "train",
    "tensorboard": "train",
    "jsonargparse": "train",
    "onnx": "export",
    "onnxruntime": "export",
    "onnxscript": "export",
    "motmetrics": "check",
    "pandas": "check",
    "matplotlib": "plot",
    "nncf": "quantise",
    "pdoc": "docs",
    "optuna": "tune",
    "pyarrow": "parquet",
    "gradio": "app",
}
NO_LIBGL = (
    "OpenCV needs the library libGL.so.1, which this system lacks: apt install libgl1, or put opencv-python-headless "
    "in the place of opencv-python"
)


@contextmanager
def named_extra(task: str) -> Iterator[None]:
    """Turn the import of an optional package that is not installed into one sentence with the command to type.

    Args:
        task: What needs the package, as the subject of the sentence.

    Raises:
        MissingPackageError: The block imports a package of `EXTRAS` that is not there. Another one that is missing is a
            defect, and raised as it is. Or OpenCV lacks its system library.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS:
            raise
        raise MissingPackageError(missing(task, package)) from error
    except ImportError as error:
        if "libGL" not in str(error):
            raise
        raise MissingPackageError(NO_LIBGL) from error


def require(task: str, *packages: str) -> None:
    """Make sure that packages are installed, without importing them.

    Raises:
        MissingPackageError: One is not.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(missing(task, package))


def missing(task: str, package: str) -> str:
    """Return the sentence about a package that is not installed, with the command for the running environment."""
    clone = Path(__file__).parents[1]
    what = package
    if extra := EXTRAS.get(package):
        what = f'-e "{clone}[{extra}]"' if (clone / "pyproject.toml").is_file() else f'"centertrack[{extra}]"'
    return f"{task} needs the package {package}, which is not installed: {sys.executable} -m pip install {what}"
