"""The tools that let large networks teach small ones."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import yaml
from embed_people import embed_people, embed_set
from label_images import complete, label_images
from start_from_openvino import Convolutions, fill

from centertrack.data.formats.coco import CocoSet
from centertrack.models import build_centernet
from tests.conftest import PROJECT, SHARED_DATA

PERSON = [{"id": 1, "name": "person"}]


def test_a_detector_adds_whom_nobody_labelled() -> None:
    content = {
        "images": [{"id": 5, "file_name": "a.png"}, {"id": 6, "file_name": "b.png"}],
        "annotations": [{"id": 3, "image_id": 5, "category_id": 1, "bbox": [10, 10, 20, 60]}],
        "categories": PERSON,
    }
    seen = {
        5: [[11, 9, 31, 71, 0.9], [50, 10, 70, 70, 0.31], [80, 10, 99, 70, 0.29], [150, 10, 170, 70, 0.11]],
        6: [[0, 0, 20, 60, 0.5]],
    }
    first, *added = complete(content, seen)["annotations"]
    assert first == content["annotations"][0]
    assert [(one["image_id"], one["bbox"][0], one["iscrowd"]) for one in added] == [(5, 50, 0), (5, 80, 1), (6, 0, 0)]
    assert [one["id"] for one in added] == [4, 5, 6]
    assert [one["score"] for one in added] == [0.31, 0.29, 0.5]
    assert len(content["annotations"]) == 1


def test_half_of_somebody_labelled_is_nobody_new() -> None:
    content = {"images": [{"id": 1}], "categories": PERSON}
    content["annotations"] = [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 100, 300]}]
    upper, child = [5, 0, 95, 90, 0.6], [60, 250, 80, 300, 0.6]  # the child is a twentieth of the label
    assert len(complete(content, {1: [upper]})["annotations"]) == 1
    assert len(complete(content, {1: [child]})["annotations"]) == 2


def test_detections_are_kept_for_an_interrupted_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[int, ...]] = []

    class Finder:
        """Finds one person in the middle, until it breaks."""

        def __init__(self, *_: object) -> None:
            pass

        def __call__(self, image: np.ndarray) -> np.ndarray:
            shown.append(image.shape)
            if len(shown) == 2:
                raise KeyboardInterrupt
            height, width = image.shape[:2]
            return np.array([[width / 4, height / 4, width / 2, height / 2, 0.8]])

    monkeypatch.setattr("label_images.OpenVinoDetector", Finder)
    monkeypatch.setattr("label_images.LABELLED_BY_DETECTOR", ("found",))
    images = tmp_path / "detection" / "square" / "images"
    images.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(images / name), np.zeros((80, 80, 3), np.uint8))
    content = {"images": [{"id": i, "file_name": f"{name}.png"} for i, name in enumerate("ab")], "annotations": []}
    (images.parent / "person.json").write_text(json.dumps({**content, "categories": PERSON}))
    (tmp_path / "found").mkdir()
    rows = [
        {"id": i, "image_id": 0, "category_id": 1, "bbox": [i, 0, 9, 9], "score": s} for i, s in ((0, 0.4), (30, 0.2))
    ]
    (tmp_path / "found" / "person_teacher.json").write_text(
        json.dumps({**content, "annotations": rows, "categories": PERSON})
    )
    output = tmp_path / "labelled"
    with pytest.raises(KeyboardInterrupt):
        label_images(tmp_path, output, Path("any.xml"), sets={"square": 1.5})
    assert not (output / "square.json").exists()
    label_images(tmp_path, output, Path("any.xml"), sets={"square": 1.5})
    assert shown == [(80, 120, 3)] * 3  # a, b until it broke, b
    square = json.loads((output / "square.json").read_text())["annotations"]
    assert [(one["image_id"], one["bbox"]) for one in square] == [(0, [20, 20, 20, 20]), (1, [20, 20, 20, 20])]
    found = json.loads((output / "found.json").read_text())["annotations"]
    assert [(one["bbox"][0], one["iscrowd"]) for one in found] == [(0, 0), (30, 1)]
    label_images(tmp_path, output, Path("any.xml"), sets={"square": 1.5})
    assert len(shown) == 3


def test_an_identity_is_the_mean_of_its_crops(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((100, 100, 3), (0, 0, 200), np.uint8))
    cv2.imwrite(str(tmp_path / "b.png"), np.full((100, 100, 3), (0, 200, 0), np.uint8))
    content = {
        "images": [{"id": 1, "file_name": "a.png"}, {"id": 2, "file_name": "b.png"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 60], "track_id": 7},
            {"id": 2, "image_id": 2, "category_id": 1, "bbox": [10, 10, 20, 60], "track_id": 7},
            {"id": 3, "image_id": 1, "category_id": 1, "bbox": [60, 10, 30, 90], "track_id": 8},
            {"id": 4, "image_id": 1, "category_id": 1, "bbox": [90, 10, 5, 10], "track_id": 9},
        ],
        "categories": PERSON,
    }
    (tmp_path / "labels.json").write_text(json.dumps(content))
    samples = CocoSet(tmp_path / "labels.json", identities="labels")

    def embed(crop: np.ndarray) -> np.ndarray:
        colour = crop.mean(axis=(0, 1))
        return colour / np.linalg.norm(colour)

    table = embed_set(samples, embed)
    np.testing.assert_allclose(table, [[0.5**0.5, 0.5**0.5, 0], [1, 0, 0], [np.nan] * 3], atol=1e-6)


TEACHERS = SHARED_DATA.parent / "teachers"
NETWORK = TEACHERS / "person-reidentification-retail-0277/person-reidentification-retail-0277.xml"
DETECTOR = TEACHERS / "person-vehicle-bike-detection-2003/person-vehicle-bike-detection-2003.xml"


@pytest.mark.skipif(not NETWORK.is_file(), reason="needs the shared teachers")
def test_embeddings_are_written_where_the_configuration_names_them(tmp_path: Path) -> None:
    scene = {"scenes": 1, "frames": 2, "size": [320, 192], "seconds": 1.0}
    source = {"format": "synthetic", "options": scene}
    sources = [source, {**source, "embeddings": "of/people.npz"}]
    (tmp_path / "a.yaml").write_text(yaml.safe_dump({"data": {"train": sources}}))
    embed_people(tmp_path / "a.yaml", tmp_path, NETWORK)
    table = np.load(tmp_path / "of/people.npz")["embeddings"]
    known = np.isfinite(table).all(axis=1)
    assert table.shape[1] == 256 and known.any()
    np.testing.assert_allclose(np.linalg.norm(table[known].astype(float), axis=1), 1, atol=1e-2)


@pytest.mark.skipif(not DETECTOR.is_file(), reason="needs the shared teachers")
def test_the_start_of_fairmot_base_computes_what_the_detector_does() -> None:
    import openvino

    network = build_centernet(PROJECT / "configs/fairmot_base.yaml").eval()
    fill(network, Convolutions(DETECTOR))
    core = openvino.Core()
    model = core.read_model(DETECTOR)
    model.reshape([1, 3, 192, 320])
    nodes = {node.get_friendly_name(): node for node in model.get_ordered_ops()}
    scores = core.compile_model(
        openvino.Model(
            [nodes[name].output(0) for name in ("Conv_229", "Conv_258", "Conv_287")], model.get_parameters()
        ),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32"},
    )
    image = np.random.default_rng(0).integers(0, 256, (192, 320, 3), np.uint8)
    theirs = scores(image[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32))
    with torch.no_grad():
        maps = network.get_encoded_outputs(network.normalize(torch.from_numpy(image).permute(2, 0, 1)[None]))
    for own, expected in zip(maps["heatmap"], theirs.values(), strict=True):
        np.testing.assert_allclose(own[0, 0], expected[0, 4], atol=2e-3)
