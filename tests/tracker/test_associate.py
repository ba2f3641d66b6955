import pytest

from tracker import InputError, evaluate
from tracker.associate import associate
from tracker.io.detected_mot import read_sequence_detections
from tracker.io.mot import read_results


@pytest.fixture
def sequence(tmp_path):
    """A MOTChallenge folder: one person walks for 6 frames, frame 4 has no detection."""
    folder = tmp_path / "MOT17-99-SDP"
    for name in ("det", "gt"):
        (folder / name).mkdir(parents=True)
    ini = (
        "[Sequence]\nname=MOT17-99-SDP\nimDir=img1\nframeRate=25\nseqLength=6\nimWidth=640\nimHeight=480\nimExt=.jpg\n"
    )
    (folder / "seqinfo.ini").write_text(ini)
    boxes = {frame: f"{100 + 2 * frame},51,40,100" for frame in range(1, 7)}
    (folder / "det/det.txt").write_text("".join(f"{f},-1,{box},0.9\n" for f, box in boxes.items() if f != 4))
    (folder / "gt/gt.txt").write_text("".join(f"{f},1,{box},1,1,1.0\n" for f, box in boxes.items()))
    return folder


def test_rows_are_written_for_every_sequence(sequence, tmp_path):
    written = associate([sequence], "bytetrack", tmp_path / "out")
    rows = read_results(written["MOT17-99-SDP"])
    assert rows.frames.tolist() == [1, 2, 3, 5, 6]
    assert set(rows.ids.tolist()) == {1}
    assert evaluate(sequence.parent, tmp_path / "out").combined.metrics()["IDSW"] == 0


def test_the_sequence_says_the_frame_rate_and_options_come_through(sequence, tmp_path):
    associate([sequence], "scene", tmp_path / "out", min_coast_hits=2)
    assert read_results(tmp_path / "out/MOT17-99-SDP.txt").frames.tolist() == [1, 2, 3, 4, 5, 6]


def test_gaps_are_filled_afterwards_when_asked_for(sequence, tmp_path):
    associate([sequence], "bytetrack", tmp_path / "out", offline=["interpolate"])
    assert read_results(tmp_path / "out/MOT17-99-SDP.txt").frames.tolist() == [1, 2, 3, 4, 5, 6]


def test_frames_without_detections_are_empty_not_missing(sequence):
    assert [len(detections) for _, detections in read_sequence_detections(sequence)] == [1, 1, 1, 0, 1, 1]


def test_what_cannot_be_used_is_named(sequence, tmp_path):
    with pytest.raises(InputError, match="at least one"):
        associate([], "bytetrack", tmp_path)
    with pytest.raises(InputError, match="did you mean"):
        associate([sequence], "bytetrack", tmp_path, min_scor=0.3)
    with pytest.raises(InputError, match="there are: link, interpolate, smooth"):
        associate([sequence], "bytetrack", tmp_path, offline=["interpolat"])
    with pytest.raises(InputError, match="embeddings"):
        associate([sequence], "fairmot", tmp_path / "out")
    (sequence / "det/det.txt").write_text("7,-1,10,10,40,100,0.9\n")
    with pytest.raises(InputError, match=r"det\.txt:1: expected frames 1 to 6"):
        associate([sequence], "bytetrack", tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("tracker", "options", "hota", "idf1"),
    [
        ("sort", {}, 0.499, 0.582),
        ("ocsort", {}, 0.498, 0.585),
        ("bytetrack", {}, 0.510, 0.604),
        ("botsort", {"camera_motion": "none"}, 0.513, 0.603),
        ("scene", {}, 0.550, 0.651),
    ],
)
def test_public_detections_of_mot17_must_not_get_worse(shared_data, tmp_path, tracker, options, hota, idf1):
    """The figures of docs/trackers.md; the best that other libraries reach are 0.512 and 0.605."""
    folder = shared_data / "MOT17-labels" / "train"
    associate(sorted(folder.iterdir()), tracker, tmp_path, **options)
    combined = evaluate(folder, tmp_path, benchmark="MOT17").combined.metrics()
    assert combined["HOTA"] >= hota
    assert combined["IDF1"] >= idf1
