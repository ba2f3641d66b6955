"""Configurations to objects and back: options by name, checked before anything is built from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from tracker.arguments import check_arguments
from tracker.errors import InputError

Built = TypeVar("Built")
_PACKAGE = Path(__file__).parent
RECIPES = next(folder for folder in (_PACKAGE.parent / "configs", _PACKAGE / "configs") if folder.is_dir())


def find_recipe(name_or_file: str | Path) -> Path:
    """Return the file of a training configuration that comes with the package, by name; anything else as it is.

    >>> find_recipe("fairmot_nano").name
    'fairmot_nano.yaml'
    """
    packaged = RECIPES / f"{name_or_file}.yaml"
    return packaged if packaged.is_file() and not Path(name_or_file).exists() else Path(name_or_file)


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
    check_arguments(kind, options, what, len(args))
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
