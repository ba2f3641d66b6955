"""Numbers with their nouns."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Write a count with its noun, in the number that fits.

    Args:
        count: How many.
        noun: In the singular.
        plural: Where adding an s does not make it.

    >>> counted(1, "frame"), counted(0, "frame"), counted(1234, "frame"), counted(2, "class", "classes")
    ('1 frame', '0 frames', '1234 frames', '2 classes')
    """
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
