"""Whether a box was detected goes from a file of tracks to whoever reads it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tracker.detections import Tracks
from tracker.editing.edit_list import EditList
from tracker.editing.edited import read_edited
from tracker.editing.edits import DrawBoxes
from tracker.errors import InputError
from tracker.io.track_writer import TrackedSource
from tracker.io.track_writers import open_tracks
from tracker.io.tracked import read_tracked

SEEN = {1: [True, True], 2: [False, True], 3: [True, False]}


def write(path: Path) -> Path:
    writer = open_tracks(path, TrackedSource("walk", 25.0, (100, 80)))
    for frame, seen in SEEN.items():
        boxes = np.array([[10, 10, 20, 40], [50, 10, 60, 40]], np.float32) + frame
        indices = np.where(seen, np.arange(2), -1)
        writer.write(frame, Tracks(np.array([1, 2]), boxes, np.ones(2), np.zeros(2, np.int64), indices), frame / 25)
    writer.close()
    return path


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet"])
def test_coasting_boxes_stay_coasting(suffix: str, tmp_path: Path) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
    (sequence,) = read_tracked(write(tmp_path / f"walk{suffix}"))
    assert {frame: tracks.seen.tolist() for frame, tracks in sequence.by_frame().items()} == SEEN


def test_rows_that_do_not_say_count_as_seen(tmp_path: Path) -> None:
    (sequence,) = read_tracked(write(tmp_path / "walk.txt"))
    assert all(tracks.seen.all() for tracks in sequence.by_frame().values())


def test_edits_keep_it_and_what_a_person_draws_was_seen(tmp_path: Path) -> None:
    path, edits = write(tmp_path / "walk.csv"), tmp_path / "walk.edits.jsonl"
    EditList(edits, path).append(DrawBoxes(1, ((2, 12, 13, 10, 30),)))
    found = {frame: tracks.seen.tolist() for frame, tracks in read_edited(path, edits).tracks}
    assert found == {1: [True, True], 2: [True, True], 3: [True, False]}


def test_what_is_neither_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "walk.csv")
    path.write_text(path.read_text().replace(",0\n", ",maybe\n"))
    with pytest.raises(InputError, match=r"walk\.csv:4: expected seen from 0 to 1"):
        list(read_tracked(path))
