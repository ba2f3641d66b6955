"""What was made for a key, such as a shape of images, kept for those used last."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
KEPT = 8  # compiled networks: a folder of photos has hundreds of shapes


class LastUsed(Generic[Key, Value]):
    """Makes a value for every new key, one at a time, and forgets the one that was used longest ago.

    Args:
        make: Key -> value.
        kept: Values to keep.

    >>> squares = LastUsed(lambda number: number**2, kept=2)
    >>> [squares[number] for number in (1, 2, 1, 3)], list(squares)
    ([1, 4, 1, 9], [1, 3])
    """

    def __init__(self, make: Callable[[Key], Value], kept: int = KEPT) -> None:
        self._make = make
        self._kept = kept
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._changing = threading.Lock()

    def __getitem__(self, key: Key) -> Value:
        """Return the value of a key; other threads wait while it is made."""
        with self._changing:
            value = self._values.pop(key) if key in self._values else self._make(key)
            self._values[key] = value  # the latest is the last
            while len(self._values) > self._kept:
                self._values.popitem(last=False)
            return value

    def __iter__(self) -> Iterator[Key]:
        """Iterate over the keys, the one used longest ago first."""
        return iter(list(self._values))
