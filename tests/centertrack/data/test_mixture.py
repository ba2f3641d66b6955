from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch

from centertrack.data.datamodule import EpochSampler, TrackingDataModule
from centertrack.data.labels import LabelledImages
from centertrack.data.mixture import MixOptions, Mixture, SourceOptions, collate
from centertrack.data.transforms import narrow_upright
from tracker.errors import InputError

SIZE = (96, 64)


@pytest.fixture(scope="module")
def sources() -> list[SourceOptions]:
    scenes = {"frames": 2, "size": [160, 96], "seconds": 1.0}
    return [
        SourceOptions("synthetic", weight=3.0, options={"scenes": 1, "first_seed": 1, **scenes}),
        SourceOptions("synthetic", weight=1.0, options={"scenes": 1, "first_seed": 2, **scenes}),
    ]


def test_items_depend_on_seed_and_number_alone(sources: list[SourceOptions]) -> None:
    first = Mixture(sources, SIZE, MixOptions(mosaic=0.5), seed=4)
    second = Mixture(sources, SIZE, MixOptions(mosaic=0.5), seed=4)
    for index in (5, 0, 3):
        torch.testing.assert_close(first[index], second[5] if index == 5 else second[index], rtol=0, atol=0)
    assert not torch.equal(first[1]["image"], Mixture(sources, SIZE, MixOptions(mosaic=0.5), seed=5)[1]["image"])


def test_identities_of_different_sets_never_collide(sources: list[SourceOptions]) -> None:
    mixture = Mixture(sources, SIZE, MixOptions(mosaic=0.0))
    half = mixture.num_identities // 2
    found = np.concatenate([mixture.sample(i).ids for i in range(30)])
    assert found.max() < mixture.num_identities
    assert (found < half).any() and (found >= half).any()


def test_a_teachers_embeddings_follow_the_identities(tmp_path: Path, sources: list[SourceOptions]) -> None:
    plain = Mixture(sources, SIZE)
    assert plain.teacher is None
    counts = [part.num_identities for part in plain.sets]
    table = np.arange(counts[1] * 3, dtype=np.float32).reshape(-1, 3)
    np.savez(tmp_path / "second.npz", embeddings=table)
    mixture = Mixture([sources[0], replace(sources[1], embeddings="second.npz")], SIZE, root=tmp_path)
    assert np.isnan(mixture.teacher[: counts[0]]).all()
    np.testing.assert_array_equal(mixture.teacher[counts[0] :], table)


