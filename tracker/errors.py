"""The one error that means: the input is at fault, not the program."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """A file, folder, row or option that a user gave cannot be used.

    The message is one clear sentence: what was expected, what came, where (file:line) and what to do. The command line
    prints it and exits with code 2, without a traceback.
    """


class MissingPackageError(InputError, ImportError):
    """A task needs an optional package that is not installed; the message has the command that installs it."""


def near(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """Return a hint that names the known words close to a name, or all of them.

    Args:
        name: What somebody wrote.
        known: What they may have meant.
        cutoff: How much alike two words must be, in [0, 1].

    >>> near("min_scor", ["min_score", "iou_limit"]), near("zoom", ["min_score", "iou_limit"])
    ('did you mean min_score?', 'there are: min_score, iou_limit')
    """
    known = list(known)
    if not known:
        return "it has none"
    close = difflib.get_close_matches(name, known, cutoff=cutoff)
    return f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(known)}"
