"""What became of the tensors of a weights file."""

from __future__ import annotations

from dataclasses import dataclass

from typing_extensions import override

from tracker.wording import counted

NAMED = 5  # tensors, of each kind


@dataclass(frozen=True)
class LoadReport:
    """How well a file fitted a network.

    Attributes:
        file: Its name.
        loaded: Tensors of the file that are in the network now.
        total: Tensors in the file.
        lacking: Tensors of the network that the file does not have, or not in this shape; they start anew.
        left_over: Tensors of the file that the network has no place for.
        unused: Tensors of the file that its own network never used either.

    >>> print(LoadReport("a.pth", 8, 10, ("head.bias",), (), ("fc.weight", "fc.bias")))
    a.pth: 8 of 10 tensors loaded; new in the network: head.bias; without any use: fc.weight, fc.bias
    """

    file: str
    loaded: int
    total: int
    lacking: tuple[str, ...] = ()
    left_over: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every tensor that matters found its place."""
        return not self.lacking and not self.left_over

    @override
    def __str__(self) -> str:
        parts = [f"{self.file}: {self.loaded} of {counted(self.total, 'tensor')} loaded"]
        groups = {
            "new in the network": self.lacking,
            "left over": self.left_over,
            "without any use": self.unused,
        }
        parts += [f"{what}: {name_some(names)}" for what, names in groups.items() if names]
        return "; ".join(parts)


def name_some(names: tuple[str, ...] | list[str]) -> str:
    """List the first few names.

    >>> name_some(list("abcdefg"))
    'a, b, c, d, e and 2 more'
    """
    rest = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + rest
