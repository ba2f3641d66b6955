"""Configurations with mistakes, answered in one sentence instead of a page of usage."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from pytorch_lightning.cli import LightningArgumentParser
from typing_extensions import override

from tracker.errors import InputError

_KEY = re.compile(r'Parser key "([^"]+)":\s*(.*)', re.DOTALL)
_VALUE = re.compile(r"Given value: (.*)", re.DOTALL)
_UNKNOWN = re.compile(r"(?:does not accept option|unrecognized arguments:|Option) '?-*([\w.]+)'?(?: is not accepted)?")
_TOLD = re.compile(r"there is no option '[^']*'(?:; did you mean [^?]*\?)?")  # by a parser within this one
_LONGEST_VALUE = 60


class SentenceParser(LightningArgumentParser):
    """Lightning's parser, which raises `InputError` where it would print its usage and exit."""

    @override
    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise what is wrong, as one sentence.

        Raises:
            InputError: Always.
        """
        raise InputError(shorten(message, list(dict.fromkeys(_keys(self))))) from ex


def shorten(message: str, keys: list[str]) -> str:
    """Turn a message of the parser into one sentence, naming close matches of an unknown key.

    >>> shorten("Subcommand 'fit' does not accept option 'data.batchsize'", ["data.batch_size", "data.root"])
    "configuration: there is no option 'data.batchsize'; did you mean 'data.batch_size'?"
    """
    found = _KEY.match(message)
    key, problem = found.groups() if found else ("", message)
    problem = problem.replace("configuration: ", "")  # of a parser within this one
    where = f"configuration: {key}: " if key else "configuration: "
    if told := _TOLD.search(problem):
        return f"{where}{told[0]}"
    if unknown := _UNKNOWN.search(problem):
        return f"{where}there is no option {unknown[1]!r}{_hint(unknown[1], keys)}"
    value = _VALUE.search(problem)
    errors = [line.strip(" -") for line in problem.splitlines() if line.strip().startswith("- ")]
    expected = [re.sub(r"<class '([\w.]+)'>", r"\1", e.removeprefix("Expected a ")) for e in errors if "Expected" in e]
    expected = [name for name in expected if name != "NoneType"]
    if module := re.search(r"No module named .*|Import path .*", problem):
        return f"{where}{module[0].strip()}"
    if expected and value:
        got = " ".join(value[1].split())
        return f"{where}expected {' or '.join(expected)}, got {got[:_LONGEST_VALUE]}"
    return where + (errors[0] if errors else " ".join(problem.split()))


def _hint(unknown: str, keys: list[str]) -> str:
    """Name the options most like an unknown one: those beside it, or those of the same name elsewhere."""
    parent, _, name = unknown.rpartition(".")
    beside = {key.rpartition(".")[2]: key for key in keys if key.rpartition(".")[0] == parent}
    anywhere = {key.rpartition(".")[2]: key for key in keys}
    for known in (beside, anywhere):
        if close := difflib.get_close_matches(name, known, n=2, cutoff=0.7):
            return f"; did you mean {' or '.join(repr(known[one]) for one in close)}?"
    return ""


def _keys(parser: Any) -> Iterator[str]:
    """Yield every key of a parser and its subcommands."""
    for action in parser._actions:
        for inner in (getattr(action, "_name_parser_map", None) or {}).values():
            yield from _keys(inner)
        yield action.dest
