"""The file of a tuned tracker: its name and its options."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tracker.errors import InputError
from tracker.factory import make_tracker
from tracker.io.reading import read_yaml


def read_tuned(path: Path) -> tuple[str, dict[str, Any]]:
    """Return tracker and options of a file that `write_tuned` wrote, or somebody by hand.

    Raises:
        InputError: It is not such a file, or there is no such tracker or option.
    """
    content = read_yaml(path)
    if not isinstance(content, Mapping) or not isinstance(content.get("tracker"), str):
        raise InputError(f"{path}: expected a mapping with tracker: NAME and options: {{NAME: VALUE}}")
    options = content.get("options") or {}
    if not isinstance(options, Mapping):
        raise InputError(f"{path}: expected options as a mapping of names to values")
    try:
        make_tracker(content["tracker"], **options)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return content["tracker"], dict(options)
