"""What the reference shows says what its parameters are: signatures compared with Args and Attributes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import build_docs as tool
import pytest

MODULES = [name for names in tool.MODULES.values() for name in names]
DIGESTED = "centertrack.models."  # files whose text names the conversions of the shipped weights: not edited lightly


def named(docstring: str | None, *headings: str) -> set[str]:
    """Return the names that sections describe, without stars; a line may describe several."""
    lines: list[str] = []
    for heading in headings:
        section = re.search(rf"^{heading}:\n((?:[ \t]+.*\n?|\n)+)", inspect.cleandoc(docstring or ""), re.MULTILINE)
        lines += re.findall(r"^ {4}(\*{0,2}\w+(?:, \*{0,2}\w+)*):", section[1], re.MULTILINE) if section else []
    return {name.strip(" *") for line in lines for name in line.split(",")}


def parameters(function: Callable[..., Any]) -> set[str]:
    return set(inspect.signature(function).parameters) - {"self", "cls"}


def public(module: str) -> Iterator[Any]:
    """Give the classes and functions of a page of the reference."""
    names = vars(import_module(module))
    offered = names.get("__all__") or [name for name in names if not name.startswith("_")]
    for name in offered:
        value = getattr(import_module(module), name)
        is_own = "__all__" in names or getattr(value, "__module__", None) == module
        if is_own and (inspect.isclass(value) or inspect.isfunction(value)):
            yield value


def methods(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name, value in vars(cls).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if inspect.isfunction(function) and (name == "__call__" or not name.startswith("_")):
            yield name, function


def undocumented(function: Callable[..., Any]) -> set[str]:
    """Return parameters without a word, and words without a parameter; a single one may be told by the first line."""
    told, known = named(function.__doc__, "Args"), parameters(function)
    return (known - told if told or len(known) > 1 else set()) | told - known


def undocumented_fields(cls: type) -> set[str]:
    """Return parameters of a class without a word; a subclass need not repeat those of its base."""
    if "__init__" not in vars(cls) or getattr(cls, "_is_protocol", False) or issubclass(cls, BaseException):
        return set()
    told = {name for one in cls.__mro__ for name in named(one.__doc__, "Args", "Attributes")}
    return parameters(cls.__init__) - told


@pytest.mark.parametrize("module", MODULES)
def test_what_is_public_tells_its_parameters(module: str) -> None:
    missing: dict[str, set[str]] = {}
    for value in public(module):
        name = value.__qualname__
        assert value.__doc__, f"{name} has no docstring"
        if value.__module__.startswith(DIGESTED):
            continue
        if inspect.isclass(value):
            missing[name] = undocumented_fields(value)
            missing |= {f"{name}.{method}": undocumented(function) for method, function in methods(value)}
        else:
            missing[name] = undocumented(value)
    assert {name: found for name, found in missing.items() if found} == {}


def test_what_is_missing_is_found() -> None:
    def one(first: int) -> None:
        """Do it to the first."""

    def two(first: int, second: int, **others: int) -> None:
        """Do it.

        Args:
            first: Of all.
            third: Is not there.
            **others: More.
        """

    class Box:
        """A box.

        Attributes:
            width, height: Pixels.
        """

        def __init__(self, width: int, height: int, depth: int) -> None:
            pass

    assert undocumented(one) == set()
    assert undocumented(two) == {"second", "third"}
    assert undocumented_fields(Box) == {"depth"}
