"""The formats of ground truth and results by name: which sequences a path holds, and what is in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tracker.errors import InputError
from tracker.io.coco_video import coco_sequences, coco_table, is_coco
from tracker.io.cvat_mot import LABELS_FILE, cvat_mot_table
from tracker.io.cvat_video import cvat_video_sequences, cvat_video_table, is_cvat_video
from tracker.io.json_file import cached_json
from tracker.io.kitti import is_kitti, kitti_sequences, kitti_table
from tracker.io.label_studio import is_label_studio, label_studio_sequences, label_studio_table
from tracker.io.reading import is_folder, read_lines
from tracker.io.scalabel import is_scalabel, scalabel_sequences, scalabel_table
from tracker.io.sequence_table import SequenceTable, mot_ground_truth, mot_results
from tracker.io.tracks_csv import csv_tracks_table, is_csv_tracks
from tracker.io.tracks_json import is_json_tracks, json_lines_tracks_table, json_tracks_table
from tracker.io.tracks_parquet import parquet_tracks_table
from tracker.io.visdrone import visdrone_results, visdrone_sequences, visdrone_table

MOT, CVAT = "mot", "cvat"
_TOLD_BY_FILE = (".json", ".jsonl", ".csv", ".parquet")
CLASS_FILES = ("classes.txt", "names.txt")  # a class a line, from 1; beside the sequences or in one


class TrackFormat(NamedTuple):
    """A format other than MOTChallenge's, whose folders `find_sequences` knows.

    Attributes:
        sequences: Name -> file of each sequence at a path.
        truth: Reads the ground truth of one sequence, from its file and its name.
        results: Reads a tracker's output likewise.
        benchmark: Whose rules it brings, "" for none.
        is_text: Whether results are a folder of SEQUENCE.txt, as MOTChallenge's.
    """

    sequences: Callable[[Path], dict[str, Path]]
    truth: Callable[[Path, str], SequenceTable]
    results: Callable[[Path, str], SequenceTable]
    benchmark: str = ""
    is_text: bool = False


def _own_format(suffix: str, read: Callable[[Path, str], SequenceTable]) -> TrackFormat:
    """Return one of the formats that `track` writes, a file a sequence."""

    def sequences(path: Path) -> dict[str, Path]:
        return {file.stem: file for file in ([path] if path.is_file() else sorted(path.glob(f"*{suffix}")))}

    return TrackFormat(sequences, lambda path, name: read(path, name).as_labels(), read)


OWN_FORMATS: Mapping[str, TrackFormat] = {
    "csv": _own_format(".csv", csv_tracks_table),
    "json": _own_format(".json", json_tracks_table),
    "jsonl": _own_format(".jsonl", json_lines_tracks_table),
    "parquet": _own_format(".parquet", parquet_tracks_table),
}
"""What `track` and `associate` write beside MOTChallenge rows; the name is the suffix of the files."""
FORMATS: Mapping[str, TrackFormat] = {
    "kitti": TrackFormat(kitti_sequences, kitti_table, kitti_table, "KITTI", is_text=True),
    "visdrone": TrackFormat(visdrone_sequences, visdrone_table, visdrone_results, "VisDrone", is_text=True),
    "scalabel": TrackFormat(scalabel_sequences, scalabel_table, scalabel_table, "BDD100K"),
    "cvat-video": TrackFormat(cvat_video_sequences, cvat_video_table, cvat_video_table),
    "coco": TrackFormat(coco_sequences, coco_table, coco_table),
    "label-studio": TrackFormat(label_studio_sequences, label_studio_table, label_studio_table),
    **OWN_FORMATS,
}
FORMAT_NAMES = (MOT, CVAT, *FORMATS)


def guess_track_format(path: Path) -> str:
    """Tell the format of a file or folder by its layout; MOTChallenge's where nothing else is recognised.

    CVAT's MOT export is told sequence by sequence (`read_truth`): it has a labels.txt beside its gt.txt.

    Raises:
        InputError: A JSON file is of no format.
    """
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _guess_json(path)
    if suffix in (".jsonl", ".parquet"):
        return suffix[1:]
    if suffix == ".csv" and is_csv_tracks(path):
        return "csv"
    if is_cvat_video(path):
        return "cvat-video"
    if not is_folder(path):
        return "kitti" if is_kitti(path) else MOT
    if (path / "label_02").is_dir():
        return "kitti"
    if any((path / "annotations").glob("*.txt")) if (path / "annotations").is_dir() else False:
        return "visdrone"
    first = min((file for file in path.iterdir() if file.suffix.lower() in _TOLD_BY_FILE), default=None)
    if first is not None and not any(path.glob("*.txt")):
        return guess_track_format(first)
    if any(path.glob("*.xml")) or any(path.glob("*/annotations.xml")):
        return "cvat-video"
    first = min(path.glob("*.txt"), default=None)
    return "kitti" if first is not None and is_kitti(first) else MOT


def read_truth(format_name: str, path: Path, name: str, named_by: Path | None = None) -> SequenceTable:
    """Read the ground truth of one sequence.

    Args:
        format_name: One of FORMAT_NAMES.
        path: Its file.
        name: Of the sequence.
        named_by: A folder above, in which a file of class names may lie (MOTChallenge's format).

    Raises:
        InputError: A row is broken; with file and line.
    """
    if format_name == CVAT or (format_name == MOT and _is_cvat(path)):
        return cvat_mot_table(path)
    if format_name == MOT:
        return mot_ground_truth(path, read_names_beside(path, named_by))
    return FORMATS[format_name].truth(path, name)


def read_found(format_name: str, path: Path, name: str, truth: Path) -> SequenceTable:
    """Read a tracker's output of one sequence; the arguments are those of `read_truth`.

    Args:
        format_name: One of FORMAT_NAMES.
        path: Its file.
        name: Of the sequence.
        truth: The file of the ground truth, whose images a COCO list of results means.

    Raises:
        InputError: A row is broken; with file and line.
    """
    if format_name in (MOT, CVAT):
        return mot_results(path, {})
    if format_name == "coco":
        return coco_table(path, name, truth)
    return FORMATS[format_name].results(path, name)


def read_tracks(path: Path) -> SequenceTable:
    """Read a tracker's output of one sequence by itself, in the format that its layout tells.

    Raises:
        InputError: As `guess_track_format` and `read_found`.
    """
    return read_found(guess_track_format(path), path, path.stem, path)


def read_names_beside(path: Path, top: Path | None) -> dict[int, str]:
    """Return class number -> name as a file of class names in the sequence's folders says; nothing where there is none.

    Args:
        path: A gt.txt.
        top: The folder up to which to look; only the file's own folder where it is None.
    """
    folders = [path.parent]
    while top is not None and folders[-1] != top and top in folders[-1].parents:
        folders.append(folders[-1].parent)
    for folder in folders:
        for file in (folder / name for name in CLASS_FILES):
            if file.is_file() and file != path:
                lines = (line.strip() for line in read_lines(file))
                return dict(enumerate((line for line in lines if line), start=1))
    return {}


def _is_cvat(path: Path) -> bool:
    return path.name == "gt.txt" and (path.parent / LABELS_FILE).is_file()


def _guess_json(path: Path) -> str:
    content = cached_json(path)
    for name, fits in (("coco", is_coco), ("scalabel", is_scalabel), ("json", is_json_tracks),
                       ("label-studio", is_label_studio)):  # fmt: skip
        if fits(content):
            return name
    raise InputError(
        f"{path}: expected COCO (images, annotations, categories), what `centertrack track` writes (tracks), tasks of "
        "Label Studio (data, annotations), or Scalabel (a list of frames with labels)"
    )
