import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tracker import Detections, InputError, Tracks, make_tracker

BOXES = [[10, 20, 30, 60], [40, 20, 60, 60]]


def test_anything_array_like_becomes_typed_arrays():
    detections = Detections(BOXES, [0.9, 0.4])
    assert [array.dtype for array in (detections.boxes, detections.scores, detections.labels)] == [
        np.float32,
        np.float32,
        np.int64,
    ]
    assert detections.labels.tolist() == [0, 0]
    assert detections.embeddings is None


def test_embeddings_become_unit_rows_and_zero_rows_stay_zero():
    embeddings = Detections(BOXES, [0.9, 0.4], embeddings=[[3, 4], [0, 0]]).embeddings
    np.testing.assert_allclose(embeddings, [[0.6, 0.8], [0, 0]], atol=1e-7)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"boxes": [[0, 0, 1, np.nan]], "scores": [1]}, "row 0 is"),
        ({"boxes": [[0, 0, 1, np.inf]], "scores": [1]}, "finite"),
        ({"boxes": [[0, 0, 1]], "scores": [1]}, r"shape \(N, 4\).*\(1, 3\)"),
        ({"boxes": [[100, 100, 20, 40]], "scores": [1]}, "from_xywh"),
        ({"boxes": BOXES, "scores": [1]}, r"one value per box, shape \(2,\), got \(1,\)"),
        ({"boxes": BOXES, "scores": [1, np.nan]}, "row 1"),
        ({"boxes": BOXES, "scores": [1, 1], "labels": [1]}, "labels"),
        ({"boxes": BOXES, "scores": [1, 1], "embeddings": [[1, 2]]}, r"shape \(2, D\), got \(1, 2\)"),
        ({"boxes": BOXES, "scores": [1, 1], "embeddings": [[1, 2], [np.nan, 1]]}, "row 1"),
        ({"boxes": [["a", 0, 1, 1]], "scores": [1]}, "numbers"),
    ],
)
def test_what_cannot_be_used_is_named(fields, message):
    with pytest.raises(InputError, match=message):
        Detections(**fields)


def test_nothing_found_is_fine_in_every_spelling():
    for empty in (
        Detections.empty(),
        Detections([], []),
        Detections(np.zeros((0, 4)), [], [], []),
        Detections.empty(8),
    ):
        assert len(empty) == 0
        assert empty.boxes.shape == (0, 4)
    assert Detections.empty(8).embeddings.shape == (0, 8)


@pytest.mark.parametrize("rows", [np.array([False, True]), np.array([1]), slice(1, None)])
def test_rows_can_be_chosen(rows):
    chosen = Detections(BOXES, [0.9, 0.4], [3, 5], np.eye(2))[rows]
    assert chosen.boxes.tolist() == [BOXES[1]]
    assert chosen.labels.tolist() == [5]
    assert chosen.embeddings.tolist() == [[0, 1]]


def test_detections_cannot_be_changed_but_copied_and_pickled():
    detections = Detections(BOXES, [0.9, 0.4])
    with pytest.raises(AttributeError):
        detections.scores = None
    assert pickle.loads(pickle.dumps(detections)).boxes.tolist() == BOXES


def test_no_tracks():
    assert len(Tracks.empty()) == 0
    assert Tracks.empty().boxes.shape == (0, 4)


def test_other_formats_become_xyxy():
    assert Detections.from_xywh([[10, 20, 20, 40]], [0.9]).boxes.tolist() == [BOXES[0]]
    assert Detections.from_xyxy(BOXES).scores.tolist() == [1.0, 1.0]
    assert Detections.from_xywh([[10, 20, 20, 40]], embeddings=[[0, 2]]).embeddings.tolist() == [[0, 1]]
    assert len(Detections.from_xywh([])) == 0
    with pytest.raises(InputError, match=r"x y width height, got \(1, 3\)"):
        Detections.from_xywh([[1, 2, 3]])


class Tensor:
    """Enough of a torch tensor on a device: its values are hidden until it is brought home."""

    def __init__(self, values):
        self._values = np.asarray(values)

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self._values


