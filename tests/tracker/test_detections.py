import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tracker import Detections, InputError, Tracks

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
