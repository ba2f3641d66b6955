"""Doors: packages that offer names of modules above and below them, imported when they are asked for (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def door(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of a package.

    Args:
        package: Its name.
        names: Name that it offers -> module that holds it. Where that imports an optional package that is not
            installed, `MissingPackageError` says so.
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from tracker.extras import named_extra  # late: `refuse_shadow` comes before the first import of `tracker`

        with named_extra(f"{package}.{name}"):
            return getattr(import_module(names[name]), name)

    return get, lambda: sorted(names)
