"""MOTChallenge sequences as training data: every frame a sample, every track an identity."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import numpy as np

from centertrack.data.images import read_size
from centertrack.data.labels import Classes, LabelledImages, Labels, Report, stop_at
from centertrack.data.sample import Array
from tracker.errors import InputError
from tracker.evaluation.frame_range import parse_frames
from tracker.io.atomic import atomic_path
from tracker.io.frames import frame_files
from tracker.io.mot import DEFAULT_FRAME_RATE, GroundTruthRows, SequenceInfo, read_ground_truth, read_sequence_info
from tracker.wording import agreed, counted

_LOG = logging.getLogger(__name__)

PEDESTRIAN = 1
UNCERTAIN = (1, 2, 7, 8, 12)  # flagged pedestrians, people on vehicles, static people, distractors, reflections
MIN_VISIBILITY = 0.1


class MotSet(LabelledImages):
    """Frames of one MOTChallenge sequence, or of all sequences of a folder: MOT15, MOT16, MOT17, MOT20, DanceTrack.

    Pedestrians with flag 1 are objects; flagged ones and look-alikes (people on vehicles, static people, distractors,
    reflections) are ignore regions; other classes are background. Almost invisible people are ignored too.

    Args:
        path: Sequence folder with `gt/gt.txt` and images, or a folder of such folders.
        frames: First and last frame, from 1, both included; or `half-train`, `half-val`, `A:B`, of every sequence.
            None: all.
        step: Take every n-th frame; neighbours look alike.
        longest_side: Images are kept at most this large, in pixels. None: as they are.
        min_visibility: People less visible than this are ignored, not learnt.
        objects: The class, or classes, of column 8 that are learnt; 1 is pedestrian, and called person.
        sequences: Names or patterns such as `*-SDP`: MOT17 has every video three times. None: all.
        classes, identities: As in `LabelledImages`; the one class is `person`.
        report: Is told of every broken sequence.

    Raises:
        InputError: The folder holds no sequence with ground truth, a row is broken (with file and line), `frames`
            lies outside of a sequence, or of all rows none is an object.
    """

    def __init__(
        self,
        path: str | Path,
        frames: Sequence[int] | str | None = None,
        step: int = 1,
        longest_side: int | None = None,
        min_visibility: float = MIN_VISIBILITY,
        sequences: Sequence[str] | None = None,
        classes: Classes | None = None,
        identities: str = "labels",
        report: Report = stop_at,
        objects: int | Sequence[int] = PEDESTRIAN,
    ) -> None:
        entries: list[Labels] = []
        known: list[Array] = []
        numbers = [objects] if isinstance(objects, int) else list(objects)
        every_row: list[GroundTruthRows] = []
        found_any = False
        for folder in sequence_folders(Path(path), sequences):
            try:
                info, rows = read_sequence_info(folder), read_ground_truth(folder / "gt" / "gt.txt")
                images = frame_images(info)
                chosen = frames_with_images(folder, _choose(folder, frames, min(info.length, max(images))), images)
            except InputError as error:
                report(error)
                continue
            is_object = _objects(rows, min_visibility, numbers)
            found_any |= bool(is_object.any())
            every_row.append(rows)
            ids = np.unique(rows.ids[is_object & (rows.frames >= chosen[0]) & (rows.frames <= chosen[-1])])
            known.append(np.stack((np.full_like(ids, len(known)), ids), axis=1))
            rate = info.frame_rate / step
            entries += _entries(folder, rate, images, rows, is_object, chosen[::step], numbers)
        if sum(map(len, every_row)) and not found_any:
            report(_no_objects(path, every_row))
        universe = np.concatenate(known) if known else np.zeros((0, 2), np.int64)
        names = ["person" if number == PEDESTRIAN else f"class {number}" for number in numbers]
        super().__init__(entries, names, classes, identities, longest_side, universe)
        unclassed = sum(len(rows) for rows in every_row if not rows.has_classes)
        if unclassed:
            self.notes.append(
                f"{counted(unclassed, 'row has', 'rows have')} no class (column 8), as those of a "
                f"tracker, and {agreed(unclassed, 'counts', 'count')} as class 1"
            )


def sequence_folders(path: Path, names: Sequence[str] | None = None) -> list[Path]:
    """Return the sequence folders at `path`: itself, or the folders in it that hold `gt/gt.txt`.

    Raises:
        InputError: There is none.
    """
    if (path / "gt" / "gt.txt").is_file():
        return [path]
    found = sorted(file.parents[1] for file in path.glob("*/gt/gt.txt")) if path.is_dir() else []
    if not found:
        raise InputError(f"expected a sequence with gt/gt.txt, or a folder of sequences, in {path}; found neither")
    chosen = [folder for folder in found if names is None or any(fnmatch(folder.name, name) for name in names)]
    if not chosen:
        raise InputError(f"no sequence of {path} is called {' or '.join(names or ())}; there is {found[0].name} ...")
    return chosen


def frame_images(info: SequenceInfo) -> dict[int, Path]:
    """Return the images of a sequence by frame number.

    Raises:
        InputError: There is none.
    """
    images = frame_files(info.image_folder, info.extension)
    if not images:
        raise InputError(f"expected images *{info.extension} in {info.image_folder}, found none")
    return images


def frames_with_images(folder: Path, frames: range, images: dict[int, Path]) -> list[int]:
    """Return the frames that have an image; that some have none is told.

    Raises:
        InputError: None has.
    """
    found = [number for number in frames if number in images]
    if not found:
        raise InputError(f"{folder}: expected images of frames {frames[0]} to {frames[-1]}, found none of them")
    if len(found) < len(frames):
        missing = len(frames) - len(found)
        words = agreed(missing, "has no image and is", "have no image and are")
        _LOG.warning("%s: %d of %d frames %s left out", folder, missing, len(frames), words)
    return found


def _choose(folder: Path, frames: Sequence[int] | str | None, length: int) -> range:
    if frames is None or isinstance(frames, str):
        return parse_frames(frames, length)
    first, last = frames
    if not 1 <= first <= last <= length:
        raise InputError(f"{folder}: frames must lie within 1 to {length}, got {first} to {last}")
    return range(first, last + 1)


def _objects(rows: GroundTruthRows, min_visibility: float, objects: Sequence[int]) -> Array:
    return (rows.flags != 0) & np.isin(rows.classes, objects) & (rows.visibilities >= min_visibility)


def _no_objects(path: str | Path, every_row: Sequence[GroundTruthRows]) -> InputError:
    """Return the error that says what the rows are instead."""
    classes, counts = np.unique(np.concatenate([rows.classes for rows in every_row]), return_counts=True)
    listed = ", ".join(f"{n} of class {c}" for c, n in zip(classes.tolist(), counts.tolist(), strict=True))
    flagged = sum(int((rows.flags == 0).sum()) for rows in every_row)
    return InputError(
        f"{path}: none of the {counted(int(counts.sum()), 'label')} is an object: {listed}, "
        f"{flagged} with flag 0 (column 7); the "
        f"option objects={classes[counts.argmax()]} takes another class than 1 (pedestrian), min_visibility=0 takes "
        "people who are hardly visible"
    )


def _entries(
    folder: Path,
    frame_rate: float,
    images: dict[int, Path],
    rows: GroundTruthRows,
    objects: Array,
    frames: list[int],
    numbers: list[int],
) -> Iterator[Labels]:
    boxes = rows.boxes_xyxy
    ignored = np.isin(rows.classes, UNCERTAIN) & ~objects
    for number in frames:
        start, stop = np.searchsorted(rows.frames, (number, number + 1))
        here = np.arange(start, stop)
        seen, hidden = here[objects[start:stop]], here[ignored[start:stop]]
        image = images[number]
        yield Labels(
            image,
            f"{folder.name}/{image.name}",
            rows.path,
            boxes[seen],
            np.array([numbers.index(number) for number in rows.classes[seen].tolist()], np.int64),
            rows.ids[seen],
            rows.lines[seen],
            boxes[hidden],
            sequence=folder.name,
            frame=number,
            frame_rate=frame_rate,
        )


def write_mot(data: LabelledImages, images: Sequence[Path], folder: Path) -> None:
    """Write `gt/gt.txt` and `seqinfo.ini` of every sequence; its images lie in `folder/SEQUENCE/img1`.

    Args:
        data: The labels. The format of MOTChallenge knows pedestrians only: every class becomes one.
        images: File of each entry, within `folder`.
        folder: Of the new data set.

    Raises:
        InputError: A box has no identity.
    """
    sequences: dict[Path, list[tuple[Labels, Path]]] = {}
    for entry, image in zip(data.entries, images, strict=True):
        sequences.setdefault(image.parents[1], []).append((entry, image))
    for sequence, frames in sequences.items():
        lines = [row for number, frame in enumerate(frames, start=1) for row in _gt_rows(number, *frame)]
        with atomic_path(sequence / "gt" / "gt.txt") as temporary:
            temporary.write_text("".join(lines), encoding="ascii")
        width, height = read_size(frames[0][1])
        frame_rate = frames[0][0].frame_rate or DEFAULT_FRAME_RATE
        with atomic_path(sequence / "seqinfo.ini") as temporary:
            temporary.write_text(
                f"[Sequence]\nname={sequence.name}\nimDir=img1\nframeRate={frame_rate:g}\nseqLength={len(frames)}\n"
                f"imWidth={width}\nimHeight={height}\nimExt={frames[0][1].suffix}\n",
                encoding="utf-8",
            )


def _gt_rows(number: int, entry: Labels, image: Path) -> Iterator[str]:
    entry = entry.in_pixels(read_size(image))
    if (entry.ids < 0).any():
        raise InputError(f"{entry.source}: MOTChallenge needs an identity for every box, {entry.name} has some without")
    for identity, (x1, y1, x2, y2) in zip(entry.ids.tolist(), entry.boxes.tolist(), strict=True):
        yield f"{number},{identity},{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,1,1\n"
    for place, (x1, y1, x2, y2) in enumerate(entry.ignore.tolist()):  # ids of their own, far from all others
        yield f"{number},{10**6 + place},{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},0,8,1\n"
