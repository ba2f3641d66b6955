"""Configurations to dataclasses and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tracker.errors import InputError


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
    if unknown := set(given or {}) - set(known):
        raise InputError(f"{kind.__name__} has no option {sorted(unknown)[0]!r}; it has {', '.join(known)}")
    try:
        return kind(**(given or {}))
    except TypeError as error:
        raise InputError(f"{kind.__name__}: {error}") from error


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
