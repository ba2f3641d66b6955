"""Checks of what a user passes by name, before it is used."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any, Literal, get_args, get_origin

from tracker.errors import InputError, near
from tracker.wording import agreed


def check_arguments(function: Callable[..., Any], arguments: Mapping[str, Any], what: str, leading: int = 0) -> None:
    """Compare arguments with the signature of a function or class, without calling it.

    Args:
        function: What is going to be called as `function(*args, **arguments)`.
        arguments: The arguments by name.
        what: What the options belong to; the message begins with it.
        leading: Number of positional arguments that the caller adds itself.

    Raises:
        InputError: An argument is unknown (close matches are named), or a required one is missing.

    >>> check_arguments(dict.get, {"key": 1}, "the table", leading=1)
    Traceback (most recent call last):
    ...
    tracker.errors.InputError: the table has no option 'key'; it has none
    """
    parameters = list(inspect.signature(function).parameters.values())[leading:]
    named = {one.name: one for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)}
    if not any(one.kind is one.VAR_KEYWORD for one in parameters):
        for name in arguments:
            if name not in named:
                raise InputError(f"{what} has no option {name!r}; {near(str(name), named)}")
    missing = [name for name, one in named.items() if one.default is one.empty and name not in arguments]
    if missing:
        raise InputError(f"{what} needs the {agreed(len(missing), 'option')} {', '.join(missing)}")


def check_option(name: str, kind: Any, value: Any, least: float = 0, most: float = math.inf) -> None:
    """Compare the value of an option with its type.

    Args:
        name: Of the option.
        kind: Its type: bool, int, float, a Literal, or one of these or None.
        value: What was given.
        least: Smallest number that is accepted.
        most: Largest number that is accepted.

    Raises:
        InputError: The value is of another kind, or a number outside of [least, most].
    """
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise InputError(f"{name} must be one of {', '.join(get_args(kind))}, got {value!r}")
        return
    if value is None and type(None) in get_args(kind):
        return
    if kind is bool or isinstance(value, bool):
        if not (kind is bool and isinstance(value, bool)):
            raise InputError(f"{name} must be {'true or false' if kind is bool else 'a number'}, got {value!r}")
        return
    if not isinstance(value, Real) or not float(value) >= 0:
        raise InputError(f"{name} must be a number, not negative or NaN, got {value!r}")
    if kind is int and not isinstance(value, Integral):
        raise InputError(f"{name} must be a whole number, got {value!r}")
    if not least <= float(value) <= most:
        bounds = f"at least {least}" if most == math.inf else f"between {least} and {most}"
        raise InputError(f"{name} must be {bounds}, got {value!r}")
