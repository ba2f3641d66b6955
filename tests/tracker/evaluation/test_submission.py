from __future__ import annotations

from zipfile import ZipFile

import pytest

from tracker.errors import InputError
from tracker.evaluation.benchmarks import TEST_SEQUENCES
from tracker.evaluation.submission import pack_submission

ROW = "1,1,10,20,30,40,0.9,-1,-1,-1\n"
MOT17_VIDEOS = ("01", "03", "06", "07", "08", "12", "14")


def write_all(folder, names, content=ROW):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.txt").write_text(content)
    return folder


@pytest.mark.parametrize("suffix", ["", "-SDP"])
def test_mot17_gets_all_21_names(tmp_path, suffix):
    results = write_all(tmp_path / "results", [f"MOT17-{number}{suffix}" for number in MOT17_VIDEOS])
    submission = pack_submission(results, tmp_path / "out.zip", "MOT17")
    with ZipFile(tmp_path / "out.zip") as archive:
        assert sorted(archive.namelist()) == sorted(f"{name}.txt" for name in TEST_SEQUENCES["MOT17"])
        assert len(archive.namelist()) == 21
        assert archive.read("MOT17-14-DPM.txt").decode() == ROW
    assert submission.summary() == f"{tmp_path / 'out.zip'}: 21 sequences, made from 7 files"


def test_results_of_each_detector_go_under_their_own_name(tmp_path):
    results = write_all(tmp_path / "results", TEST_SEQUENCES["MOT17"])
    (results / "MOT17-03-FRCNN.txt").write_text("")
    pack_submission(results, tmp_path / "out.zip", "MOT17")
    with ZipFile(tmp_path / "out.zip") as archive:
        assert archive.read("MOT17-03-FRCNN.txt") == b""
        assert archive.read("MOT17-03-SDP.txt").decode() == ROW


def test_the_same_results_make_the_same_zip(tmp_path):
    results = write_all(tmp_path / "results", TEST_SEQUENCES["MOT20"])
    zips = [pack_submission(results, tmp_path / name, "MOT20").path.read_bytes() for name in ("a.zip", "b.zip")]
    assert zips[0] == zips[1]


def test_dancetrack_wants_a_folder_called_tracker(tmp_path):
    results = write_all(tmp_path / "results", [f"dancetrack{number:04d}" for number in range(35)])
    pack_submission(results, tmp_path / "out.zip", "DanceTrack")
    with ZipFile(tmp_path / "out.zip") as archive:
        assert "tracker/dancetrack0034.txt" in archive.namelist()
    (results / "dancetrack0034.txt").unlink()
    with pytest.raises(InputError, match=r"needs 35 files .* holds 34"):
        pack_submission(results, tmp_path / "out.zip", "DanceTrack")


def test_what_the_server_would_refuse_is_not_packed(tmp_path):
    results = write_all(tmp_path / "results", TEST_SEQUENCES["MOT20"])
    (results / "MOT20-06.txt").write_text("1009,1,10,20,30,40,0.9,-1,-1,-1\n")
    with pytest.raises(InputError, match=r"MOT20-06\.txt:1: frame out of range, expected 1 to 1008: 1009,1,"):
        pack_submission(results, tmp_path / "out.zip", "MOT20")
    (results / "MOT20-06.txt").unlink()
    with pytest.raises(InputError, match=r"needs 4 sequences; .* lacks MOT20-06 \("):
        pack_submission(results, tmp_path / "out.zip", "MOT20")
    with pytest.raises(InputError, match="expected a benchmark of"):
        pack_submission(results, tmp_path / "out.zip", "KITTI")
    assert not (tmp_path / "out.zip").exists()