@pytest.mark.parametrize("content", [None, b"no zip", {"other": np.zeros((1, 2))}, {"embeddings": np.zeros(3)}])
def test_what_is_no_file_of_embeddings(tmp_path: Path, sources: list[SourceOptions], content: object) -> None:
    if isinstance(content, dict):
        np.savez(tmp_path / "a.npz", **content)
    elif isinstance(content, bytes):
        (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.npz: expected .*embeddings"):
        Mixture([replace(sources[0], embeddings="a.npz")], SIZE, root=tmp_path)


def test_boxes_are_narrowed_in_the_sets_that_ask_for_it(sources: list[SourceOptions]) -> None:
    only = [replace(sources[0], upright_aspect=0.2)]
    drawn = Mixture(only, SIZE, MixOptions(mosaic=0.0, light=False))
    plain = Mixture([replace(sources[0])], SIZE, MixOptions(mosaic=0.0, light=False))
    narrowed = 0
    for index in range(10):
        before, after = plain.sample(index), drawn.sample(index)
        np.testing.assert_allclose(after.boxes, narrow_upright(before.boxes, 0.2), atol=1e-4)
        narrowed += int((after.boxes[:, 0] > before.boxes[:, 0] + 0.1).sum())
    assert narrowed > 5


def test_blending_and_holes_are_drawn_from_the_seed(sources: list[SourceOptions]) -> None:
    plain = Mixture(sources, SIZE, MixOptions(mosaic=0.0, light=False))
    blended = Mixture(sources, SIZE, MixOptions(mosaic=0.0, light=False, mixup=1.0))
    holed = Mixture(sources, SIZE, MixOptions(mosaic=0.0, light=False, erase=1.0))
    for index in range(3):
        first = plain.sample(index)
        assert len(blended.sample(index).boxes) >= len(first.boxes)
        changed = (holed.sample(index).image != first.image).any(axis=2)
        assert 0 < changed.mean() < 0.2
        assert (holed.sample(index).image[changed] == 127).all()


def test_multi_scale_batches_keep_their_boxes(sources: list[SourceOptions]) -> None:
    module = TrackingDataModule(sources, size=SIZE, batch_size=2, workers=0, multi_scale=(0.5, 2.0))
    batch = collate([module.train_set[i] for i in range(2)])
    sizes = set()
    for step in range(12):
        module.trainer = SimpleNamespace(training=True, global_step=step)
        resized = module.on_after_batch_transfer(dict(batch), 0)
        height, width = resized["image"].shape[-2:]
        assert height % 32 == width % 32 == 0 and 32 <= height <= 128 and 32 <= width <= 192
        assert resized["bboxes"] is batch["bboxes"] and resized["image"].dtype == torch.uint8
        sizes.add((height, width))
    assert len(sizes) > 2
    module.trainer = SimpleNamespace(training=False, global_step=0)
    assert module.on_after_batch_transfer(batch, 0)["image"] is batch["image"]


@pytest.mark.parametrize("cache_mb", [100, 0])
def test_images_are_read_at_most_twice_as_large_as_they_are_shown(
    tmp_path: Path, cache_mb: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "images").mkdir()
    photograph = np.zeros((960, 1280, 3), np.uint8)
    photograph[240:720, 320:960] = 255
    cv2.imwrite(str(tmp_path / "images" / "a.jpg"), photograph)
    (tmp_path / "labels" / "a.txt").write_text("0 0.5 0.5 0.5 0.5\n")
    reads: list[tuple[int, int]] = []
    read = LabelledImages.read
    monkeypatch.setattr(
        LabelledImages, "read", lambda self, i, reduction: (reads.append((i, reduction)), read(self, i, reduction))[1]
    )
    # 960 x 1280 fits into 96 x 64 at a fifteenth, so that a scale of 1, 3.7 and 9 shows 0.07, 0.25 and 0.6 of it.
    for scale, reduction in ((1.0, 8), (3.7, 4), (9.0, 1)):
        warp = {"scale": [scale, scale], "aspect": [1, 1], "rotation": 0, "shear": 0}
        source = SourceOptions("yolo", str(tmp_path), warp=warp)
        mixture = Mixture([source], SIZE, MixOptions(mosaic=0.0, light=False), cache_mb=cache_mb)
        reads.clear()
        for index in range(3):
            sample = mixture.sample(index)
            white = (sample.image[..., 0] > 200).sum()
            for box in np.clip(sample.boxes, 0, [*SIZE, *SIZE]):  # none where the crop hardly shows it
                np.testing.assert_allclose(white, np.prod(box[2:] - box[:2]), rtol=0.1, atol=30)
        assert reads == [(0, reduction)] * (1 if cache_mb else 3)


def test_weights_steer_the_draw(sources: list[SourceOptions]) -> None:
    mixture = Mixture(sources, SIZE, MixOptions(mosaic=0.0, light=False))
    assert mixture.shares.tolist() == [0.75, 0.25]


def test_a_batch_pads_and_masks(sources: list[SourceOptions]) -> None:
    mixture = Mixture(sources, SIZE)
    items = [mixture[i] for i in range(4)]
    items[0] = {**items[0], "bboxes": torch.zeros(0, 4), "labels": torch.zeros(0).long(), "ids": torch.zeros(0).long()}
    batch = collate(items)
    assert batch["image"].shape == (4, 3, 64, 96) and batch["image"].dtype == torch.uint8
    assert batch["mask"].sum(dim=1).tolist() == [len(item["bboxes"]) for item in items]
    assert batch["bboxes"].shape == (*batch["mask"].shape, 4)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (SourceOptions("nonsense"), "data format must be one of coco, crowdhuman, .*, synthetic, got 'nonsense'"),
        (SourceOptions("synthetic", options={"scens": 3}), "scens"),
    ],
)
def test_a_wrong_source_is_one_sentence(source: SourceOptions, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Mixture([source], SIZE)


def test_no_source_at_all() -> None:
    with pytest.raises(InputError, match="at least one data set"):
        Mixture([], SIZE)


def test_each_epoch_has_other_numbers() -> None:
    sampler = EpochSampler(3)
    first = list(sampler)
    sampler.set_epoch(2)
    assert first == [0, 1, 2] and list(sampler) == [6, 7, 8]


def test_processes_share_an_epoch() -> None:
    parts = [EpochSampler(7) for _ in range(2)]
    for rank, part in enumerate(parts):
        part.rank, part.num_replicas = rank, 2
        part.set_epoch(1)
    assert [list(part) for part in parts] == [[7, 9, 11], [8, 10, 12]]
    assert [len(part) for part in parts] == [3, 3]


def test_an_interrupted_epoch_goes_on_after_what_was_taken() -> None:
    sampler = EpochSampler(8, done=3)
    sampler.rank, sampler.num_replicas = 1, 2
    sampler.set_epoch(1)
    assert list(sampler) == [15]  # of 9, 11, 13, 15
    sampler.set_epoch(2)
    assert list(sampler) == [17, 19, 21, 23]


def test_a_program_ends_although_it_still_loads() -> None:
    program = """
from centertrack.data.datamodule import TrackingDataModule
from centertrack.data.mixture import SourceOptions

source = SourceOptions("synthetic", options={"scenes": 1, "frames": 1, "size": [96, 64], "seconds": 0.1})
if __name__ == "__main__":
    batches = iter(TrackingDataModule([source], size=(96, 64), batch_size=1, workers=1).train_dataloader())
    next(batches)
    print("ending")
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=240)
    assert (ended.returncode, ended.stdout) == (0, "ending\n"), ended.stderr


def test_loader_processes_leave_termination_to_the_trainer(sources: list[SourceOptions]) -> None:
    module = TrackingDataModule(sources, size=SIZE, batch_size=1, samples_per_epoch=12, workers=1)
    batches = iter(module.train_dataloader())
    next(batches)
    (worker,) = multiprocessing.active_children()
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGTERM)
    assert len(list(batches)) == 11
    assert worker.is_alive()


def test_validation_repeats_its_samples() -> None:
    sampler = EpochSampler(3, repeats=True)
    sampler.set_epoch(5)
    assert list(sampler) == [0, 1, 2]


def test_cut_outs_of_real_people_are_pasted(shared_data: Path) -> None:
    options = {"identities": "boxes", "masks": "detection/pennfudan/masks", "longest_side": 320}
    source = SourceOptions("coco", "detection/pennfudan/person.json", options=options, cut_out=True)
    mixture = Mixture(
        [source], (256, 160), MixOptions(mosaic=0.0, paste=1.0, max_pasted=3, light=False), root=shared_data
    )
    assert len(mixture.people) > 300
    sample = mixture.sample(0)
    assert len(sample.boxes) == len(sample.ids) >= 1
    assert sample.ids.max() < mixture.num_identities
