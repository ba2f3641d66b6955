"""MOTChallenge text: ground truth, public detections, results and sequence folders.

In the files frames, ids and the left and top of a box count from 1: the first pixel is (1, 1). The rows read here keep
the numbers of the file; `boxes_xyxy` is the conversion to the 0-based corners of the rest of the project.
"""

from __future__ import annotations

import configparser
import logging
import re
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from tracker.errors import InputError
from tracker.io.atomic import OutputFile, cannot_write
from tracker.io.frames import frame_files
from tracker.io.number_table import NumberTable, read_number_table
from tracker.io.reading import MAX_CLASS, MAX_FRAMES, MAX_NUMBER, read_number, read_text, read_whole
from tracker.wording import counted

if TYPE_CHECKING:
    from tracker.detections import Tracks

_LOG = logging.getLogger(__name__)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
RowsT = TypeVar("RowsT", bound="MotRows")

DEFAULT_FRAME_RATE = 30.0
MIN_SIDE = 0.01  # of a box, in pixels: the least that rows can say
MAX_SIDE = 10**6  # of an image, in pixels
FRAME_RATES = (1e-3, 1e5)  # allowed in seqinfo.ini
_INTEGER_LIMIT = 2.0**53  # float64 has gaps beyond


@dataclass(frozen=True, slots=True, eq=False)
class MotRows:
    """Boxes of one sequence as columns, sorted by frame; within a frame in the order of the file.

    Attributes:
        path: The file they were read from.
        lines: (N,) int64, line of each row in the file, from 1; of a format without lines the place in its list.
        frames: (N,) int64, from 1.
        ids: (N,) int64; -1 in detections.
        boxes_xywh: (N, 4) float64, left, top, width, height in pixels as written: the first pixel is (1, 1).
        unit: What `lines` counts, such as "annotations"; lines where it is empty.
    """

    path: Path
    lines: Integers
    frames: Integers
    ids: Integers
    boxes_xywh: Floats
    unit: str = field(default="", kw_only=True)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frames)

    @property
    def boxes_xyxy(self) -> NDArray[np.float32]:
        """(N, 4) float32, left, top, right, bottom, where the first pixel is (0, 0)."""
        left_top = self.boxes_xywh[:, :2] - 1
        return np.concatenate([left_top, left_top + self.boxes_xywh[:, 2:]], axis=1).astype(np.float32)

    @property
    def have_size(self) -> NDArray[np.bool_]:
        """(N,) whether a box is at least `MIN_SIDE` wide and high."""
        return np.asarray((self.boxes_xywh[:, 2:] >= MIN_SIDE).all(axis=1))

    def warn_of_no_size(self, consequence: str) -> None:
        """Say how many boxes have no size, where the first one stands, and what becomes of them."""
        without = np.flatnonzero(~self.have_size)
        if len(without):
            boxes = counted(len(without), "box has", "boxes have")
            first = self.lines[without].min()
            where = f"{self.unit}[{first}]" if self.unit else f"line {first}"
            _LOG.warning("%s: %s no size (the first in %s) and %s", self.path, boxes, where, consequence)

    def where(self: RowsT, keep: NDArray[np.bool_] | Integers) -> RowsT:
        """Return the rows that a mask (N,) or an array of row numbers selects."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        chosen: dict[str, Any] = {name: value[keep] for name, value in values.items() if isinstance(value, np.ndarray)}
        return replace(self, **chosen)

    def shifted(self: RowsT, frames: int) -> RowsT:
        """Return the rows that many frames later."""
        return replace(self, frames=self.frames + frames)

    def row_error(self, row: int, problem: str) -> InputError:
        """Return the error that names file and line of one row.

        Args:
            row: Counted from 0.
            problem: The rest of the sentence.
        """
        return InputError(f"{self.place(row)}: {problem}")

    def place(self, row: int) -> str:
        """Return file and line of one row, or its place in the file's list."""
        number = self.lines[row]
        return f"{self.path}: {self.unit}[{number}]" if self.unit else f"{self.path}:{number}"


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruthRows(MotRows):
    """What a person annotated.

    Attributes:
        flags: (N,) int64, 0 = not to be evaluated, otherwise 1.
        classes: (N,) int64, 1 = pedestrian; 1 everywhere in files without classes (MOT15).
        visibilities: (N,) float64 in [0, 1]; 1 where the file does not say.
        has_classes: Whether the file says classes.
    """

    flags: Integers
    classes: Integers
    visibilities: Floats
    has_classes: bool


