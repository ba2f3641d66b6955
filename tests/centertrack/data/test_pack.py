"""Packs hold the same samples as the data that they were made of, smaller, in archives of bounded size."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import cv2
import numpy as np

from centertrack.data.mixture import SourceOptions, open_source_set, read_embeddings
from centertrack.data.pack import pack_sources, write_archives


def make_set(folder: Path) -> SourceOptions:
    """Two images of 200x100 with a person who is in both, another one, and a crowd; the persons have masks."""
    (folder / "images").mkdir(parents=True)
    (folder / "masks").mkdir()
    boxes = {1: [(10, 20, 30, 60, 5)], 2: [(40, 20, 30, 60, 5), (120, 10, 40, 80, 9)]}
    rows = [
        {"image_id": image, "category_id": 1, "bbox": box[:4], "track_id": box[4]}
        for image, people in boxes.items()
        for box in people
    ]
    rows.append({"image_id": 1, "category_id": 1, "bbox": [150, 0, 50, 100], "iscrowd": 1})
    images = [{"id": number, "file_name": f"{number}.png", "video_id": 1} for number in boxes]
    content = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "person"}]}
    (folder / "person.json").write_text(json.dumps(content))
    for number, people in boxes.items():
        image, mask = np.full((100, 200, 3), 60 * number, np.uint8), np.zeros((100, 200), np.uint8)
        for value, (x, y, w, h, _) in enumerate(people, start=1):
            mask[y : y + h, x : x + w] = value
        cv2.imwrite(str(folder / "images" / f"{number}.png"), image)
        cv2.imwrite(str(folder / "masks" / f"{number}.png"), mask)
    np.savez(folder / "embeddings.npz", embeddings=np.array([[1.0, 0.0], [0.6, 0.8]]))
    options = {"identities": "labels", "masks": "street/masks"}
    embeddings = "street/embeddings.npz"
    return SourceOptions(
        "coco", "street/person.json", 2.0, options, {"scale": [1.0, 2.0]}, cut_out=True, embeddings=embeddings
    )


def test_a_packed_set_says_the_same(tmp_path: Path) -> None:
    source = make_set(tmp_path / "street")
    drawn = SourceOptions("synthetic", options={"scenes": 1})
    target = tmp_path / "gepäckt 包"  # which opencv cannot write to on Windows
    packed, kept = pack_sources([source, drawn], tmp_path, target, longest_side=100)
    assert kept == drawn
    assert (packed.weight, packed.warp, packed.cut_out) == (2.0, {"scale": [1.0, 2.0]}, True)
    assert packed.embeddings is not None
    np.testing.assert_allclose(read_embeddings(target / packed.embeddings), [[1.0, 0.0], [0.6, 0.8]])
    before, after = open_source_set(source, tmp_path), open_source_set(packed, target)
    assert (len(after), after.num_identities, after.class_names) == (2, 2, ["person"])
    for index in range(2):
        old, new = before[index], after[index]
        assert new.image.shape == (50, 100, 3)
        np.testing.assert_allclose(new.image.mean(), old.image.mean(), atol=2)  # JPEG
        np.testing.assert_allclose(new.boxes, old.boxes / 2, atol=1e-3)
        np.testing.assert_allclose(new.ignore, old.ignore / 2, atol=1e-3)
        assert new.ids.tolist() == old.ids.tolist()
        assert old.masks is not None and new.masks is not None
        assert new.masks.tolist() == old.masks[::2, ::2].tolist()


def test_archives_are_small_and_give_the_folder_back(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    contents = {f"set/{i}.bin": random.bytes(int(random.integers(1, 60_000))) for i in range(40)}
    for name, content in contents.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_bytes(content)
    archives = write_archives(tmp_path / "data", tmp_path / "packs", max_mb=0.2)
    assert len(archives) > 1
    for archive in archives:
        assert archive.stat().st_size <= 200_000
        with tarfile.open(archive) as opened:
            opened.extractall(tmp_path / "again", filter="data")
    found = {path.relative_to(tmp_path / "again").as_posix(): path for path in (tmp_path / "again").rglob("*.bin")}
    assert {name: path.read_bytes() for name, path in found.items()} == contents