def test_torchvision_output():
    output = {"boxes": Tensor(BOXES), "scores": Tensor([0.9, 0.4]), "labels": Tensor([1, 3])}
    detections = Detections.from_torchvision(output)
    assert (detections.boxes.tolist(), detections.labels.tolist()) == (BOXES, [1, 3])


def test_ultralytics_results():
    boxes = SimpleNamespace(xyxy=Tensor(BOXES), conf=Tensor([0.9, 0.4]), cls=Tensor([0.0, 2.0]))
    detections = Detections.from_ultralytics(SimpleNamespace(boxes=boxes))
    assert (detections.labels.tolist(), detections.labels.dtype) == ([0, 2], np.int64)


def test_supervision_there_and_back():
    supervision = pytest.importorskip("supervision", reason="the supervision package is not installed")
    theirs = supervision.Detections(
        xyxy=np.array(BOXES, float), confidence=np.array([0.9, 0.4]), class_id=np.array([1, 3])
    )
    ours = Detections.from_supervision(theirs)
    assert (ours.boxes.tolist(), ours.labels.tolist()) == (BOXES, [1, 3])
    tracks = Tracks(np.array([4, 7]), ours.boxes, ours.scores, ours.labels, np.array([0, 1]))
    assert tracks.to_supervision().tracker_id.tolist() == [4, 7]
    assert len(Tracks.empty().to_supervision()) == 0


def test_supervision_without_scores_and_classes():
    detections = Detections.from_supervision(SimpleNamespace(xyxy=np.array(BOXES), confidence=None, class_id=None))
    assert (detections.scores.tolist(), detections.labels.tolist()) == ([1, 1], [0, 0])


def test_a_missing_supervision_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(ImportError, match="pip install supervision"):
        Tracks.empty().to_supervision()


class SupervisionDetections:
    """What supervision's class is to us: named columns, of which some may be missing."""

    def __init__(self, xyxy, confidence=None, class_id=None, tracker_id=None, mask=None, data=None):
        self.xyxy, self.confidence, self.class_id = np.asarray(xyxy, float), confidence, class_id
        self.tracker_id, self.mask, self.data = tracker_id, mask, data or {}


@pytest.fixture(params=["stand-in", "supervision"])
def their_class(request, monkeypatch):
    if request.param == "supervision":
        return pytest.importorskip("supervision", reason="the supervision package is not installed").Detections
    monkeypatch.setitem(sys.modules, "supervision", SimpleNamespace(Detections=SupervisionDetections))
    return SupervisionDetections


def with_masks(their_class, boxes, names):
    masks = np.zeros((len(boxes), 8, 8), bool)
    for row in range(len(boxes)):
        masks[row, row] = True
    data = {
        "class_name": np.array(names),
        "heights": np.arange(len(boxes)) + 1.5,
        "rows": np.arange(len(boxes)),
        "tags": [name.upper() for name in names],
    }
    scores = np.full(len(boxes), 0.9)
    return their_class(
        xyxy=np.array(boxes, float),
        confidence=scores,
        class_id=np.array([name == "car" for name in names], int),
        mask=masks,
        data=data,
    )


def test_masks_and_data_of_supervision_go_with_their_tracks(their_class):
    tracker = make_tracker("sort", min_hits=1)
    tracker.update(with_masks(their_class, BOXES, ["person", "car"]))
    tracks = tracker.update(with_masks(their_class, BOXES[::-1], ["person", "car"][::-1]))
    back = tracks.to_supervision()
    assert back.tracker_id.tolist() == tracks.ids.tolist() == [1, 2]
    for row, index in enumerate(tracks.indices.tolist()):
        assert back.mask[row].any(axis=1).tolist() == [line == index for line in range(8)]
        assert back.data["class_name"][row] == ["car", "person"][index]
        assert (back.data["heights"][row], back.data["rows"][row]) == (index + 1.5, index)
        assert back.data["tags"][row] == ["CAR", "PERSON"][index]
    assert tracks[tracks.ids == 2].to_supervision().data["class_name"].tolist() == ["car"]


