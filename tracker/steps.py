"""The steps that trackers share, in the order of an update: predict, update, start, end, show.

Each is a function on the track set. A tracker calls them in its `_track`, between its own ways to match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tracker.arrays import Array
from tracker.boxes import overlapping_pairs
from tracker.candidates import Candidates
from tracker.detections import Tracks
from tracker.memory import LongTermMemory
from tracker.trackset import LOST, TENTATIVE, TRACKED, TrackSet

if TYPE_CHECKING:
    from tracker.base import TrackerOptions
    from tracker.camera_motion import CameraMotion


def remove_expired(tracks: TrackSet, now: float, options: TrackerOptions, memory: LongTermMemory) -> None:
    """Drop tracks that were absent for too long, not counting the frame in which they might come back.

    With `memory_seconds`, the appearance of those that have an id goes into `memory`.
    """
    stays = tracks.seen >= now - options.max_lost_frames - 1 - 1e-6
    if options.memory_seconds > 0:
        memory.forget(now - options.memory_seconds * options.frame_rate)
        gone = (~stays & (tracks.ids > 0)).nonzero()[0]
        memory.add(tracks.ids[gone], tracks.labels[gone], tracks.embeddings[gone], tracks.seen[gone])
    tracks.keep(stays)


def predict_confirmed(tracks: TrackSet, elapsed: float) -> None:
    """Move the confirmed tracks, which come first, by `elapsed` frames; tentative ones stay where they were seen.

    The boxes of lost tracks stop changing their size.
    """
    kalman, motion, confirmed = tracks.filter, tracks.motion, tracks.confirmed
    if confirmed:
        kalman.stop_resizing(motion, (tracks.states == LOST).nonzero()[0])
        motion[:confirmed] = kalman.predict(motion[:confirmed], elapsed)


def predict_areas(tracks: TrackSet, elapsed: float) -> None:
    """Move all tracks by `elapsed` frames, in the model of centre, area and aspect (`XYSR`).

    An area that would not stay positive stops shrinking.
    """
    motion = tracks.motion
    vanishes = motion[:, 0, 2] + elapsed * motion[:, 1, 2] <= 0
    motion[vanishes, 1, 2] = 0.0
    tracks.motion = tracks.filter.predict(motion, elapsed)


def make_camera(method: str, downscale: float) -> CameraMotion | None:
    """Return an estimator of the camera's motion, None for a still camera (method "none")."""
    if method == "none":
        return None
    from tracker.camera_motion import CameraMotion  # opencv is needed only here

    return CameraMotion(method, downscale)


def follow_camera(tracks: TrackSet, camera: CameraMotion | None, frame: Array | None) -> None:
    """Carry the states of a `FullKalmanFilter` over from the last image to this one; nothing for a still camera."""
    if camera is not None and frame is not None:
        from tracker.kalman_full import move_camera

        tracks.motion = move_camera(tracks.motion, camera.estimate(frame))


def update_matched(
    tracks: TrackSet, rows: Array, found: Candidates, columns: Array, now: float, class_agnostic: bool
) -> None:
    """Correct the tracks `rows` (P,) by their detections `columns` (P,), and note that they were seen now."""
    seen, measured = tracks.motion.take(rows, axis=0), found.measurements.take(columns, axis=0)
    tracks.motion[rows] = tracks.filter.update(seen, measured)
    tracks.scores[rows] = found.scores[columns]
    if class_agnostic:
        tracks.vote(rows, found.labels[columns])
    tracks.hits[rows] += 1
    tracks.seen[rows] = now
    tracks.indices.fill(-1)
    tracks.indices[rows] = found.indices[columns]


def lose_unmatched(tracks: TrackSet, detection_of: Array) -> None:
    """Drop the tentative tracks without a detection; the confirmed ones become lost, and those with one tracked.

    Args:
        tracks: The confirmed ones come first.
        detection_of: (N,) detection of each track, -1 where it has none.
    """
    matched, confirmed = detection_of >= 0, tracks.confirmed
    tracks.states[:confirmed] = np.where(matched[:confirmed], TRACKED, LOST)
    if confirmed < len(tracks):
        matched[:confirmed] = True
        tracks.keep(matched)


def tentative_rows(tracks: TrackSet, min_hits: int) -> Array:
    """Return the tentative tracks that were detected `min_hits` times or more."""
    rows: Array = ((tracks.states == TENTATIVE) & (tracks.hits >= min_hits)).nonzero()[0]
    return rows


def drop_duplicates(tracks: TrackSet, boxes: Array, limit: float, class_agnostic: bool) -> Array:
    """Drop one of two tracks, one seen and one lost, that have the same place: the one with the shorter life.

    In a tie the lost one stays.

    Args:
        tracks: The tracks.
        boxes: (N, 4) xyxy, where they are.
        limit: Tracks with 1 - IoU below are the same object.
        class_agnostic: Whether tracks of different classes may be the same object.

    Returns:
        The boxes of the tracks that are left.
    """
    is_lost = tracks.states == LOST
    lost, seen = is_lost.nonzero()[0], (~is_lost).nonzero()[0]
    if not len(lost) or not len(seen):
        return boxes
    row, column, iou = overlapping_pairs(boxes.take(lost, axis=0), boxes.take(seen, axis=0), min_iou=1 - limit)
    same = 1.0 - iou < limit
    if not same.any():
        return boxes
    row, column = lost[row], seen[column]
    if not class_agnostic:
        same &= tracks.labels[row] == tracks.labels[column]
    row, column = row[same], column[same]
    life = tracks.seen - tracks.born
    seen_is_older = life[column] > life[row]
    keep = np.ones(len(tracks), bool)
    keep[row[seen_is_older]] = False
    keep[column[~seen_is_older]] = False
    tracks.keep(keep)
    return boxes[keep]


def show(tracks: TrackSet, rows: Array, boxes: Array, options: TrackerOptions) -> Tracks:
    """Return the tracks `rows` (R,) with these boxes (R, 4) xyxy, less what the options leave out."""
    boxes = boxes.astype(np.float32, copy=False)
    result = Tracks(tracks.ids[rows], boxes, tracks.scores[rows], tracks.labels[rows], tracks.indices[rows])
    if options.min_area > 0 or options.max_aspect < np.inf:
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        return result[(width * height >= options.min_area) & (width <= options.max_aspect * height)]
    return result
