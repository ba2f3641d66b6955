"""COCO JSON of videos: images with `video_id` and `frame_id`, annotations with `track_id`; pixels count from 0.

Without videos the folder of a file name is the sequence, and the number in its name the frame: so `detect` writes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tracker.errors import InputError
from tracker.io.json_file import cached_json, file_version
from tracker.io.numbering import Numbering
from tracker.io.reading import MAX_FRAMES, read_box, read_number, read_whole
from tracker.io.sequence_table import SequenceTable, TableRow

_IDENTITIES = ("track_id", "instance_id")
_FRAMES = ("frame_id", "frame_index", "frame_idx")
_LAST_NUMBER = re.compile(r"(\d+)\D*$")


@dataclass(frozen=True, slots=True)
class CocoImages:
    """Which frame each image is.

    Attributes:
        frame_of: Image id -> sequence and frame from 1.
        names: Category id -> name.
    """

    frame_of: dict[Any, tuple[str, int]]
    names: dict[int, str]

    def sequences(self) -> list[str]:
        """Return the names of the sequences, in the order of the file."""
        return list(dict.fromkeys(name for name, _ in self.frame_of.values()))


def is_coco(content: Any) -> bool:
    """Tell whether JSON content is a COCO file, or a list of COCO results."""
    if isinstance(content, list):
        return not content or (isinstance(content[0], dict) and "image_id" in content[0])
    return isinstance(content, dict) and "images" in content


def coco_sequences(path: Path) -> dict[str, Path]:
    """Return the file of each sequence in a COCO file; for a list of results nothing, since it names none."""
    return dict.fromkeys(_images(path).sequences(), path) if isinstance(cached_json(path), dict) else {}


def coco_table(path: Path, name: str, images_of: Path | None = None) -> SequenceTable:
    """Read one sequence. Crowds are regions to ignore.

    Args:
        path: The file.
        name: Of the sequence.
        images_of: The ground truth, whose images a list of results means.

    Raises:
        InputError: An annotation is broken; with its place.
    """
    content = cached_json(path)
    is_list = isinstance(content, list)
    if is_list and images_of is None:
        raise InputError(f"{path}: a list of results names no images; give ground truth in COCO format")
    source = images_of if is_list and images_of is not None else path
    images = _images(source)
    ids, rows = Numbering(), []
    for frame, one in _by_sequence(path, file_version(path), source, file_version(source)).get(name, ()):
        if one.track is None and not one.is_crowd:
            raise InputError(
                f"{path}: annotations[{one.place}]: expected a track_id: detections have no identities; "
                "`centertrack associate` or `track` gives them ids"
            )
        identity = -1 if one.is_crowd else ids.number(one.track)
        number = 0 if one.is_crowd else _class_number(one.category, images.names)  # 0 stands for regions
        rows.append(TableRow(one.place, frame, identity, one.box, number, score=one.score))
    frames = [frame for sequence, frame in images.frame_of.values() if sequence == name]
    names = {_class_number(number, images.names): text for number, text in images.names.items()}
    return SequenceTable.of(path, rows, names, frames, max(frames, default=0), "annotations")


@lru_cache(maxsize=4)
def _by_sequence(
    path: Path, version: tuple[int, int], images_of: Path, images_version: tuple[int, int]
) -> dict[str, list[tuple[int, CocoBox]]]:
    """Sort the annotations of a file by sequence, each with its frame."""
    content, images = cached_json(path), _images(images_of)
    annotations = content if isinstance(content, list) else content.get("annotations")
    if not isinstance(annotations, list):
        raise InputError(f"{path}: expected annotations as a list")
    found: dict[str, list[tuple[int, CocoBox]]] = {}
    for one in read_annotations(path, annotations, images.frame_of, images.names, _stop_at):
        sequence, frame = images.frame_of[one.image]
        found.setdefault(sequence, []).append((frame, one))
    return found


class CocoBox(NamedTuple):
    """One annotation.

    Attributes:
        place: In the list, from 0.
        image: Id of its image.
        category: Id of its category.
        box: Left, top, width, height in pixels from 0.
        track: Its identity, as the file writes it; None without one.
        is_crowd: Whether it is a region in which there may be unlabelled objects.
        score: Of a result; 1 in labels.
    """

    place: int
    image: Any
    category: int
    box: tuple[float, float, float, float]
    track: Any
    is_crowd: bool
    score: float


def read_annotations(
    path: Path,
    annotations: Sequence[Any],
    images: Container[Any],
    categories: Container[Any],
    report: Callable[[InputError], None],
) -> Iterator[CocoBox]:
    """Read the annotations of a COCO file.

    Args:
        path: The file.
        annotations: Its list.
        images: Ids of the images that there are.
        categories: Ids of the categories that there are.
        report: Is told of every broken annotation, with its place.
    """
    for place, annotation in enumerate(annotations):
        where = f"{path}: annotations[{place}]"
        try:
            box = read_box(annotation["bbox"], where, "bbox [x, y, w, h]")
            track = next((annotation[key] for key in _IDENTITIES if annotation.get(key) is not None), None)
            if annotation["category_id"] not in categories:
                raise ValueError(f"no category {str(annotation['category_id'])[:60]}")
            if annotation["image_id"] not in images:
                raise ValueError(f"no image {str(annotation['image_id'])[:60]}")
            is_crowd = bool(annotation.get("iscrowd", 0) or annotation.get("ignore", 0))
            score = read_number(annotation.get("score", 1.0), where, "a score")
            yield CocoBox(place, annotation["image_id"], annotation["category_id"], box, track, is_crowd, score)
        except InputError as error:
            report(error)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            report(
                InputError(f"{where}: expected image_id, category_id and bbox [x, y, w, h] that fit the file: {error}")
            )


def _stop_at(error: InputError) -> None:
    raise error


def _class_number(category: int, names: dict[int, str]) -> int:
    return category + 1 if 0 in names else category


def _images(path: Path) -> CocoImages:
    return _read_images(path, file_version(path))


@lru_cache(maxsize=8)
def _read_images(path: Path, version: tuple[int, int]) -> CocoImages:
    content = cached_json(path)
    try:
        videos = {video["id"]: str(video.get("name") or video["id"]) for video in content.get("videos", [])}
        places = [_place(path, image, videos, place) for place, image in enumerate(content["images"])]
        names = {
            read_whole(category["id"], f"{path}: categories", "id", 0): str(category.get("name", category["id"]))
            for category in content["categories"]
        }
        shift = 1 if any(frame == 0 for _, _, frame in places) else 0  # some count frames from 0
        frame_of = {image: (name, frame + shift) for image, name, frame in places}
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: expected COCO images (id, file_name) and categories: {error!r}") from error
    if len(frame_of) < len(places):
        raise InputError(f"{path}: two images have the same id")
    if len(set(frame_of.values())) < len(frame_of):
        raise InputError(f"{path}: two images are the same frame of a video; expected video_id and frame_id")
    return CocoImages(frame_of, names)


def _place(path: Path, image: dict[str, Any], videos: dict[Any, str], place: int) -> tuple[Any, str, int]:
    where = f"{path}: images[{place}]"
    file = Path(str(image.get("file_name", "")))
    parent = file.parent.parent if file.parent.name == "img1" else file.parent
    video = image.get("video_id")
    name = parent.name or path.stem if video is None else videos.get(video, str(video))
    frame = next((image[key] for key in _FRAMES if image.get(key) is not None), None)
    if frame is None:
        number = _LAST_NUMBER.search(file.stem)
        if number is None:
            raise InputError(f"{where}: expected a frame_id, or a file name that ends with the number of the frame")
        frame = number[1]
    return image["id"], name, read_whole(frame, where, "a frame", 0, MAX_FRAMES - 1)