def test_a_coasting_track_has_no_mask_and_no_data(their_class):
    tracks = Tracks(np.array([4, 7]), np.array(BOXES, np.float32), np.ones(2), np.zeros(2, int), np.array([-1, 0]))
    back = tracks.to_supervision(with_masks(their_class, BOXES[:1], ["person"]))
    assert back.mask.any(axis=(1, 2)).tolist() == [False, True]
    assert back.data["class_name"].tolist() == ["", "person"]
    assert np.isnan(back.data["heights"][0])
    assert [list(back.data[name]) for name in ("rows", "tags")] == [[None, 0], [None, "PERSON"]]
    assert len(Tracks.empty().to_supervision(with_masks(their_class, BOXES[:1], ["person"])).xyxy) == 0


def test_supervision_of_another_update_is_refused(their_class):
    tracks = Tracks(np.array([4]), np.array(BOXES[:1], np.float32), np.ones(1), np.zeros(1, int), np.array([1]))
    with pytest.raises(InputError, match="more detections than the 1 box of these"):
        tracks.to_supervision(with_masks(their_class, BOXES[:1], ["person"]))


@pytest.mark.parametrize("columns", [4, 5, 6])
def test_a_tracker_takes_boxes_in_rows(columns):
    rows = np.array([[10, 20, 30, 60, 0.8, 1], [40, 20, 60, 60, 0.9, 0]])[:, :columns]
    tracks = make_tracker("sort", min_hits=1, min_score=0.1).update(rows)
    order = np.argsort(tracks.indices)
    assert tracks.boxes[order].tolist() == BOXES
    assert tracks.scores[order].tolist() == pytest.approx([0.8, 0.9] if columns > 4 else [1, 1])
    assert tracks.labels[order].tolist() == ([1, 0] if columns > 5 else [0, 0])


@pytest.mark.parametrize("empty", [np.zeros(0), np.zeros((0, 4)), np.zeros((0, 6)), Tensor(np.zeros((0, 5)))])
def test_a_tracker_takes_no_boxes(empty):
    assert len(make_tracker("sort").update(empty)) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, r"update takes tracker\.Detections, an array .* or supervision\.Detections, got NoneType"),
        (BOXES, "got list"),
        (np.zeros((2, 3)), r"columns x1 y1 x2 y2 \[score \[class\]\], got \(2, 3\)"),
        (np.zeros((2, 7)), r"got \(2, 7\)"),
        (np.array([[0, 0, 1, 1, 1, 0.5]]), "column 6 of boxes must be the class, a whole number, row 0 has 0.5"),
        (np.array([[0, 0, 1, 1, np.nan]]), "scores must be finite"),
        (np.array([[5, 0, 1, 1]]), "x2 >= x1"),
    ],
)
def test_what_a_tracker_does_not_take_leaves_its_clock(given, message):
    tracker = make_tracker("sort", min_hits=1, max_lost_seconds=1, frame_rate=10)
    tracker.update(np.array(BOXES), time=1.0)
    before = tracker.state_dict()
    with pytest.raises(InputError, match=message):
        tracker.update(given, time=9.0)
    assert repr(tracker.state_dict()) == repr(before)
    assert tracker.update(np.array(BOXES), time=1.1).ids.tolist() == [1, 2]


def test_one_line_tells_what_is_in_it():
    assert repr(Detections(BOXES, [0.9, 0.4], embeddings=np.eye(2))) == (
        "Detections(2 boxes, scores 0.4 to 0.9, label 0, embeddings of length 2)"
    )
    assert repr(Detections.empty()) == "Detections(no boxes)"
    many = np.arange(9)
    boxes = np.tile(BOXES[0], (9, 1))
    assert repr(Detections(boxes, np.ones(9), many)) == "Detections(9 boxes, scores 1, labels 0 1 2 3 4 5 ...)"
    tracks = Tracks(np.array([4, 7]), np.array(BOXES), np.ones(2), np.zeros(2, int), np.array([0, -1]))
    assert repr(tracks) == "Tracks(2, ids 4 7, 1 coasting)"
    assert repr(Tracks.empty()) == "Tracks(none)"
