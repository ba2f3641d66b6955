"""MOTChallenge text: ground truth, public detections, results and sequence folders.

In the files frames, ids and the left and top of a box count from 1: the first pixel is (1, 1). The rows read here keep
the numbers of the file; `boxes_xyxy` is the conversion to the 0-based corners of the rest of the project.
"""

from __future__ import annotations

import configparser
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from tracker.errors import InputError
from tracker.io.atomic import OutputFile, cannot_write
from tracker.io.number_table import NumberTable, read_number_table

if TYPE_CHECKING:
    from tracker.detections import Tracks

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
RowsT = TypeVar("RowsT", bound="MotRows")

IMAGE_EXTENSIONS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
DEFAULT_FRAME_RATE = 30.0
_INTEGER_LIMIT = 2.0**53  # float64 has gaps beyond


@dataclass(frozen=True, slots=True, eq=False)
class MotRows:
    """Boxes of one sequence as columns, sorted by frame; within a frame in the order of the file.

    Attributes:
        path: The file they were read from.
        lines: (N,) int64, line of each row in the file, from 1.
        frames: (N,) int64, from 1.
        ids: (N,) int64; -1 in detections.
        boxes_xywh: (N, 4) float64, left, top, width, height in pixels as written: the first pixel is (1, 1).
    """

    path: Path
    lines: Integers
    frames: Integers
    ids: Integers
    boxes_xywh: Floats

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frames)

    @property
    def boxes_xyxy(self) -> NDArray[np.float32]:
        """(N, 4) float32, left, top, right, bottom, where the first pixel is (0, 0)."""
        left_top = self.boxes_xywh[:, :2] - 1
        return np.concatenate([left_top, left_top + self.boxes_xywh[:, 2:]], axis=1).astype(np.float32)

    def where(self: RowsT, keep: NDArray[np.bool_] | Integers) -> RowsT:
        """Return the rows that a mask (N,) or an array of row numbers selects."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen: dict[str, Any] = {name: value[keep] for name, value in values.items() if isinstance(value, np.ndarray)}
        return replace(self, **chosen)

    def shifted(self: RowsT, frames: int) -> RowsT:
        """Return the rows that many frames later."""
        return replace(self, frames=self.frames + frames)

    def row_error(self, row: int, problem: str) -> InputError:
        """Return the error that names file and line of one row."""
        return InputError(f"{self.path}:{self.lines[row]}: {problem}")


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruthRows(MotRows):
    """What a person annotated.

    Attributes:
        flags: (N,) int64, 0 = not to be evaluated.
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
    """

    scores: Floats
    classes: Integers


@dataclass(frozen=True, slots=True, eq=False)
class DetectionRows(MotRows):
    """What a detector found.

    Attributes:
        scores: (N,) float64, on the detector's own scale.
    """

    scores: Floats


def read_ground_truth(path: str | Path) -> GroundTruthRows:
    """Read gt.txt: frame, id, left, top, width, height [, flag [, class, visibility | x, y, z]].

    Files of 8 or 9 columns carry a class (MOT16, MOT17, MOT20, DanceTrack), others do not (MOT15 ends with world
    coordinates).

    Raises:
        InputError: The file cannot be read or a row is broken; with file, line and row.
    """
    table = read_number_table(path)
    has_classes = table.values.shape[1] in (8, 9)
    rows = GroundTruthRows(
        *_common_columns(table),
        flags=_integers(table, 6, default=1),
        classes=_integers(table, 7, default=1) if has_classes else np.ones(len(table.lines), np.int64),
        visibilities=_column(table, 8, 1) if has_classes else np.ones(len(table.lines)),
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
    """Read det.txt: frame, -1, left, top, width, height, score [, -1, -1, -1].

    Raises:
        InputError: The file cannot be read or a row is broken; with file, line and row.
    """
    table = read_number_table(path)
    return _sorted_by_frame(DetectionRows(*_common_columns(table), scores=_column(table, 6, default=1)))


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
    return table.path, table.lines, frames, ids, values[:, 2:6]


def _column(table: NumberTable, column: int, default: float) -> Floats:
    if table.values.shape[1] <= column:
        return np.full(len(table.lines), default)
    values = table.values[:, column]
    if not np.isfinite(values).all():
        raise table.row_error(int((~np.isfinite(values)).argmax()), f"expected a finite number in column {column + 1}")
    return values


def _integers(table: NumberTable, column: int, default: int) -> Integers:
    values = _column(table, column, default)
    too_large = np.abs(values) >= _INTEGER_LIMIT
    if too_large.any():
        raise table.row_error(int(too_large.argmax()), f"expected a small whole number in column {column + 1}")
    return values.astype(np.int64)


def _sorted_by_frame(rows: RowsT) -> RowsT:
    if (rows.frames[1:] >= rows.frames[:-1]).all():
        return rows
    return rows.where(np.argsort(rows.frames, kind="stable"))


@dataclass(frozen=True, slots=True)
class SequenceInfo:
    """What seqinfo.ini says about a sequence.

    Attributes:
        name: As in result files.
        image_folder: Where the frames lie.
        frame_rate: Frames a second.
        length: Number of frames.
        size: Width, height in pixels; (0, 0) where nothing says.
        extension: Of the images, with its dot.
    """

    name: str
    image_folder: Path
    frame_rate: float
    length: int
    size: tuple[int, int]
    extension: str


def read_sequence_info(folder: str | Path) -> SequenceInfo:
    """Read seqinfo.ini of a sequence folder, or make it up from the images where there is none (MOT15).

    Raises:
        InputError: There is neither, or a value is missing or no number.
    """
    folder = Path(folder)
    ini = folder / "seqinfo.ini"
    if not ini.is_file():
        return _info_from_images(folder)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(ini.read_text(encoding="utf-8-sig"))
        section = parser["Sequence"]
        return SequenceInfo(
            name=section.get("name", folder.name),
            image_folder=folder / section.get("imDir", "img1"),
            frame_rate=float(section.get("frameRate", str(DEFAULT_FRAME_RATE))),
            length=int(section["seqLength"]),
            size=(int(section.get("imWidth", "0")), int(section.get("imHeight", "0"))),
            extension=section.get("imExt", ".jpg"),
        )
    except KeyError as error:
        raise InputError(f"{ini}: expected a section [Sequence] with seqLength, {error} is missing") from error
    except (configparser.Error, ValueError) as error:
        raise InputError(f"{ini}: not a sequence description: {' '.join(str(error).split())}") from error


def _info_from_images(folder: Path) -> SequenceInfo:
    image_folder = folder / "img1" if (folder / "img1").is_dir() else folder
    if not image_folder.is_dir():
        raise InputError(f"expected a sequence folder with seqinfo.ini or images, found no folder {folder}")
    images = sorted(path for path in image_folder.iterdir() if path.suffix.lower() in IMAGE_EXTENSIONS)
    if not images:
        raise InputError(f"{folder}: expected seqinfo.ini or images in img1, found neither")
    return SequenceInfo(
        name=folder.resolve().name,
        image_folder=image_folder,
        frame_rate=DEFAULT_FRAME_RATE,
        length=len(images),
        size=_image_size(images[0]),
        extension=images[0].suffix,
    )


def _image_size(path: Path) -> tuple[int, int]:
    import cv2  # 0.1 s to import, needed only where seqinfo.ini is missing

    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise InputError(f"cannot read the image {path}")
    return image.shape[1], image.shape[0]


class MotWriter(OutputFile):
    r"""Writes a tracker's output as MOTChallenge rows, one call a frame.

    The file takes its name when it is complete; after an exception what was tracked so far is kept beside it, see
    `OutputFile`.

    Args:
        path: The file to write; missing folders are made.

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

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self._file = self.temporary.open("w", encoding="ascii", newline="\n")

    def write(self, frame_number: int, tracks: Tracks) -> None:
        """Append the boxes of one frame.

        Args:
            frame_number: From 1.
            tracks: Its boxes are xyxy in 0-based pixels; the file's are 1-based.
        """
        boxes = tracks.boxes.astype(np.float64)
        left_top = boxes[:, :2] + 1
        sizes = boxes[:, 2:] - boxes[:, :2]
        rows = []
        for identity, (left, top), (width, height), score in zip(
            tracks.ids.tolist(), left_top.tolist(), sizes.tolist(), tracks.scores.tolist(), strict=True
        ):
            rows.append(
                f"{frame_number},{identity},{left:.2f},{top:.2f},{width:.2f},{height:.2f},{score:.4f},-1,-1,-1\n"
            )
        try:
            self._file.write("".join(rows))
        except OSError as error:
            self.abandon()
            raise cannot_write(self.path, error, self.partial) from error

    @override
    def _finish(self) -> None:
        self._file.close()
