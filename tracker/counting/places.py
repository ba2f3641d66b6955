"""Lines and zones as people write them: NAME=x1,y1,x2,y2 on the command line, or many in a YAML file."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracker.counting.line import Line
from tracker.counting.zone import Zone
from tracker.errors import InputError
from tracker.io.reading import read_yaml
from tracker.wording import counted

KINDS = ("line", "zone")


@dataclass(frozen=True, slots=True)
class WrittenPlace:
    """A line or zone before the size of the image is known.

    A coordinate is a number of pixels, or with a % a share of the image's width (x) or height (y).

    Attributes:
        kind: `line` or `zone`.
        name: Of it.
        numbers: x, y of each point, one after the other.
        are_shares: Whether each number is in percent.
        where: In which option or file it stands, for messages.
    """

    kind: str
    name: str
    numbers: tuple[float, ...]
    are_shares: tuple[bool, ...]
    where: str

    def in_image(self, size: tuple[int, int] | None) -> Line | Zone:
        """Return the place in pixels.

        Args:
            size: Width and height of the image in pixels, None where they are unknown.

        Raises:
            InputError: It has a share, and the size is unknown; it lies outside of the image; or it is no line or zone.
        """
        if size is None and any(self.are_shares):
            raise InputError(
                f"{self.where}: a share of the image (%) needs the size of the image; give --image-size WxH or "
                "--source, or write pixels"
            )
        sides = size or (1, 1)
        pixels = [
            value * sides[i % 2] / 100 if is_share else value
            for i, (value, is_share) in enumerate(zip(self.numbers, self.are_shares, strict=True))
        ]
        points = tuple(zip(pixels[::2], pixels[1::2], strict=True))
        if size is not None:
            self._check_inside(points, size)
        try:
            return Line(self.name, *points) if self.kind == "line" else Zone(self.name, points)
        except InputError as error:
            raise InputError(f"{self.where}: {error}") from error

    def _check_inside(self, points: Sequence[tuple[float, float]], size: tuple[int, int]) -> None:
        for axis, side in zip((0, 1), size, strict=True):
            values = [point[axis] for point in points]
            if max(values) < 0 or min(values) > side:
                raise InputError(
                    f"{self.where}: the {self.kind} lies outside of the image of {size[0]} x {size[1]} pixels"
                )


def parse_place(kind: str, text: str) -> WrittenPlace:
    """Read what an option --line or --zone says.

    Args:
        kind: `line` or `zone`.
        text: NAME=x1,y1,x2,y2, with further points of a zone; see `WrittenPlace`.

    Raises:
        InputError: It is none.

    >>> parse_place("line", "door=100,50%,500,50%").in_image((640, 360))
    Line(name='door', start=(100.0, 180.0), end=(500.0, 180.0))
    """
    name, equals, numbers = text.rpartition("=")
    if not equals or not name.strip():
        raise InputError(f"--{kind} {text}: expected NAME={_form(kind)}")
    return _place(kind, name.strip(), numbers.split(","), f"--{kind} {name.strip()}")


def read_places(path: str | Path) -> list[WrittenPlace]:
    """Read a YAML file with `lines:` and `zones:`, each a mapping of names to coordinates.

    Coordinates are those of the options: text with commas between, a list of numbers, or a list of points.

    Raises:
        InputError: The file cannot be read, or has something else in it.
    """
    content = read_yaml(path)
    keys = {f"{kind}s": kind for kind in KINDS}
    if not isinstance(content, Mapping) or not content or not set(content) <= set(keys):
        raise InputError(f"{path}: expected lines: and zones:, each a mapping of names to {_form('line')} and so on")
    places = []
    for key, kind in keys.items():
        named = content.get(key) or {}
        if not isinstance(named, Mapping):
            raise InputError(f"{path}: expected {key}: as a mapping of names to coordinates")
        places += [_place(kind, str(name), _flat(value), f"{path}: {kind} {name}") for name, value in named.items()]
    return places


def _place(kind: str, name: str, texts: Sequence[Any], where: str) -> WrittenPlace:
    values, are_shares = [], []
    for text in texts:
        number = str(text).strip()
        try:
            value = float(number.removesuffix("%"))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise InputError(f"{where}: expected {_form(kind)} in pixels or with %, got {number!r} among them")
        values.append(value)
        are_shares.append(number.endswith("%"))
    least = 4 if kind == "line" else 6
    if len(values) % 2 or len(values) < least or (kind == "line" and len(values) > least):
        raise InputError(f"{where}: expected {_form(kind)}, got {counted(len(values), 'number')}")
    if not any(are_shares) and all(0 <= value <= 1 for value in values):
        raise InputError(
            f"{where}: all of it lies within one pixel; coordinates are pixels, and shares of the image have a %, "
            "as in 50%"
        )
    return WrittenPlace(kind, name, tuple(values), tuple(are_shares), where)


def _form(kind: str) -> str:
    return "x1,y1,x2,y2" if kind == "line" else "x1,y1,x2,y2,x3,y3,..."


def _flat(value: Any) -> list[Any]:
    """Return the numbers of text with commas, of a list, or of a list of lists."""
    if isinstance(value, str):
        return value.split(",")
    if isinstance(value, Iterable) and not isinstance(value, Mapping):
        return [number for part in value for number in _flat(part)]
    return [value]
