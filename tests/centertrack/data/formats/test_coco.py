from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack.data.formats.coco import CocoSet
from tracker.errors import InputError


@pytest.fixture
def coco_file(tmp_path: Path) -> Path:
    """Two images; categories 3 and 7; a crowd, a box of no size, and an image without objects."""
    (tmp_path / "images").mkdir()
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / "images" / name), np.full((60, 80, 3), (10, 20, 30), np.uint8))
    annotations = [
        {"id": 1, "image_id": 5, "category_id": 7, "bbox": [10, 20, 30, 40], "iscrowd": 0, "track_id": 42},
        {"id": 2, "image_id": 5, "category_id": 3, "bbox": [1, 2, 3, 0.5], "iscrowd": 0, "track_id": 43},
        {"id": 3, "image_id": 5, "category_id": 3, "bbox": [40, 0, 20, 20], "iscrowd": 1},
        {"id": 4, "image_id": 5, "category_id": 3, "bbox": [50, 10, 10, 20], "iscrowd": 0},
    ]
    content = {
        "images": [{"id": 5, "file_name": "a.png"}, {"id": 6, "file_name": "b.png"}],
        "annotations": annotations,
        "categories": [{"id": 7, "name": "person"}, {"id": 3, "name": "car"}],
    }
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(content))
    return path


def test_boxes_labels_and_ignore_regions(coco_file: Path) -> None:
    data = CocoSet(coco_file, identities="labels")
    sample = data[0]
    assert len(data) == 2 and data.num_classes == 2
    assert sample.boxes.tolist() == [[10, 20, 40, 60], [50, 10, 60, 30]]
    assert sample.labels.tolist() == [1, 0]  # categories in the order of their ids: 3 is 0, 7 is 1
    assert sample.ids.tolist() == [0, -1]
    assert sample.ignore.tolist() == [[40, 0, 60, 20]]
    assert sample.image[0, 0].tolist() == [30, 20, 10]  # RGB


def test_an_image_without_objects_has_empty_arrays(coco_file: Path) -> None:
    sample = CocoSet(coco_file)[1]
    assert sample.boxes.shape == (0, 4) and sample.labels.shape == (0,) and sample.ids.shape == (0,)


def test_every_box_can_be_an_identity(coco_file: Path) -> None:
    data = CocoSet(coco_file, identities="boxes")
    assert data.num_identities == 2
    assert data[0].ids.tolist() == [0, 1]


def test_shrinking_scales_image_and_boxes_together(coco_file: Path) -> None:
    sample = CocoSet(coco_file, longest_side=40)[0]
    assert sample.image.shape == (30, 40, 3)
    assert sample.boxes[0].tolist() == [5, 10, 20, 30]


def test_samples_do_not_share_memory_with_the_set(coco_file: Path) -> None:
    data = CocoSet(coco_file)
    data[0].boxes[:] = 0
    assert data[0].boxes[0].tolist() == [10, 20, 40, 60]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", r"labels.json:1: not valid JSON"),
        ('{"images": []}', r"missing \['annotations', 'categories'\]"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(InputError, match=sentence):
        CocoSet(tmp_path / "labels.json")


def test_a_broken_image_is_named(coco_file: Path) -> None:
    (coco_file.parent / "images" / "a.png").write_bytes(b"")
    with pytest.raises(InputError, match=r"cannot read the image .*a\.png: the file is empty"):
        CocoSet(coco_file)[0]


def test_real_masks_belong_to_their_boxes(shared_data: Path) -> None:
    folder = shared_data / "detection" / "pennfudan"
    data = CocoSet(folder / "person.json", masks=folder / "masks")
    for index in (0, 17, 50):
        sample = data[index]
        assert sample.masks is not None
        for row, box in enumerate(sample.boxes):
            y, x = np.nonzero(sample.masks == row + 1)
            hull = np.array([x.min(), y.min(), x.max() + 1, y.max() + 1])
            np.testing.assert_allclose(hull, box, atol=4)
