"""Names of classes: one a line, or as `names` of the YAML files that describe data sets and networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tracker.errors import InputError, near
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


def label_name(names: Sequence[str], label: int) -> str:
    """Return the name of a label; one that has none is named by its number.

    >>> label_name(["person"], 0), label_name(["person"], 3)
    ('person', 'class 3')
    """
    return names[label] if label < len(names) else f"class {label}"


def choose_numbers(wanted: Sequence[str | int], names: Mapping[int, str], where: str) -> list[int]:
    """Return the numbers of the classes that somebody chose, in the order of the choice, none twice.

    Args:
        wanted: Names in any case, or numbers from 1, as in column 8 of MOTChallenge rows and `category_id` of COCO.
        names: Class number -> name; where it is empty, numbers only can be chosen.
        where: Whose classes these are, for the error.

    Raises:
        InputError: There is no such class; lists those that there are.

    >>> choose_numbers(["Car", 1], {1: "person", 2: "car"}, "the weights")
    [2, 1]
    """
    by_name = {name.lower(): number for number, name in reversed(list(names.items()))}  # of two alike the first
    found = []
    for one in wanted:
        text = str(one).strip()
        number = by_name.get(text.lower(), int(text) if text.isdecimal() else -1)
        if number < 1 or (names and number not in names):
            raise InputError(f"there is no class {text!r} in {where}; {_listed(text, names)}")
        found.append(number)
    return list(dict.fromkeys(found))


def _listed(wanted: str, names: Mapping[int, str]) -> str:
    if not names:
        return "its classes have no names: give numbers from 1, as in column 8 of MOTChallenge rows"
    close = near(wanted, names.values())
    there = ", ".join(f"{number} {name}" for number, name in list(names.items())[:100])
    return f"{close} there are: {there}" if close.startswith("did you mean") else f"there are: {there}"