@dataclass(frozen=True, slots=True, eq=False)
class ResultRows(MotRows):
    """What a tracker found.

    Attributes:
        scores: (N,) float64; 1 where the file does not say.
        classes: (N,) int64, -1 where the file does not say.
        seen: (N,) whether the object was detected in this frame; None where the file does not say.
    """

    scores: Floats
    classes: Integers
    seen: NDArray[np.bool_] | None = field(default=None, kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class DetectionRows(MotRows):
    """What a detector found.

    Attributes:
        scores: (N,) float64, on the detector's own scale.
        classes: (N,) int64 from 1, -1 everywhere where the file does not say.
    """

    scores: Floats
    classes: Integers

    @property
    def have_classes(self) -> bool:
        """Whether the file says classes."""
        return bool((self.classes > 0).any())


def read_ground_truth(path: str | Path) -> GroundTruthRows:
    """Read gt.txt: frame, id, left, top, width, height [, flag [, class, visibility | x, y, z]].

    Files of 8 or 9 columns carry a class (MOT16, MOT17, MOT20, DanceTrack), others do not (MOT15 ends with world
    coordinates), nor do those whose classes are all -1. What a tracker wrote can serve as ground truth: its score,
    whatever it is, counts as a flag of 1 unless it is 0, and its column 8 is a class where `read_detections` takes it
    for one.

    Raises:
        InputError: The file cannot be read or a row is broken; with file, line and row.
    """
    table = read_number_table(path)
    classes = _integers(table, 7, default=1)
    is_tracked = table.values.shape[1] > 9 and _says_classes(table)
    is_labelled = table.values.shape[1] in (8, 9) and not (len(classes) > 0 and (classes == -1).all())
    has_classes = is_tracked or is_labelled
    rows = GroundTruthRows(
        *_common_columns(table),
        flags=(_column(table, 6, default=1) != 0).astype(np.int64),
        classes=classes if has_classes else np.ones(len(table.lines), np.int64),
        visibilities=_column(table, 8, 1) if is_labelled else np.ones(len(table.lines)),
        has_classes=has_classes,
    )
    return _sorted_by_frame(rows)


def read_results(path: str | Path) -> ResultRows:
    """Read a tracker's output: frame, id, left, top, width, height [, score, class or -1, -1, -1].

    Raises:
        InputError: The file cannot be read or a row is broken; with file, line and row.
    """
    table = read_number_table(path)
    rows = ResultRows(
        *_common_columns(table),
        scores=_column(table, 6, default=1),
        classes=_integers(table, 7, default=-1),
    )
    return _sorted_by_frame(rows)


def read_detections(path: str | Path) -> DetectionRows:
    """Read det.txt: frame, -1, left, top, width, height, score [, class or -1, -1, -1].

    Column 8 is a class where it is a whole number from 1 in every row, and what follows is -1; in files of MOT15 it may
    be a coordinate in the world.

    Raises:
        InputError: The file cannot be read or a row is broken; with file, line and row.
    """
    table = read_number_table(path)
    common = _common_columns(table)
    classes = _column(table, 7, default=-1) if _says_classes(table) else np.full(len(table.lines), -1.0)
    rows = DetectionRows(*common, scores=_column(table, 6, default=1), classes=classes.astype(np.int64))
    return _sorted_by_frame(rows)


def _common_columns(table: NumberTable) -> tuple[Path, Integers, Integers, Integers, Floats]:
    """Return path, lines, frames, ids and boxes, checked."""
    values = table.values
    if len(values) == 0:
        values = np.empty((0, 6))
    if values.shape[1] < 6:
        raise table.row_error(
            0, f"expected at least 6 columns (frame, id, left, top, width, height), got {values.shape[1]}"
        )
    if not np.isfinite(values[:, :6]).all():
        raise table.row_error(int((~np.isfinite(values[:, :6])).any(axis=1).argmax()), "expected finite numbers")
    frames_ids = values[:, :2]
    is_whole = (frames_ids == np.floor(frames_ids)) & (np.abs(frames_ids) < _INTEGER_LIMIT)
    if not is_whole.all():
        raise table.row_error(int((~is_whole).any(axis=1).argmax()), "expected whole numbers as frame and id")
    frames, ids = frames_ids.astype(np.int64).T
    is_far = (np.abs(values[:, 2:6]) > MAX_NUMBER).any(axis=1)
    if is_far.any():
        raise table.row_error(int(is_far.argmax()), f"expected a box from {-MAX_NUMBER:.0f} to {MAX_NUMBER:.0f}")
    if frames.max(initial=0) > MAX_FRAMES:
        raise table.row_error(int((frames > MAX_FRAMES).argmax()), f"expected a frame up to {MAX_FRAMES}")
    return table.path, table.lines, frames, ids, values[:, 2:6]


def _column(table: NumberTable, column: int, default: float) -> Floats:
    if table.values.shape[1] <= column:
        return np.full(len(table.lines), default)
    values = table.values[:, column]
    usable = np.abs(values) <= MAX_NUMBER  # false where not finite
    if not usable.all():
        raise table.row_error(
            int((~usable).argmax()),
            f"expected a finite number from {-MAX_NUMBER:.0f} to {MAX_NUMBER:.0f} in column {column + 1}",
        )
    return values


def _says_classes(table: NumberTable) -> bool:
    """Tell whether column 8 is a class in every row, and what follows is -1, as detectors and trackers write it."""
    classes = _column(table, 7, default=-1)
    is_class = (classes >= 1) & (classes <= MAX_CLASS) & (classes % 1 == 0) & (table.values[:, 8:] == -1).all(axis=1)
    return len(classes) > 0 and bool(is_class.all())


def _integers(table: NumberTable, column: int, default: int) -> Integers:
    return _column(table, column, default).astype(np.int64)


def _sorted_by_frame(rows: RowsT) -> RowsT:
    if (rows.frames[1:] >= rows.frames[:-1]).all():
        return rows
    return rows.where(np.argsort(rows.frames, kind="stable"))


@dataclass(frozen=True, slots=True)
class SequenceInfo:
    """What seqinfo.ini says about a sequence.

    Attributes:
        name: As written; `clean_name` makes a file name of it.
        image_folder: Where the frames lie.
        frame_rate: Frames a second.
        length: Number of frames.
        size: Width, height in pixels; (0, 0) where nothing says.
        extension: Of the images, with its dot.
        tells_frame_rate: Whether the frame rate was read, and not assumed.
    """

    name: str
    image_folder: Path
    frame_rate: float
    length: int
    size: tuple[int, int]
    extension: str
    tells_frame_rate: bool = True


def read_sequence_info(folder: str | Path) -> SequenceInfo:
    """Read seqinfo.ini of a sequence folder, or make it up from the images where there is none (MOT15).

    Raises:
        InputError: There is neither, or a value is missing, no number or out of bounds; with file and line.
    """
    folder = Path(folder)
    ini = folder / "seqinfo.ini"
    if not ini.is_file():
        return _info_from_images(folder)
    parser = configparser.ConfigParser(interpolation=None)
    text = read_text(ini)
    try:
        parser.read_string(text)
        section = dict(parser["Sequence"])  # keys in small letters
        section["seqlength"]
    except KeyError as error:
        raise InputError(f"{ini}: expected a section [Sequence] with seqLength, {error} is missing") from error
    except configparser.Error as error:
        raise InputError(f"{ini}: not a sequence description: {' '.join(str(error).split())}") from error

    def where(key: str) -> str:
        found = re.search(rf"^{key}\s*[=:]", text, re.IGNORECASE | re.MULTILINE)
        return f"{ini}:{text.count(chr(10), 0, found.start()) + 1}" if found else str(ini)

    def whole(key: str, least: int, most: int, default: str = "0") -> int:
        return read_whole(section.get(key.lower(), default), where(key), key, least, most)

    rate = section.get("framerate", str(DEFAULT_FRAME_RATE))
    return SequenceInfo(
        name=section.get("name", folder.name),
        image_folder=folder / section.get("imdir", "img1"),
        frame_rate=read_number(rate, where("frameRate"), "frameRate", *FRAME_RATES),
        length=whole("seqLength", 1, MAX_FRAMES),
        size=(whole("imWidth", 0, MAX_SIDE), whole("imHeight", 0, MAX_SIDE)),
        extension=section.get("imext", ".jpg"),
        tells_frame_rate="framerate" in section,
    )


def _info_from_images(folder: Path) -> SequenceInfo:
    from tracker.io.images import read_size  # needed only where seqinfo.ini is missing; 0.1 s to import

    image_folder = folder / "img1" if (folder / "img1").is_dir() else folder
    if not image_folder.is_dir():
        raise InputError(f"expected a sequence folder with seqinfo.ini or images, found no folder {folder}")
    images = frame_files(image_folder)
    if not images:
        raise InputError(f"{folder}: expected seqinfo.ini or images in img1, found neither")
    return SequenceInfo(
        name=folder.resolve().name,
        image_folder=image_folder,
        frame_rate=DEFAULT_FRAME_RATE,
        length=max(images),
        size=read_size(images[min(images)]),
        extension=images[min(images)].suffix,
        tells_frame_rate=False,
    )


class MotWriter(OutputFile):
    r"""Writes a tracker's output as MOTChallenge rows, one call a frame.

    The file takes its name when it is complete; after an exception what was tracked so far is kept beside it, see
    `OutputFile`.
    Boxes that are narrower or lower than rows can say are left out, with a warning in the end.

    Args:
        path: The file to write; missing folders are made.
        has_classes: Whether the labels of the tracks say classes: column 8 is then the label + 1, otherwise -1.

    Attributes:
        labels: Id -> label of everybody who was written, 0 where labels say no classes.

    Raises:
        InputError: The file cannot be written.

    >>> import tempfile
    >>> from types import SimpleNamespace
    >>> tracks = SimpleNamespace(ids=np.array([3]), boxes=np.array([[0, 9, 20, 59]]), scores=np.array([0.5]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with MotWriter(Path(folder, "rows.txt")) as writer:
    ...         writer.write(1, tracks)
    ...     Path(folder, "rows.txt").read_text()
    '1,3,1.00,10.00,20.00,50.00,0.5000,-1,-1,-1\n'
    """

    def __init__(self, path: str | Path, has_classes: bool = False) -> None:
        super().__init__(path)
        self._file = self.temporary.open("w", encoding="ascii", newline="\n")
        self._rows = MotRowText(has_classes)
        self.labels = self._rows.labels

    def write(self, frame_number: int, tracks: Tracks, time: float | None = None) -> None:
        """Append the boxes of one frame.

        Args:
            frame_number: From 1.
            tracks: Its boxes are xyxy in 0-based pixels; the file's are 1-based.
            time: Is not written: rows have no times.
        """
        del time
        try:
            self._file.write(self._rows.text(frame_number, tracks))
        except OSError as error:
            self.abandon()
            raise cannot_write(self.path, error, self.partial) from error

    @override
    def _finish(self) -> None:
        self._file.close()
        warn_of_left_out(self.path, self._rows.left_out)


class MotRowText:
    """Turns tracks into the text of MOTChallenge rows.

    Args:
        has_classes: As of `MotWriter`.

    Attributes:
        labels: Id -> label of everybody who is in a row, 0 where labels say no classes.
        left_out: Boxes without a size.
    """

    def __init__(self, has_classes: bool = False) -> None:
        self._has_classes = has_classes
        self.labels: dict[int, int] = {}
        self.left_out = 0

    def text(self, frame_number: int, tracks: Tracks) -> str:
        """Return the rows of one frame.

        Args:
            frame_number: From 1.
            tracks: Boxes xyxy in pixels from 0.
        """
        boxes = tracks.boxes.astype(np.float64)
        left_top = boxes[:, :2] + 1
        sizes = boxes[:, 2:] - boxes[:, :2]
        labels = tracks.labels.tolist() if self._has_classes else [0] * len(boxes)
        rows = []
        for identity, (left, top), (width, height), score, label in zip(
            tracks.ids.tolist(), left_top.tolist(), sizes.tolist(), tracks.scores.tolist(), labels, strict=True
        ):
            if not (width > MIN_SIDE / 2 and height > MIN_SIDE / 2):  # would be written as 0.00 or nan
                self.left_out += 1
                continue
            self.labels[identity] = label
            rows.append(
                f"{frame_number},{identity},{left:.2f},{top:.2f},{width:.2f},{height:.2f},{score:.4f},"
                f"{label + 1 if self._has_classes else -1},-1,-1\n"
            )
        return "".join(rows)


def warn_of_left_out(path: Path, count: int) -> None:
    """Say how many boxes without a size a file lacks.

    Args:
        path: The file.
        count: How many.
    """
    if count:
        left_out = counted(count, "box without a size is", "boxes without a size are")
        _LOG.warning("%s: %s left out", path, left_out)
