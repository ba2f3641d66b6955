"""Labels and detections of images, from COCO JSON or MOTChallenge text, keyed alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracker.errors import InputError
from tracker.evaluation.mot_challenge import DISTRACTORS, PEDESTRIAN
from tracker.evaluation.sequences import find_ground_truth, find_length, match_results
from tracker.io.mot import MotRows, read_detections, read_ground_truth
from tracker.io.reading import MAX_FRAMES, read_box, read_json, read_number, read_whole

Image = int | str | tuple[str, int]  # a COCO image id, or sequence and frame


class ImageBoxes(NamedTuple):
    """The boxes of one image.

    Attributes:
        xyxy: (N, 4) float32.
        labels: (N,) int64.
        extra: (N,) float32; in labels 1 for a region to ignore, in detections the score.
    """

    xyxy: NDArray[np.float32]
    labels: NDArray[np.int64]
    extra: NDArray[np.float32]


NO_BOXES = ImageBoxes(np.empty((0, 4), np.float32), np.empty(0, np.int64), np.empty(0, np.float32))
BoxesByImage = dict[Image, ImageBoxes]


def read_labels_and_detections(
    gt: Path, detections: Path, sequences: list[str] | None
) -> tuple[BoxesByImage, BoxesByImage, int]:
    """Return labels, detections and the number of images; see `evaluate_detections`.

    Frames of a sequence with neither labels nor detections are counted, but not among the labels: they change no score,
    and a sequence may have millions of them.
    """
    if gt.suffix == ".json":
        labels, found = _read_coco(gt, detections)
        return labels, found, len(labels)
    files = find_ground_truth(gt)
    if sequences is not None:
        unknown = [name for name in sequences if name not in files]
        if unknown:
            raise InputError(f"no ground truth for {', '.join(unknown)} in {gt}; there is {', '.join(files)}")
        files = {name: files[name] for name in sequences}
    if detections.suffix == ".json":
        found = _read_coco_detections_of_sequences(detections, list(files))
    else:
        found = _read_mot_detections(detections, files)
    labels, count = {}, 0
    for name, path in files.items():
        length, boxes = _read_mot_labels(path)
        here = (image[1] for image in found if isinstance(image, tuple) and image[0] == name)
        detected = {frame for frame in here if 1 <= frame <= length}
        labels.update({(name, frame): boxes.get(frame, NO_BOXES) for frame in sorted(boxes.keys() | detected)})
        count += length
    return labels, found, count


def _read_coco(gt: Path, detections: Path) -> tuple[BoxesByImage, BoxesByImage]:
    content = read_json(gt)
    try:
        objects = _group_by_image(
            gt, ((a["image_id"], a["bbox"], a["category_id"], bool(a.get("iscrowd"))) for a in content["annotations"])
        )
        labels = {image["id"]: objects.get(image["id"], NO_BOXES) for image in content["images"]}
        categories = {category["name"]: category["id"] for category in content.get("categories", [])}
        names = {image["file_name"]: image["id"] for image in content["images"]}
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"{gt}: expected COCO labels (images, and annotations with image_id, bbox): {error!r}"
        ) from error
    results = read_json(detections)
    try:
        if isinstance(results, list):
            found = ((d["image_id"], d["bbox"], d["category_id"], d["score"]) for d in results)
            return labels, _group_by_image(detections, found)
        images = _same_images(results["images"], names)
        same = _same_categories(results.get("categories", []), categories)
        rows = ((images[d["image_id"]], d["bbox"], _label(d, same), d["score"]) for d in results["annotations"])
        return labels, _group_by_image(detections, rows)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _not_results(detections, error) from error


def _not_results(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: expected COCO results (image_id, category_id, bbox, score): {error!r}")


def _label(detection: dict[str, Any], same: Mapping[int, int]) -> int:
    label: int = detection["category_id"]
    return same.get(label, label)


def _same_images(images: list[dict[str, Any]], names: Mapping[str, Image]) -> dict[int, Image]:
    """Map image ids of the detections to those of the labels with the same file name, whatever their folders."""
    by_base_name = {Path(name).name: image for name, image in names.items()}
    if len(by_base_name) < len(names):  # the same name in two folders: only the whole path tells
        by_base_name = {}
    ids = {}
    for image in images:
        name = image["file_name"]
        ids[image["id"]] = names.get(name, by_base_name.get(Path(name).name, image["id"]))
    return ids


def _same_categories(found: list[dict[str, Any]], wanted: Mapping[str, int]) -> dict[int, int]:
    """Map category ids of the detections to those of the labels by name; a single one to a single one in any case."""
    if len(found) == len(wanted) == 1:
        return {found[0]["id"]: next(iter(wanted.values()))}
    return {category["id"]: wanted[category["name"]] for category in found if category["name"] in wanted}


def _group_by_image(path: Path, rows: Iterable[tuple[Image, Any, Any, Any]]) -> BoxesByImage:
    """Collect (image, box as left, top, width, height, label, extra) image by image.

    Raises:
        InputError: A box, label or score cannot be one.
    """
    grouped: dict[Image, list[tuple[tuple[float, ...], int, float]]] = {}
    for place, (image, xywh, label, extra) in enumerate(rows):
        where = f"{path}: annotation {place}"
        box = read_box(xywh, where, "bbox [x, y, w, h]")
        score = float(extra) if isinstance(extra, bool) else read_number(extra, where, "a score")
        grouped.setdefault(image, []).append((box, read_whole(label, where, "category_id"), score))
    return {image: _to_arrays(boxes) for image, boxes in grouped.items()}


def _to_arrays(boxes: list[tuple[tuple[float, ...], int, float]]) -> ImageBoxes:
    xyxy = np.array([xywh for xywh, _, _ in boxes], np.float32).reshape(-1, 4)
    xyxy[:, 2:] += xyxy[:, :2]
    labels = np.array([label for _, label, _ in boxes], np.int64)
    return ImageBoxes(xyxy, labels, np.array([extra for _, _, extra in boxes], np.float32))


def _read_mot_labels(path: Path) -> tuple[int, dict[int, ImageBoxes]]:
    """Return the number of frames, and what those with boxes hold.

    Those are pedestrians that count, and as regions to ignore the other pedestrians and distractors.
    """
    rows = read_ground_truth(path)
    length = find_length(path) or int(rows.frames.max(initial=0))
    outside = (rows.frames < 1) | (rows.frames > length)
    if outside.any():
        raise rows.row_error(int(outside.argmax()), f"expected a frame from 1 to {length}, as long as the sequence")
    rows = rows.where(np.isin(rows.classes, (PEDESTRIAN, *DISTRACTORS["MOT20"])))
    ignored = ((rows.flags == 0) | (rows.classes != PEDESTRIAN)).astype(np.float32)
    return length, dict(_by_frame(rows, ignored))


def _by_frame(rows: MotRows, extra: NDArray[np.float32]) -> Iterator[tuple[int, ImageBoxes]]:
    """Give each frame that has boxes."""
    boxes, labels = rows.boxes_xyxy, np.ones(len(rows), np.int64)
    frames, starts, counts = np.unique(rows.frames, return_index=True, return_counts=True)
    for frame, start, stop in zip(frames.tolist(), starts, starts + counts, strict=True):
        yield frame, ImageBoxes(boxes[start:stop], labels[start:stop], extra[start:stop])


def _read_mot_detections(path: Path, files: dict[str, Path]) -> BoxesByImage:
    found: BoxesByImage = {}
    for sequence, file in _find_detection_files(path, list(files)).items():
        rows = read_detections(file)
        found.update({(sequence, frame): boxes for frame, boxes in _by_frame(rows, rows.scores.astype(np.float32))})
    return found


def _find_detection_files(path: Path, names: list[str]) -> dict[str, Path]:
    """Return the detections of each sequence: det/det.txt of its folder, otherwise as results are found."""
    for folders in ({name: path / name for name in names}, dict.fromkeys(names, path)):
        files = {name: folder / "det" / "det.txt" for name, folder in folders.items()}
        if all(file.is_file() for file in files.values()):
            return files
    return match_results(names, path)


def _read_coco_detections_of_sequences(path: Path, names: list[str]) -> BoxesByImage:
    """Read detections in frames: the file name is the number; of several sequences, one of its folders names which."""
    results = read_json(path)
    try:
        images = {image["id"]: _frame_of(image["file_name"], names) for image in results["images"]}
        rows = ((images[d["image_id"]], d["bbox"], 1, d["score"]) for d in results["annotations"])
        return _group_by_image(path, rows)
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _not_results(path, error) from error


def _frame_of(file_name: str, names: list[str]) -> tuple[str, int]:
    path = Path(file_name)
    sequence = next((name for name in names if name in path.parts), None)
    if sequence is None and len(names) == 1:
        sequence = names[0]
    if sequence is None or not path.stem.isdecimal():
        raise ValueError(f"image {file_name} names no frame of {', '.join(names)}")
    return sequence, read_whole(path.stem, f"image {file_name}", "a frame", 0, MAX_FRAMES)
