"""The label formats by name: who reads them, who writes them, and how to tell which one a folder has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from centertrack.data.formats.coco import CocoSet, write_coco
from centertrack.data.formats.crowdhuman import CrowdHumanSet, write_crowdhuman
from centertrack.data.formats.cvat import CvatSet, write_cvat
from centertrack.data.formats.jde import JdeSet, write_jde
from centertrack.data.formats.kitti import KittiSet, write_kitti
from centertrack.data.formats.mot import MotSet, write_mot
from centertrack.data.formats.voc import VocSet, write_voc
from centertrack.data.formats.yolo import YoloSet, write_yolo
from centertrack.data.labels import LabelledImages
from tracker.errors import InputError

IMAGE_LIST_SUFFIXES = (".txt", ".train", ".val", ".test", ".half", ".all")
Writer = Callable[[LabelledImages, Sequence[Path], Path], None]


class Format(NamedTuple):
    """One label format.

    Attributes:
        read: Its data set.
        write: Its writer.
        image_place: Where the writer wants an image: `sequence`, `frame` (from 1), `index` (from 0), `suffix`, `name`
            (with folders) or `flat` (without) are filled in.
        has_classes, has_identities, has_ignored: Whether it knows several classes, identities, regions to ignore.
    """

    read: Callable[..., LabelledImages]
    write: Writer
    image_place: str
    has_classes: bool = True
    has_identities: bool = True
    has_ignored: bool = True


FORMATS: Mapping[str, Format] = {
    "coco": Format(CocoSet, write_coco, "images/{name}"),
    "crowdhuman": Format(CrowdHumanSet, write_crowdhuman, "Images/{flat}", has_classes=False, has_identities=False),
    "cvat": Format(CvatSet, write_cvat, "{sequence}/img1/{frame:06d}{suffix}"),
    "jde": Format(JdeSet, write_jde, "images/{name}", has_ignored=False),
    "kitti": Format(KittiSet, write_kitti, "image_02/{sequence}/{index:06d}{suffix}"),
    "mot": Format(MotSet, write_mot, "{sequence}/img1/{frame:06d}{suffix}", has_classes=False),
    "voc": Format(VocSet, write_voc, "JPEGImages/{flat}", has_identities=False),
    "yolo": Format(YoloSet, write_yolo, "images/{name}", has_ignored=False),
}


def open_labels(format_name: str, path: Path, **options: Any) -> LabelledImages:
    """Open a labelled data set.

    Raises:
        InputError: Unknown format or option, or the data are not what they should be.
    """
    if format_name not in FORMATS:
        raise InputError(f"data format must be one of {', '.join(FORMATS)}, got {format_name!r}")
    try:
        return FORMATS[format_name].read(path, **options)
    except TypeError as error:
        raise InputError(f"options of {format_name} data {path}: {str(error).split('() ')[-1]}") from error


def guess_format(path: Path) -> str:
    """Tell the label format of a file or folder.

    Raises:
        InputError: It is none of those known, or does not exist.
    """
    if not path.exists():
        raise InputError(f"expected labelled data: {path} does not exist")
    if path.suffix == ".json":
        return "coco"
    if path.suffix == ".odgt":
        return "crowdhuman"
    if path.is_file() and path.suffix in IMAGE_LIST_SUFFIXES:
        return "jde"
    if (path / "Annotations").is_dir():
        return "voc"
    if (path / "label_02").is_dir():
        return "kitti"
    if (path / "labels").is_dir() and (path / "images").is_dir():
        return "yolo"
    if any(path.glob("gt/labels.txt")) or any(path.glob("*/gt/labels.txt")):
        return "cvat"
    if any(path.glob("gt/gt.txt")) or any(path.glob("*/gt/gt.txt")):
        return "mot"
    raise InputError(
        f"cannot tell the label format of {path}: expected a COCO .json, a CrowdHuman .odgt, a JDE list, or a folder "
        "of VOC (Annotations), KITTI (label_02), YOLO (images, labels), CVAT or MOTChallenge (gt/gt.txt)"
    )
