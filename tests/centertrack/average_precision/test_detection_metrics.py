from __future__ import annotations

import json

import pytest

from centertrack.average_precision.detection_metrics import evaluate_detections
from tracker.errors import InputError

HALF_RECALL = 51 / 101  # of COCO's 101 recall levels, 0 to 0.50 are reached


@pytest.fixture
def mot(tmp_path):
    """Write ground-truth rows and detection rows of one sequence of two frames; returns folder and file."""

    def write(gt, detections):
        folder = tmp_path / "MOT17-99"
        (folder / "gt").mkdir(parents=True)
        (folder / "gt" / "gt.txt").write_text("".join(f"{row}\n" for row in gt))
        (folder / "seqinfo.ini").write_text("[Sequence]\nseqLength=2\n")
        path = tmp_path / "detections" / "MOT17-99.txt"
        path.parent.mkdir()
        path.write_text("".join(f"{row}\n" for row in detections))
        return folder, path

    return write


def coco(path, content):
    path.write_text(json.dumps(content))
    return path


TWO_PEOPLE = ["1,1,11,11,20,40,1,1,1", "2,1,11,11,20,40,1,1,1"]


def test_perfect_detections(mot):
    folder, path = mot(TWO_PEOPLE, ["1,-1,11,11,20,40,0.9", "2,-1,11,11,20,40,0.8"])
    scores = evaluate_detections(folder, path.parent)
    assert scores.metrics["AP"] == scores.metrics["AP50"] == scores.metrics["AR"] == pytest.approx(1)
    assert scores.metrics["AP large"] == -1
    assert (scores.images, scores.objects, scores.detections) == (2, 2, 2)
    assert scores.table().splitlines()[1].split()[0] == "100.00"


def test_a_miss_and_a_weaker_wrong_box(mot):
    folder, path = mot(TWO_PEOPLE, ["1,-1,11,11,20,40,0.9", "2,-1,300,11,20,40,0.8"])
    assert evaluate_detections(folder, path).metrics["AP50"] == pytest.approx(HALF_RECALL)


def test_distractors_and_ignored_pedestrians_neither_help_nor_hurt(mot):
    gt = [*TWO_PEOPLE, "1,2,301,11,20,40,0,8,1", "1,3,401,11,20,40,0,1,1", "1,4,501,11,20,40,0,3,1"]
    wrong = ["1,-1,301,11,20,40,0.99", "1,-1,401,11,20,40,0.99"]
    right = ["1,-1,11,11,20,40,0.9", "2,-1,11,11,20,40,0.8"]
    folder, path = mot(gt, wrong + right)
    assert evaluate_detections(folder, path).metrics["AP50"] == pytest.approx(1)
    path.write_text("\n".join([*right, "1,-1,501,11,20,40,0.99"]))  # on a car
    assert evaluate_detections(folder, path).metrics["AP50"] == pytest.approx(2 / 3)


def test_crowds_of_more_than_a_hundred_count_in_full(mot):
    boxes = [f"{10 + 30 * (i % 20)},{10 + 50 * (i // 20)},20,40" for i in range(150)]
    folder, path = mot([f"1,{i + 1},{box},1,1,1" for i, box in enumerate(boxes)], [f"1,-1,{box},0.5" for box in boxes])
    assert evaluate_detections(folder, path).metrics["AR"] == pytest.approx(1)
    assert evaluate_detections(folder, path, max_detections=100).metrics["AR"] == pytest.approx(100 / 150)


def test_coco_labels_with_a_list_of_results(tmp_path):
    labels = {
        "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}],
        "categories": [{"id": 3, "name": "person"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 10, 20, 40], "area": 800, "iscrowd": 0}
        ],
    }
    results = [{"image_id": 7, "category_id": 3, "bbox": [10, 10, 20, 40], "score": 0.5}]
    gt = coco(tmp_path / "gt.json", labels)
    assert evaluate_detections(gt, coco(tmp_path / "results.json", results)).metrics["AP"] == pytest.approx(1)
    results[0]["image_id"] = 99
    with pytest.raises(InputError, match="detection in image 99, of which"):
        evaluate_detections(gt, coco(tmp_path / "results.json", results))


def test_images_and_categories_of_our_own_results_are_told_by_name(tmp_path):
    labels = {
        "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}],
        "categories": [{"id": 3, "name": "person"}, {"id": 5, "name": "dog"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 10, 20, 40]},
            {"id": 2, "image_id": 8, "category_id": 5, "bbox": [10, 10, 20, 40]},
        ],
    }
    found = {
        "images": [{"id": 1, "file_name": "images/b.jpg"}, {"id": 2, "file_name": "images/a.jpg"}],
        "categories": [{"id": 1, "name": "dog"}, {"id": 2, "name": "person"}],
        "annotations": [
            {"image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 40], "score": 0.5},
            {"image_id": 2, "category_id": 2, "bbox": [10, 10, 20, 40], "score": 0.5},
        ],
    }
    scores = evaluate_detections(coco(tmp_path / "gt.json", labels), coco(tmp_path / "found.json", found))
    assert scores.metrics["AP"] == pytest.approx(1)


def test_our_own_results_against_a_sequence(mot, tmp_path):
    folder, _ = mot(TWO_PEOPLE, [])
    found = {
        "images": [{"id": 1, "file_name": "000001.jpg"}, {"id": 2, "file_name": "img1/000002.jpg"}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [{"image_id": i, "category_id": 1, "bbox": [10, 10, 20, 40], "score": 0.5} for i in (1, 2)],
    }
    assert evaluate_detections(folder, coco(tmp_path / "f.json", found)).metrics["AP"] == pytest.approx(1)


@pytest.mark.parametrize("content", ["{", "[]", '{"images": 3, "annotations": []}', '{"images": []}'])
def test_files_of_another_kind_are_named(tmp_path, content):
    (tmp_path / "gt.json").write_text(content)
    with pytest.raises(InputError, match=r"gt\.json(:1: not valid JSON|: expected)"):
        evaluate_detections(tmp_path / "gt.json", tmp_path / "gt.json")


def test_no_detections_at_all(mot):
    scores = evaluate_detections(*mot(TWO_PEOPLE, []))
    assert scores.metrics["AP"] == 0
    assert scores.detections == 0


def test_public_detections_of_a_real_sequence(shared_data):
    """FRCNN's are known to be good and few: AP50 of about 0.56 on MOT17-09."""
    folder = shared_data / "MOT17-labels" / "train" / "MOT17-09-FRCNN"
    assert 0.5 < evaluate_detections(folder, folder).metrics["AP50"] < 0.65


def test_few_detections_of_an_image_count_when_few_are_asked_for(mot):
    gt = ["1,1,11,11,20,40,1,1,1", "1,2,101,11,20,40,1,1,1"]
    folder, path = mot(gt, ["1,-1,11,11,20,40,0.9", "1,-1,101,11,20,40,0.8"])
    assert evaluate_detections(folder, path, max_detections=1).metrics["AR"] == pytest.approx(1 / 2)
