"""Configurations to objects and back: options by name, checked before anything is built from them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from tracker.errors import InputError

Built = TypeVar("Built")


def make_options(kind: Any, given: Any) -> Any:
    """Return the dataclass `kind` from itself, a mapping, or nothing.

    Raises:
        InputError: An option that the dataclass does not have, or a value of another type.
    """
    if isinstance(given, kind):
        return given
    known = [field.name for field in fields(kind)]
    if not isinstance(given or {}, Mapping):
        raise InputError(f"{kind.__name__} takes a mapping of {', '.join(known)}, got {given!r}")
    return build(kind, kind.__name__, given or {})


def build(kind: Callable[..., Built], what: str, options: Mapping[str, Any], *args: Any) -> Built:
    """Call a class or function with options by name, which are checked against its signature.

    Args:
        kind: What to call.
        what: Its name in a message.
        options: Keyword arguments.
        *args: Positional arguments, which are ours and not checked.

    Raises:
        InputError: An option is unknown or missing, or has a value that cannot be used.
    """
    parameters = list(inspect.signature(kind).parameters.values())[len(args) :]
    named = [one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
    takes_any = any(one.kind is one.VAR_KEYWORD for one in parameters)
    names = [one.name for one in named]
    if not takes_any and (unknown := [name for name in options if name not in names]):
        raise InputError(f"{what} has no option {unknown[0]!r}; it has {', '.join(names)}")
    if missing := [one.name for one in named if one.default is one.empty and one.name not in options]:
        raise InputError(f"{what} needs {' and '.join(map(repr, missing))}")
    try:
        return kind(*args, **options)
    except TypeError as error:  # a value of another type, which only what uses it can tell
        raise InputError(f"{what}: {error}") from error


def to_plain(value: Any) -> Any:
    """Turn tuples into lists, so that a configuration is the same after a round trip through YAML or JSON.

    >>> to_plain({"size": (640, 384)})
    {'size': [640, 384]}
    """
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return value
