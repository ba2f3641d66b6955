"""Let weights label videos that nobody labelled, as MOTChallenge sequences to train others on.

    python tools/label_videos.py FOLDER_OF_DATA OUTPUT_FOLDER

A person is labelled where a detection and one in the mirrored image agree, in a track that moves; the track is the
identity. Whatever else might be a person becomes a region to ignore. `configs/fairmot_small.yaml` trains on the result.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jsonargparse import auto_cli

from centertrack.predictor import Predictor
from tracker import DEFAULT_TRACKER, Detections, Tracks, make_tracker
from tracker.boxes import iou_matrix
from tracker.io.atomic import atomic_path
from tracker.io.video import open_source

VIDEOS = ("vtest.avi", "people.mp4")
SIZE = (960, 544)  # of the network's input: more people are found than at the size that the weights were made for
SURE, UNSURE = 0.45, 0.12
AGREE = 0.6  # IoU with a detection of the mirrored image
DISTRACTOR, FIRST_IGNORED = 8, 10**6  # class and ids of what is neither learnt nor background


def label_videos(data: Path, output: Path, weights: str = "fairmot-nano", step: int = 6) -> None:
    """Write a sequence for every video; those that exist are kept.

    Args:
        data: Folder that holds videos/.
        output: Sequences go here.
        weights: Find the people.
        step: Every n-th frame becomes a training image; all are tracked.
    """
    predictor = Predictor(weights, image_size=SIZE, min_score=UNSURE)
    for video in VIDEOS:
        folder = output / Path(video).stem
        if not (folder / "gt" / "gt.txt").is_file():
            print(f"{video}: {_label(predictor, data / 'videos' / video, folder, step)} people labelled")


def _label(predictor: Predictor, video: Path, folder: Path, step: int) -> int:
    (folder / "img1").mkdir(parents=True, exist_ok=True)
    frames: list[tuple[Tracks, Detections]] = []
    with open_source(video) as source:
        tracker = make_tracker(DEFAULT_TRACKER, frame_rate=source.frame_rate)
        for frame in source:
            found = predictor(frame.image)[0]
            tracks = tracker.update(found, frame.image, frame.time)
            if frame.number % step:
                continue
            frames.append((_agreed(predictor, frame.image, tracks), found))
            picture = cv2.cvtColor(frame.image, cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(folder / "img1" / f"{len(frames):06d}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 95])
        (folder / "seqinfo.ini").write_text(
            f"[Sequence]\nname={folder.name}\nimDir=img1\nframeRate={source.frame_rate / step:g}\n"
            f"seqLength={len(frames)}\nimWidth={frame.image.shape[1]}\nimHeight={frame.image.shape[0]}\nimExt=.jpg\n",
            encoding="utf-8",
        )
    people = _walkers([tracks for tracks, _ in frames])
    sure = [tracks[np.isin(tracks.ids, people)] for tracks, _ in frames]
    rows = [row for i, (_, found) in enumerate(frames) for row in _rows(i + 1, sure[i], found)]
    with atomic_path(folder / "gt" / "gt.txt") as temporary:
        temporary.write_text("".join(rows), encoding="ascii")
    return sum(map(len, sure))


def _agreed(predictor: Predictor, image: np.ndarray, tracks: Tracks) -> Tracks:
    """Return the tracks that are sure, and that the mirrored image shows too."""
    mirrored = predictor(np.ascontiguousarray(image[:, ::-1]))[0].boxes
    back = mirrored[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (image.shape[1], 0, image.shape[1], 0)
    agree = iou_matrix(tracks.boxes, back).max(axis=1, initial=0.0) > AGREE
    return tracks[agree & (tracks.scores > SURE) & (tracks.indices >= 0)]


def _walkers(frames: list[Tracks]) -> list[int]:
    """Return the ids of those who move: a post is found in every frame at the same place."""
    ids = np.concatenate([tracks.ids for tracks in frames])
    boxes = np.concatenate([tracks.boxes for tracks in frames])
    centres, heights = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 3] - boxes[:, 1]
    tracks = ((i, ids == i) for i in np.unique(ids).tolist())
    return [i for i, own in tracks if np.ptp(centres[own], axis=0).max() > heights[own].mean() / 2]


def _rows(number: int, sure: Tracks, found: Detections) -> list[str]:
    """Write rows of ground truth: the sure with flag 1, other detections as distractors with flag 0."""
    other = np.setdiff1d(np.arange(len(found)), sure.indices)
    entries = [(identity, box, 1, 1) for identity, box in zip(sure.ids, found.boxes[sure.indices], strict=True)]
    entries += [(FIRST_IGNORED + i, found.boxes[i], 0, DISTRACTOR) for i in other]
    return [
        f"{number},{identity},{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{flag},{kind},1\n"
        for identity, (x1, y1, x2, y2), flag, kind in entries
    ]


if __name__ == "__main__":
    auto_cli(label_videos)
