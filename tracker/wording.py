"""Numbers with their nouns: the one place that knows the plural."""

from __future__ import annotations


def counted(count: int, noun: str, plural: str | None = None, commas: bool = False) -> str:
    """Write a count with its noun, and perhaps a verb, in the number that fits.

    Args:
        count: How many.
        noun: In the singular.
        plural: Where adding an s does not make it.
        commas: Between thousands.

    >>> counted(1, "frame"), counted(0, "frame"), counted(1234, "class", "classes", commas=True)
    ('1 frame', '0 frames', '1,234 classes')
    >>> counted(1, "box has", "boxes have")
    '1 box has'
    """
    return f"{count:{',' if commas else ''}} {agreed(count, noun, plural)}"


def agreed(count: int, one: str, many: str | None = None) -> str:
    """Return the word that fits a count, for a noun or a verb that stands apart from it.

    >>> agreed(1, "is", "are"), agreed(2, "option")
    ('is', 'options')
    """
    return one if count == 1 else many or f"{one}s"
