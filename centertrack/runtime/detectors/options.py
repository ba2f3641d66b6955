"""What a user says about a detector that its file does not, and the names of its classes from wherever they are."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from centertrack.models.coco_classes import COCO_CLASSES, coco_categories
from centertrack.runtime.pixels import PixelFormat
from tracker.errors import InputError
from tracker.io.class_names import read_class_names, to_class_names
from tracker.io.reading import MAX_CLASS, is_file

LONGEST_METADATA = 2**20  # characters of class names
RESIZES = ("letterbox", "stretch")


@dataclass(frozen=True, kw_only=True)
class DetectorOptions:
    """What a user says; None leaves it to the file and its family.

    Attributes:
        family: Of `detectors.registry.FAMILIES`.
        scale, mean, std, channel_order: As of `PixelFormat`.
        resize: `letterbox` keeps the aspect ratio and pads, `stretch` does not.
        padding: Grey value of the padding, 0 to 255.
        nms_iou: Of two boxes of one class with a higher IoU the weaker one goes; 1 keeps all.
        class_names: A sequence of names, text with commas between them, a file (see `read_class_names`), `coco` (80
            classes), or `coco90` (COCO's category ids 1 to 90, with gaps).
        classes: Only these are kept: names or numbers from 0, a sequence or text with commas between them.
    """

    family: str | None = None
    scale: float | None = None
    mean: Any = None
    std: Any = None
    channel_order: str | None = None
    resize: str | None = None
    padding: float | None = None
    nms_iou: float | None = None
    class_names: Any = None
    classes: Any = None

    def __post_init__(self) -> None:
        if self.resize not in (None, *RESIZES):
            raise InputError(f"resize must be one of {', '.join(RESIZES)}, got {self.resize!r}")
        for name, most in (("padding", 255), ("nms_iou", 1)):
            value = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (is_number and 0 <= value <= most):
                raise InputError(f"{name} must be a number from 0 to {most}, got {value!r}")

    def change(self, pixels: PixelFormat) -> PixelFormat:
        """Return the pixel format of a family with what the user says about it."""
        given = {field.name: getattr(self, field.name) for field in fields(PixelFormat)}
        return replace(pixels, **{name: value for name, value in given.items() if value is not None})

    def names(self) -> tuple[str, ...]:
        """Return the class names that the user gives; () if there are none.

        Raises:
            InputError: They are no names, or the file cannot be read.
        """
        given = self.class_names
        if given is None:
            return ()
        if given == "coco":
            return COCO_CLASSES
        if given == "coco90":
            return coco_categories()
        if isinstance(given, str) and is_file(Path(given)):
            return tuple(read_class_names(given))
        names = to_class_names(_split(given))
        if not names or (isinstance(given, str) and given.lower().endswith((".txt", ".yaml", ".yml"))):
            raise InputError(
                f"class_names must be names with commas between them, a file of names, coco or coco90, got {given!r}"
            )
        return tuple(names)

    def kept(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of the classes to keep; [] for all.

        Args:
            names: Of all classes, as far as they are known.

        Raises:
            InputError: There is no class of such a name or number.
        """
        wanted = [] if self.classes is None else _split(self.classes)
        if not isinstance(wanted, list | tuple):
            raise InputError(f"classes must be names or numbers with commas between them, got {self.classes!r}")
        return [_number_of(one, names) for one in wanted]


def _split(given: Any) -> Any:
    if isinstance(given, str):
        return [part.strip() for part in given.split(",") if part.strip()]
    return [given] if isinstance(given, int) and not isinstance(given, bool) else given


def _number_of(wanted: Any, names: Sequence[str]) -> int:
    if isinstance(wanted, str) and wanted in names:
        return list(names).index(wanted)
    most = len(names) - 1 if names else MAX_CLASS
    text = str(wanted)
    if text.isdecimal() and int(text) <= most:
        return int(text)
    known = f"; it has {', '.join(names[:100])}" if names else "; its names are unknown: give class_names, or numbers"
    raise InputError(f"the detector has no class {text!r}{known}")


def names_in(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the class names that a file tells: `names` of ultralytics and YOLOv5, `labels` of OpenVINO's Model API.

    >>> names_in({"names": "{0: 'person', 1: 'traffic light'}"}), names_in({"labels": "person traffic_light"})
    (('person', 'traffic light'), ('person', 'traffic light'))
    """
    names = metadata.get("names")
    if isinstance(names, str):
        names = _literal(names)
    found = to_class_names(names)
    if found is None and "labels" in metadata:
        labels = metadata["labels"]
        words = labels.split() if isinstance(labels, str) else labels
        found = to_class_names([str(word).replace("_", " ") for word in words] if isinstance(words, list) else None)
    return tuple(found or ())


def size_in(metadata: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the width and height that the metadata of ultralytics tells, which has the height first.

    >>> size_in({"imgsz": "[384, 640]"}), size_in({"imgsz": 640}), size_in({})
    ((640, 384), (640, 640), None)
    """
    given = metadata.get("imgsz")
    sides = _literal(given) if isinstance(given, str) else given
    sides = [sides, sides] if isinstance(sides, int) else sides
    if isinstance(sides, list | tuple) and len(sides) == 2 and all(isinstance(one, int) and one > 0 for one in sides):
        return sides[1], sides[0]
    return None


def stride_in(metadata: Mapping[str, Any]) -> int | None:
    """Return what the sides of the input must be divisible by, as the metadata of ultralytics tells.

    >>> stride_in({"stride": "32"}), stride_in({"stride": "wide"})
    (32, None)
    """
    text = str(metadata.get("stride", ""))
    return int(text) if text.isdecimal() and 0 < int(text) <= 256 else None


def _literal(text: str) -> Any:
    """Return the Python value that text spells, None if it is none."""
    try:
        return ast.literal_eval(text) if len(text) <= LONGEST_METADATA else None
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
