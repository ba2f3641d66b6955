from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tracker.errors import InputError
from tracker.io.mot import MotWriter, read_detections, read_ground_truth, read_results, read_sequence_info


@pytest.fixture
def write(tmp_path):
    def write_rows(text: str | bytes, name: str = "rows.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write_rows


def two_tracks() -> SimpleNamespace:
    boxes = np.array([[0, 0, 10, 20], [99.5, 49.25, 120, 80]], np.float32)
    return SimpleNamespace(ids=np.array([1, 12]), boxes=boxes, scores=np.array([1, 0.25], np.float32))


def test_written_tracks_come_back(tmp_path):
    path = tmp_path / "new" / "rows.txt"
    with MotWriter(path) as writer:
        writer.write(1, two_tracks())
        writer.write(3, two_tracks())
    assert path.read_text().splitlines()[1] == "1,12,100.50,50.25,20.50,30.75,0.2500,-1,-1,-1"
    rows = read_results(path)
    assert rows.frames.tolist() == [1, 1, 3, 3]
    assert rows.ids.tolist() == [1, 12, 1, 12]
    assert rows.scores.tolist() == [1, 0.25, 1, 0.25]
    np.testing.assert_array_equal(rows.boxes_xyxy[2:], two_tracks().boxes)


def test_what_was_written_before_an_exception_is_kept(tmp_path):
    with pytest.raises(RuntimeError), MotWriter(tmp_path / "rows.txt") as writer:
        writer.write(1, two_tracks())
        raise RuntimeError("the video broke off")
    assert writer.partial == tmp_path / "rows.partial.txt"
    assert len(read_results(writer.partial)) == 2
    assert list(tmp_path.iterdir()) == [writer.partial]


def test_an_unwritable_result_is_an_input_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot write"):
        MotWriter(tmp_path / "file" / "rows.txt")


def test_ground_truth_has_flags_classes_and_visibilities(write):
    rows = read_ground_truth(write("2,5,1,2,3,4,0,7,0.25\n1,4,10,20,30,40,1,1,1\n"))
    assert rows.frames.tolist() == [1, 2]
    assert rows.lines.tolist() == [2, 1]
    assert rows.flags.tolist() == [1, 0]
    assert rows.classes.tolist() == [1, 7]
    assert rows.visibilities.tolist() == [1, 0.25]
    assert rows.boxes_xywh.tolist() == [[10, 20, 30, 40], [1, 2, 3, 4]]


def test_world_coordinates_of_mot15_are_no_classes(write):
    rows = read_ground_truth(write("1,4,10,20,30,40,1,-5.25,3.1,-1\n"))
    assert rows.flags.tolist() == [1]
    assert rows.classes.tolist() == [1]


def test_rows_of_a_frame_keep_their_order(write):
    rows = read_results(write("2,9,1,1,1,1,1\n1,3,1,1,1,1,1\n2,1,1,1,1,1,1\n1,2,1,1,1,1,1\n"))
    assert rows.ids.tolist() == [3, 2, 9, 1]


def test_detections_may_score_anything(write):
    rows = read_detections(write("1,-1,1,1,5,5,-3.5\n1,-1,1,1,5,5,120\n"))
    assert rows.scores.tolist() == [-3.5, 120]
    assert rows.ids.tolist() == [-1, -1]


@pytest.mark.parametrize(
    "text",
    [
        "1,2,3.5,-4.25,5,6,0.5\n1,3,30,4,5.125,6,1\n",
        "1,2,3.5,-4.25,5,6,0.5\r\n1,3,30,4,5.125,6,1",
        "\ufeff1,2,3.5,-4.25,5,6,0.5\n\n1,3,30,4,5.125,6,1\n\n",
        "1.0, 2.00, 3.5, -4.25, 5, 6, .5\n1,3,+30,4.,5.125,6e0,1\n",
        "1 2 3.5 -4.25 5 6 0.5\n1 3 30 4 5.125 6 1\n",
    ],
    ids=["plain", "crlf", "mark and blank lines", "other notations", "blanks"],
)
def test_notations_that_mean_the_same(write, text):
    rows = read_results(write(text))
    assert rows.boxes_xywh.tolist() == [[3.5, -4.25, 5, 6], [30, 4, 5.125, 6]]
    assert rows.ids.tolist() == [2, 3]
    assert rows.scores.tolist() == [0.5, 1]


def test_numbers_are_read_exactly_as_python_reads_them(write):
    random = np.random.default_rng(0)
    values = random.normal(0, 1000, 4000)
    texts = [f"{value:.{random.integers(0, 9)}f}" for value in values] + [repr(float(value)) for value in values]
    rows = read_results(write("".join(f"1,{i},{text},1,1,1\n" for i, text in enumerate(texts))))
    assert rows.boxes_xywh[:, 0].tolist() == [float(text) for text in texts]


def test_an_empty_file_has_no_rows(write):
    rows = read_results(write(""))
    assert len(rows) == 0
    assert rows.boxes_xywh.shape == (0, 4)
    assert len(read_ground_truth(write("\n"))) == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,1,1,1,1,1,1\n2,1,x,1,1,1,1\n", r"rows.txt:2: expected numbers separated by commas, got: 2,1,x"),
        ("1,1,1,1,1,1,1\n2,1,1,1,1,1\n", r"rows.txt:2: expected 7 columns as in line 1, got 6"),
        ("1,1,1,1\n", r"rows.txt:1: expected at least 6 columns .* got 4"),
        ("1,1,1,1,1,1\n\n1,2,1,nan,1,1\n", r"rows.txt:3: expected finite numbers: 1,2,1,nan,1,1"),
        ("1,1.5,1,1,1,1\n", r"rows.txt:1: expected whole numbers as frame and id: 1,1.5,"),
        ("1e30,1,1,1,1,1,1\n", r"rows.txt:1: expected whole numbers as frame and id: 1e\+30,1,"),
        ("1,-1e30,1,1,1,1,1\n", r"rows.txt:1: expected whole numbers as frame and id: 1,-1e\+30,"),
        ("1,1,1,1,1,1,1,1e30\n", r"rows.txt:1: expected a finite number from -10000000000 to 10000000000 in column 8"),
        ("1,1,1,1,1,1,inf\n", r"rows.txt:1: expected a finite number from -10000000000 to 10000000000 in column 7"),
        ("1,1,1,1,1,1,1,\n", r"rows.txt:1: expected numbers"),
        ("1,1,1,1,1,-,1\n", r"rows.txt:1: expected numbers"),
        ("1,1,1,1,1,1.2.3,1\n", r"rows.txt:1: expected numbers"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_a_broken_row_is_named(write, text, message):
    with pytest.raises(InputError, match=message):
        read_results(write(text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nothing\.txt: No such file"):
        read_results(tmp_path / "nothing.txt")


def test_sequence_info_reads_any_order_and_line_end(tmp_path):
    text = "[Sequence]\r\nseqLength=600\r\nimHeight=1080\r\nimWidth=1920\r\nname=MOT17-02\r\nframeRate=30\r\n"
    (tmp_path / "seqinfo.ini").write_bytes(text.encode())
    info = read_sequence_info(tmp_path)
    assert (info.name, info.length, info.size, info.frame_rate) == ("MOT17-02", 600, (1920, 1080), 30)
    assert info.image_folder == tmp_path / "img1"
    assert info.extension == ".jpg"


def test_sequence_info_is_made_up_from_images(tmp_path):
    cv2 = pytest.importorskip("cv2")
    (tmp_path / "TUD" / "img1").mkdir(parents=True)
    for number in (1, 2, 3):
        cv2.imwrite(str(tmp_path / "TUD" / "img1" / f"{number:06d}.png"), np.zeros((48, 64, 3), np.uint8))
    info = read_sequence_info(tmp_path / "TUD")
    assert (info.name, info.length, info.size, info.extension) == ("TUD", 3, (64, 48), ".png")


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        (None, "found neither"),
        ("[Sequence]\nname=a\n", "seqLength.*missing"),
        ("name=a\n", "not a sequence description"),
        (
            "[Sequence]\nseqLength=many\n",
            r"seqinfo.ini:2: expected seqLength from 1 to 10000000.*got many",
        ),
    ],
)
def test_a_broken_sequence_folder_is_named(tmp_path, ini, message):
    if ini is not None:
        (tmp_path / "seqinfo.ini").write_text(ini)
    with pytest.raises(InputError, match=message):
        read_sequence_info(tmp_path)


def test_real_ground_truth_is_read(shared_data):
    rows = read_ground_truth(shared_data / "MOT17-labels/train/MOT17-02-FRCNN/gt/gt.txt")
    assert rows.frames.min() == 1
    assert rows.frames.max() == read_sequence_info(shared_data / "MOT17-labels/train/MOT17-02-FRCNN").length == 600
    assert set(np.unique(rows.classes)) <= set(range(1, 14))


def test_what_a_tracker_wrote_can_serve_as_ground_truth(write):
    """Its scores are no flags, and -1 in column 8 is no class."""
    rows = read_ground_truth(write("1,4,10,20,30,40,0.4,-1,-1,-1\n2,4,10,20,30,40,0.9,-1,-1,-1\n"))
    assert (rows.flags.tolist(), rows.classes.tolist(), rows.has_classes) == ([1, 1], [1, 1], False)
    rows = read_ground_truth(write("1,4,10,20,30,40,1,-1,-1\n2,4,10,20,30,40,0,-1,-1\n"))
    assert (rows.flags.tolist(), rows.has_classes, rows.visibilities.tolist()) == ([1, 0], False, [1, 1])
