"""A user's own file that hides the package `tracker`, found before its first import fails obscurely."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path


def refuse_shadow() -> None:
    """Make sure that `import tracker` will find this project's package; nothing is imported for it.

    Raises:
        ImportError: Another module or package comes first.
        SystemExit: The same, where `centertrack` runs as a command: the sentence is printed, and the exit code is 2.
    """
    try:
        spec = find_spec("tracker")
    except ValueError:  # a module without a spec, made by hand, is loaded under this name
        spec = None
    if spec is not None and _is_ours(spec):
        return
    sentence = (
        "centertrack needs its package 'tracker' and did not find it; install it again"
        if spec is None
        else f"{_place(spec)} hides the package 'tracker' of centertrack; rename it, or start Python in another folder"
    )
    if _runs_as_command():
        sys.stderr.write(f"error: {sentence}\n")
        raise SystemExit(2)
    raise ImportError(sentence, name="tracker")


def _is_ours(spec: ModuleSpec) -> bool:
    return any(Path(folder, "detections.py").is_file() for folder in spec.submodule_search_locations or ())


def _place(spec: ModuleSpec) -> str:
    """Return the file or folder that a spec stands for."""
    folders = list(spec.submodule_search_locations or ())
    return folders[0] if folders else str(spec.origin)


def _runs_as_command() -> bool:
    as_module = ("-m", "centertrack") in pairwise(sys.orig_argv)
    return as_module or Path(*sys.argv[:1]).stem == "centertrack"
