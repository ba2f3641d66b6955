"""Let weights label videos that nobody labelled, as MOTChallenge sequences to train others on.

    python tools/label_videos.py FOLDER_OF_DATA OUTPUT_FOLDER

A person is labelled where looks at the image and at its mirror image agree (tools/teacher.py), in a track that moves;
the track is the identity. Whatever else might be a person becomes a region to ignore. `configs/fairmot_small.yaml`
trains on the result.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jsonargparse import auto_cli
from teacher import Teacher

from centertrack.data.formats.mot import write_mot
from centertrack.data.labels import LabelledImages, Labels
from tracker import DEFAULT_TRACKER, Detections, Tracks, make_tracker
from tracker.io.images import write_image
from tracker.io.video import open_source

VIDEOS = ("vtest.avi", "people.mp4", "cctv.mp4")
SIZES = ((960, 544), (640, 384), (448, 256))
SURE, UNSURE = 0.45, 0.12


def label_videos(data: Path, output: Path, weights: str = "fairmot-small", step: int = 6) -> None:
    """Write a sequence for every video; those that exist are kept.

    Args:
        data: Folder that holds videos/.
        output: Sequences go here.
        weights: Find the people.
        step: Every n-th frame becomes a training image; all are tracked.
    """
    teacher = Teacher(weights, SIZES, UNSURE)
    for video in VIDEOS:
        folder = output / Path(video).stem
        if not (folder / "gt" / "gt.txt").is_file():
            print(f"{video}: {_label(teacher, data / 'videos' / video, folder, step)} people labelled")


def _label(teacher: Teacher, video: Path, folder: Path, step: int) -> int:
    (folder / "img1").mkdir(parents=True, exist_ok=True)
    images: list[Path] = []
    seen: list[tuple[Tracks, Detections]] = []
    with open_source(video) as source:
        frame_rate = source.frame_rate
        tracker = make_tracker(DEFAULT_TRACKER, frame_rate=frame_rate)
        for frame in source:
            found = teacher.look(frame.image)
            tracks = tracker.update(found, frame.image, frame.time)
            if frame.number % step:
                continue
            sure = tracks[(tracks.scores > SURE) & (tracks.indices >= 0)]
            seen.append((sure[teacher.confirms(frame.image, sure.boxes)], found))
            images.append(folder / "img1" / f"{len(seen):06d}.jpg")
            write_image(images[-1], frame.image)
    people = _walkers([tracks for tracks, _ in seen])
    labels = [
        _labels(image, tracks[np.isin(tracks.ids, people)], found, frame_rate / step)
        for image, (tracks, found) in zip(images, seen, strict=True)
    ]
    write_mot(LabelledImages(labels, ["person"]), images, folder.parent)
    return sum(len(entry.boxes) for entry in labels)


def _walkers(frames: list[Tracks]) -> list[int]:
    """Return the ids of those who move: a post is found in every frame at the same place."""
    ids = np.concatenate([tracks.ids for tracks in frames])
    boxes = np.concatenate([tracks.boxes for tracks in frames])
    centres, heights = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 3] - boxes[:, 1]
    tracks = ((i, ids == i) for i in np.unique(ids).tolist())
    return [i for i, own in tracks if np.ptp(centres[own], axis=0).max() > heights[own].mean() / 2]


def _labels(image: Path, sure: Tracks, found: Detections, frame_rate: float) -> Labels:
    """Return those who are sure as objects, and all other detections as regions to ignore."""
    other = np.setdiff1d(np.arange(len(found)), sure.indices)
    boxes, ignore = found.boxes[sure.indices], found.boxes[other]
    return Labels(image, image.name, image, boxes, sure.labels, sure.ids, ignore=ignore, frame_rate=frame_rate)


if __name__ == "__main__":
    auto_cli(label_videos)
