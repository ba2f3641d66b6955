"""Tables as plain text."""

from __future__ import annotations

from collections.abc import Sequence


def text_table(
    rows: Sequence[Sequence[str]], text_columns: int = 1, has_rule: bool = True, has_total: bool = False
) -> str:
    """Line cells up: text to the left, numbers to the right.

    Args:
        rows: The header and at least one more, each with as many cells.
        text_columns: So many columns, the first ones, are text.
        has_rule: Draw a rule under the header.
        has_total: The last row sums up the others: a rule comes before it.

    >>> print(text_table([["tracker", "HOTA"], ["sort", "49.40"]]))
    tracker   HOTA
    --------------
    sort     49.40
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = [str.ljust] * text_columns + [str.rjust] * (len(widths) - text_columns)
    header, *body = [
        "  ".join(side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True)) for row in rows
    ]
    rule = "-" * len(header)
    return "\n".join([header, *[rule] * has_rule, *body[:-1], *[rule] * has_total, body[-1]])
