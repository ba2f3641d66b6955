"""The label formats by name: who reads them, who writes them, and how to tell which one a folder has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from centertrack.configuration import build
from centertrack.data.formats.coco import CocoSet, write_coco
from centertrack.data.formats.crowdhuman import CrowdHumanSet, write_crowdhuman
from centertrack.data.formats.cvat import CvatSet, write_cvat
from centertrack.data.formats.jde import JdeSet, write_jde
from centertrack.data.formats.kitti import KittiSet, write_kitti
from centertrack.data.formats.mot import MotSet, write_mot
from centertrack.data.formats.videos import VideoSet
from centertrack.data.formats.voc import VocSet, write_voc
from centertrack.data.formats.yolo import YoloSet, write_yolo
from centertrack.data.labels import LabelledImages
from tracker.errors import InputError
from tracker.io.cvat_video import is_cvat_video
from tracker.io.json_file import cached_json
from tracker.io.scalabel import is_scalabel

IMAGE_LIST_SUFFIXES = (".txt", ".train", ".val", ".test", ".half", ".all")
Writer = Callable[[LabelledImages, Sequence[Path], Path], None]


class Format(NamedTuple):
    """One label format.

    Attributes:
        read: Its data set.
        write: Its writer; None for a format that is only read.
        image_place: Where the writer wants an image: `sequence`, `frame` (from 1), `index` (from 0), `suffix`, `name`
            (with folders) or `flat` (without) are filled in.
        has_classes, has_identities, has_ignored: Whether it knows several classes, identities, regions to ignore.
    """

    read: Callable[..., LabelledImages]
    write: Writer | None
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
    "scalabel": Format(partial(VideoSet, format_name="scalabel"), None, ""),
    "visdrone": Format(partial(VideoSet, format_name="visdrone"), None, ""),
    "cvat-video": Format(partial(VideoSet, format_name="cvat-video"), None, ""),
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
    return build(FORMATS[format_name].read, f"{format_name} data {path}", options, path)


def guess_format(path: Path) -> str:
    """Tell the label format of a file or folder.

    Raises:
        InputError: It is none of those known, or does not exist.
    """
    if not path.exists():
        raise InputError(f"expected labelled data: {path} does not exist")
    if path.suffix == ".json":
        return "scalabel" if is_scalabel(cached_json(path)) else "coco"
    if is_cvat_video(path):
        return "cvat-video"
    if path.suffix == ".odgt":
        return "crowdhuman"
    if path.is_file() and path.suffix in IMAGE_LIST_SUFFIXES:
        return "jde"
    if (path / "Annotations").is_dir() and (path / "JPEGImages").is_dir():
        return "voc"
    if (path / "annotations").is_dir() and (path / "sequences").is_dir():
        return "visdrone"
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
        "of VOC (Annotations), KITTI (label_02), YOLO (images, labels), VisDrone (annotations, sequences), CVAT "
        "(gt/labels.txt or annotations.xml) or MOTChallenge (gt/gt.txt)"
    )
