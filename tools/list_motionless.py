"""List the tracks of videos that do not move: a post that is taken for a person stands still for ever.

    python tools/list_motionless.py WEIGHTS VIDEO [VIDEO ...] [--sheet SHEET.png] [--tracker NAME]

A track is motionless where its box moves less than a tenth of its height for three seconds. People who sit or wait do
so too: look at the sheet, which shows each in the middle of its longest such stretch. Prints the id, the frames of
that stretch, its seconds, the mean score and the box.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from jsonargparse import auto_cli

from centertrack.predictor import Predictor
from tracker import DEFAULT_TRACKER, make_tracker
from tracker.io.video import open_source
from tracker.wording import counted

MOVES = 0.1  # of its height
SECONDS = 3.0
TILE = (120, 200)  # px, width and height of a picture on the sheet
MARGIN = 0.4  # of a box, shown around it


class Still(NamedTuple):
    """The longest stretch in which a track did not move.

    Attributes:
        identity: Of the track.
        first, last: Frames, from 1.
        seconds: Between them.
        score: Mean over the stretch.
        box: (4,) mean xyxy in pixels.
    """

    identity: int
    first: int
    last: int
    seconds: float
    score: float
    box: np.ndarray


def list_motionless(
    weights: str,
    videos: list[Path],
    sheet: Path | None = None,
    tracker: str = DEFAULT_TRACKER,
    image_size: tuple[int, int] | None = None,
) -> None:
    """Track videos and list who stands still.

    Args:
        weights: Name of shipped weights, or a file.
        videos: What to track.
        sheet: Write pictures of them here.
        tracker: Name of a tracker.
        image_size: Width and height of the network's input, by default that of the weights.
    """
    predictor = Predictor(weights, image_size=image_size)
    tiles = []
    for video in videos:
        rows: dict[int, list[tuple[float, ...]]] = {}
        with open_source(video) as source:
            follower = make_tracker(tracker, frame_rate=source.frame_rate)
            rate = source.frame_rate
            for frame in source:
                tracks = follower.update(predictor(frame.image)[0], frame.image, frame.time)
                seen = tracks[tracks.indices >= 0]
                for identity, box, score in zip(
                    seen.ids.tolist(), seen.boxes.tolist(), seen.scores.tolist(), strict=True
                ):
                    rows.setdefault(identity, []).append((frame.number, *box, score))
        found = [still for identity, own in rows.items() if (still := longest_stretch(identity, np.array(own), rate))]
        print(
            f"{video.name}: {len(found)} of {counted(len(rows), 'track stands', 'tracks stand')} "
            f"still for {SECONDS:g} s or more"
        )
        for one in found:
            box = " ".join(f"{value:.0f}" for value in one.box)
            print(f"  id {one.identity}  frames {one.first}-{one.last}  {one.seconds:.1f} s  {one.score:.2f}  {box}")
        if sheet is not None:
            tiles += _pictures(video, found)
    if sheet is not None and tiles:
        cv2.imwrite(str(sheet), _lay_out(tiles))


def longest_stretch(identity: int, rows: np.ndarray, frame_rate: float) -> Still | None:
    """Find the longest stretch of a track without motion.

    Args:
        identity: Of the track.
        rows: (N, 6) frame, x1, y1, x2, y2, score, by rising frame.
        frame_rate: Frames a second.

    Returns:
        The stretch, None where it is shorter than `SECONDS`.
    """
    frames, boxes = rows[:, 0], rows[:, 1:5]
    centres, heights = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 3] - boxes[:, 1]
    best = (0, 0)
    for first in range(len(rows)):
        if frames[-1] - frames[first] <= frames[best[1]] - frames[best[0]]:
            break
        after = centres[first:]
        spread = (np.maximum.accumulate(after) - np.minimum.accumulate(after)).max(axis=1)
        last = first + int((spread < MOVES * heights[first]).sum()) - 1
        if frames[last] - frames[first] > frames[best[1]] - frames[best[0]]:
            best = (first, last)
    seconds = (frames[best[1]] - frames[best[0]]) / frame_rate
    if seconds < SECONDS:
        return None
    own = slice(best[0], best[1] + 1)
    ends = int(frames[best[0]]), int(frames[best[1]])
    return Still(identity, *ends, float(seconds), float(rows[own, 5].mean()), boxes[own].mean(axis=0))


def _pictures(video: Path, found: list[Still]) -> list[np.ndarray]:
    wanted: dict[int, list[Still]] = {}
    for one in found:
        wanted.setdefault((one.first + one.last) // 2, []).append(one)
    tiles = []
    with open_source(video) as source:
        for frame in source:
            tiles += [_picture(frame.image, one, video.stem) for one in wanted.get(frame.number, [])]
    return tiles


def _picture(image: np.ndarray, one: Still, name: str) -> np.ndarray:
    """Return a BGR tile with the box of a track and what is around it."""
    shown = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    left, top, right, bottom = one.box.round().astype(int).tolist()
    cv2.rectangle(shown, (left, top), (right, bottom), (0, 255, 255), 1)
    reach = int(MARGIN * (bottom - top))
    cut = shown[max(top - reach, 0) : bottom + reach, max(left - reach, 0) : right + reach]
    tile = cv2.resize(cut, TILE, interpolation=cv2.INTER_AREA)
    cv2.putText(tile, f"{name} {one.identity}", (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 0), 1)
    cv2.putText(tile, f"{one.seconds:.0f} s  {one.score:.2f}", (2, 26), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 255, 0), 1)
    return tile


def _lay_out(tiles: list[np.ndarray], columns: int = 12) -> np.ndarray:
    blank = [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    rows = [np.hstack((tiles + blank)[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


if __name__ == "__main__":
    auto_cli(list_motionless)
