"""Names of classes: one a line, or as `names` of the YAML files that describe data sets and networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tracker.errors import InputError
from tracker.io.reading import MAX_CLASS, read_lines, read_yaml

EXPECTED = "a list or a mapping from 0, 1, 2 ... to names"


def read_class_names(path: str | Path) -> list[str]:
    """Read a text file with a name a line, or the `names` of a YAML file.

    Raises:
        InputError: The file cannot be read, or holds no names.
    """
    path = Path(path)
    if path.suffix.lower() not in (".yaml", ".yml"):
        return [line.strip() for line in read_lines(path) if line.strip()]
    content = read_yaml(path)
    names = to_class_names(content.get("names") if isinstance(content, dict) else None)
    if names is None:
        raise InputError(f"{path}: expected `names`, {EXPECTED}")
    return names


def to_class_names(value: Any) -> list[str] | None:
    """Return the names in a list, or in a mapping from class numbers; None where it is neither.

    >>> to_class_names({1: "car", 0: "person"})
    ['person', 'car']
    """
    if isinstance(value, dict) and value.keys() == set(range(len(value))):
        value = [value[number] for number in range(len(value))]
    if not isinstance(value, list | tuple) or len(value) > MAX_CLASS + 1:
        return None
    return [str(name) for name in value]
