from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack.data.formats.mot import MotSet
from tracker.errors import InputError

ROWS = """1,3,11,21,30,40,1,1,1.0
1,9,1,1,10,20,0,1,1.0
1,4,31,21,30,40,1,7,1.0
1,5,31,21,30,40,1,3,1.0
1,8,51,21,10,20,1,1,0.05
3,9,11,21,30,40,1,1,0.5
3,3,13,21,30,40,1,1,0.5
"""


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """Three frames with pedestrians 3 and 9, a flagged one, a static one, a car and a hidden one."""
    (tmp_path / "gt").mkdir()
    (tmp_path / "img1").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text(ROWS)
    ini = "[Sequence]\nname=tiny\nimDir=img1\nframeRate=30\nseqLength=3\nimWidth=80\nimHeight=60\nimExt=.jpg\n"
    (tmp_path / "seqinfo.ini").write_text(ini)
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / "img1" / f"{number:06d}.jpg"), np.zeros((60, 80, 3), np.uint8))
    return tmp_path


def test_pedestrians_are_objects_and_lookalikes_ignored(sequence: Path) -> None:
    sample = MotSet(sequence)[0]
    assert sample.boxes.tolist() == [[10, 20, 40, 60]]  # 1-based in the file
    assert sample.ids.tolist() == [0]
    ignored = sorted(sample.ignore.tolist())
    assert ignored == [[0, 0, 10, 20], [30, 20, 60, 60], [50, 20, 60, 40]]  # flagged, static, hidden; not the car


def test_identities_are_dense_and_stay_with_their_track(sequence: Path) -> None:
    data = MotSet(sequence)
    assert data.num_identities == 2
    assert data[2].ids.tolist() == [1, 0]
    assert len(data[1].boxes) == 0


def test_a_range_of_frames_has_its_own_identities(sequence: Path) -> None:
    data = MotSet(sequence, frames=[1, 2])
    assert len(data) == 2 and data.num_identities == 1


def test_frames_outside_the_sequence_are_refused(sequence: Path) -> None:
    with pytest.raises(InputError, match="frames must lie within 1 to 3, got 2 to 4"):
        MotSet(sequence, frames=[2, 4])


def test_the_real_sequence(shared_data: Path) -> None:
    data = MotSet(shared_data / "MOT17" / "train" / "MOT17-09-SDP", frames=[1, 200], longest_side=960)
    sample = data[0]
    assert len(data) == 200 and sample.image.shape == (540, 960, 3)
    assert [129.5, 224.5, 180.5, 355.5] in sample.boxes.tolist()  # first row of its gt.txt: 260,450,102,262, halved
