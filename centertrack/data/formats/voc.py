"""Pascal VOC: one XML file an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from centertrack.data.images import find_image, read_size
from centertrack.data.labels import IGNORED, Box, Classes, LabelledImages, Labels, Report, stop_at
from tracker.errors import InputError
from tracker.io.atomic import atomic_path
from tracker.io.reading import read_lines, read_number, read_xml_elements

VOC_CLASSES = [
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog"),
    *("horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
]
CORNERS = ("xmin", "ymin", "xmax", "ymax")


class VocSet(LabelledImages):
    """Images with boxes from a Pascal VOC folder.

    Pixels in the files count from 1 and the last one belongs to the box, so 1 is taken from the left and top alone.
    Difficult objects become regions to ignore. Classes are the twenty of VOC, or, where other names occur, all names
    in alphabetical order.

    Args:
        path: Folder with `Annotations` and `JPEGImages`.
        split: Name of a list in `ImageSets/Main`, for example `trainval`. None: all annotations.
        classes, identities, longest_side: As in `LabelledImages`.
        report: Is told of every broken file.

    Raises:
        InputError: A folder or file is missing, or is broken; with file and line.
    """

    def __init__(
        self,
        path: str | Path,
        split: str | None = None,
        classes: Classes | None = None,
        identities: str = "none",
        longest_side: int | None = None,
        report: Report = stop_at,
    ) -> None:
        root = Path(path)
        if not (root / "Annotations").is_dir():
            raise InputError(f"expected a Pascal VOC folder with Annotations and JPEGImages, got {root}")
        objects = []
        for file in _files(root, split):
            try:
                objects.append((file, _read_objects(file)))
            except InputError as error:
                report(error)
        found = {name for _, rows in objects for name, *_ in rows}
        names = VOC_CLASSES if found <= set(VOC_CLASSES) else sorted(found)
        number = {name: i for i, name in enumerate(names)}
        entries = []
        for file, rows in objects:
            image = find_image(root / "JPEGImages", file.stem)
            boxes = [
                Box(xyxy, IGNORED if difficult else number[name], -1, line) for name, xyxy, difficult, line in rows
            ]
            entries.append(Labels.of(image, image.name, file, boxes))
        super().__init__(entries, names, classes, identities, longest_side)


def _files(root: Path, split: str | None) -> list[Path]:
    if split is None:
        return sorted((root / "Annotations").glob("*.xml"))
    stems = [line.split()[0] for line in read_lines(root / "ImageSets" / "Main" / f"{split}.txt") if line.strip()]
    return [root / "Annotations" / f"{stem}.xml" for stem in stems]


VocObject = tuple[str, tuple[float, float, float, float], bool, int]


def _read_objects(path: Path) -> list[VocObject]:
    """Return name, box, difficult and line of every object."""
    # Objects may have parts with boxes of their own, at places such as part/bndbox/xmin.
    return [_object(texts, f"{path}:{line}", line) for line, texts in read_xml_elements(path, "object")]


def _object(texts: dict[str, str], where: str, line: int) -> VocObject:
    try:
        corners = [texts[f"bndbox/{corner}"] for corner in CORNERS]
        name = texts["name"].strip()
    except KeyError as error:
        raise InputError(f"{where}: an object needs name and bndbox/xmin, ymin, xmax, ymax; missing {error}") from error
    x1, y1, x2, y2 = (read_number(value, where, "corners of an object as numbers") for value in corners)
    return name, (x1 - 1, y1 - 1, x2, y2), texts.get("difficult", "0").strip() == "1", line


def write_voc(data: LabelledImages, images: Sequence[Path], folder: Path) -> None:
    """Write one XML file an image to `folder/Annotations`; corners are rounded to whole pixels, as VOC wants them.

    Args:
        data: The labels.
        images: File of each entry, within `folder`.
        folder: Of the new data set.
    """
    for entry, image in zip(data.entries, images, strict=True):
        width, height = read_size(image)
        entry = entry.in_pixels((width, height))
        named = zip([data.class_names[label] for label in entry.labels], entry.boxes.tolist(), strict=True)
        objects = [_xml(name, box, difficult=0) for name, box in named]
        objects += [_xml(data.class_names[0], box, difficult=1) for box in entry.ignore.tolist()]
        lines = [
            f"<annotation>\n  <filename>{escape(image.name)}</filename>",
            f"  <size><width>{width}</width><height>{height}</height><depth>3</depth></size>",
            *objects,
            "</annotation>",
        ]
        with atomic_path(folder / "Annotations" / f"{image.stem}.xml") as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _xml(name: str, box: list[float], difficult: int) -> str:
    corners = (round(box[0]) + 1, round(box[1]) + 1, round(box[2]), round(box[3]))
    bounds = "".join(f"<{tag}>{value}</{tag}>" for tag, value in zip(CORNERS, corners, strict=True))
    return f"  <object><name>{escape(name)}</name><difficult>{difficult}</difficult><bndbox>{bounds}</bndbox></object>"
