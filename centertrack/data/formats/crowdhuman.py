"""CrowdHuman: one JSON object a line (.odgt), one line an image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from centertrack.data.images import find_image, read_size
from centertrack.data.labels import IGNORED, Box, Classes, LabelledImages, Labels, Report, stop_at
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.reading import parse_json, read_box, read_lines

BOX_KEYS = ("fbox", "vbox", "hbox")


class CrowdHumanSet(LabelledImages):
    """People of an .odgt file.

    Masks (crowds, statues, reflections) and boxes whose `extra.ignore` is 1 become regions to ignore; both checks are
    needed. Full boxes reach beyond the image.

    Args:
        path: The .odgt file.
        images: Folder of the images; default `Images` or `images` beside the file.
        box: `fbox`: the whole person, also what is hidden; `vbox`: what is seen; `hbox`: the head.
        classes, identities, longest_side: As in `LabelledImages`.
        report: Is told of every broken line.

    Raises:
        InputError: The file is missing, or a line is broken; with file and line.
    """

    def __init__(
        self,
        path: str | Path,
        images: str | Path | None = None,
        box: str = "fbox",
        classes: Classes | None = None,
        identities: str = "boxes",
        longest_side: int | None = None,
        report: Report = stop_at,
    ) -> None:
        file = Path(path)
        if box not in BOX_KEYS:
            raise InputError(f"box must be one of {', '.join(BOX_KEYS)}, got {box!r}")
        beside = [file.parent / name for name in ("Images", "images")]
        folder = Path(images) if images else next((path for path in beside if path.is_dir()), file.parent)
        entries = []
        for line, text in enumerate(read_lines(file), start=1):
            if not text.strip():
                continue
            try:
                stem, boxes = _parse(text, line, str(file), box)
            except InputError as error:
                report(error)
                continue
            image = find_image(folder, stem)
            entries.append(Labels.of(image, image.name, file, boxes))
        super().__init__(entries, ["person"], classes, identities, longest_side)


def _parse(text: str, line: int, file: str, key: str) -> tuple[str, list[Box]]:
    content, where = parse_json(text, file, line), f"{file}:{line}"
    try:
        return str(content["ID"]), [_box(item, line, key, where) for item in content.get("gtboxes", [])]
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{where}: expected ID and gtboxes with tag and {key} [x, y, w, h]: {error!r}") from error


def _box(item: dict[str, Any], line: int, key: str, where: str) -> Box:
    found = key if item["tag"] == "person" or key in item else "fbox"
    left, top, width, height = read_box(item[found], where, found)
    ignored = item["tag"] != "person" or item.get("extra", {}).get("ignore", 0) == 1
    if key == "hbox":
        ignored |= item.get("head_attr", {}).get("ignore", 0) == 1
    return Box((left, top, left + width, top + height), IGNORED if ignored else 0, -1, line)


def write_crowdhuman(data: LabelledImages, images: Sequence[Path], folder: Path) -> None:
    """Write all labels to `folder/annotation.odgt`; the format knows one class and no identities.

    Args:
        data: The labels.
        images: File of each entry, within `folder`.
        folder: Of the new data set.
    """
    with atomic_path(folder / "annotation.odgt") as temporary, temporary.open("w", encoding="utf-8") as file:
        for entry, image in zip(data.entries, images, strict=True):
            entry = entry.in_pixels(read_size(image))
            people = [_json(box, "person") for box in entry.boxes.tolist()]
            masks = [{**_json(box, "mask"), "extra": {"ignore": 1}} for box in entry.ignore.tolist()]
            file.write(json.dumps({"ID": image.stem, "gtboxes": people + masks}) + "\n")


def _json(box: list[float], tag: str) -> dict[str, Any]:
    xywh = [round(value, 2) for value in (box[0], box[1], box[2] - box[0], box[3] - box[1])]
    return {"tag": tag, "fbox": xywh, "vbox": xywh, "extra": {"ignore": 0}}
