"""The state of a paused stream, compared with what a tracker expects before anything of it is used."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from tracker.arrays import Array
from tracker.errors import InputError


def fit_state(given: Any, expected: Any, where: str) -> Any:
    """Return a state in the form of another one of the same kind.

    Args:
        given: What was loaded: mappings of numbers, strings, None and arrays (or lists of numbers).
        expected: The state of a tracker that has seen nothing. Axes of length 0 may have any length in `given`, and
            what is None may be anything.
        where: Name of this part of the state, for the message.

    Raises:
        InputError: An entry is missing, unknown or of another form.

    >>> fit_state({"ids": [1, 2]}, {"ids": np.zeros(0, np.int64)}, "tracks")
    {'ids': array([1, 2])}
    """
    if isinstance(expected, Mapping):
        if not isinstance(given, Mapping) or set(given) != set(expected):
            got = ", ".join(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
            raise InputError(f"{where} must have the entries {', '.join(expected)}, got {got}")
        fitted = {name: fit_state(given[name], expected[name], f"{where}, {name}") for name in expected}
        lengths = {len(one) for one in fitted.values() if isinstance(one, np.ndarray)}
        if len(lengths) > 1:
            raise InputError(f"the arrays of {where} must have one length, got {', '.join(map(str, sorted(lengths)))}")
        return fitted
    if isinstance(expected, np.ndarray):
        return _fit_array(given, expected, where)
    if isinstance(expected, Real) and not isinstance(given, Real):
        raise InputError(f"{where} must be a number, got {type(given).__name__}")
    return given


def _fit_array(given: Any, expected: Array, where: str) -> Array:
    try:
        array = np.array(given, expected.dtype)
    except (TypeError, ValueError):
        raise InputError(f"{where} must be numbers in an array, got {type(given).__name__}") from None
    if not array.size and not expected.size and array.ndim < expected.ndim:
        return expected.copy()  # an empty list has lost the other axes
    wanted = tuple(length or "any" for length in expected.shape)
    if len(wanted) != array.ndim or any(w not in ("any", n) for w, n in zip(wanted, array.shape, strict=True)):
        raise InputError(f"{where} must have the shape ({', '.join(map(str, wanted))}), got {array.shape}")
    return array
