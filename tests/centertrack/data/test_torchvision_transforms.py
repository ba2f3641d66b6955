from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchvision.transforms import v2

from centertrack.data.datamodule import TrackingDataModule
from centertrack.data.mixture import MixOptions, Mixture, SourceOptions, collate
from centertrack.data.sample import Sample, no_boxes
from centertrack.data.torchvision_transforms import apply_transforms, from_torchvision, to_torchvision
from tracker.errors import InputError

SIZE = (96, 64)


@pytest.fixture
def sample() -> Sample:
    """Three objects, the first partly outside on the left, the last without an identity, and an ignore region."""
    return Sample(
        np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8),
        np.array([[-10, 5, 30, 45], [40, 10, 60, 50], [70, 20, 80, 40]], np.float32),
        np.array([2, 0, 1], np.int64),
        np.array([7, 3, -1], np.int64),
        np.array([[80, 0, 96, 16]], np.float32),
    )


@pytest.fixture(scope="module")
def sources() -> list[SourceOptions]:
    return [SourceOptions("synthetic", options={"scenes": 1, "frames": 2, "size": [160, 96], "seconds": 1.0})]


def assert_same(first: Sample, second: Sample) -> None:
    for name in ("image", "boxes", "labels", "ids", "ignore"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
        assert getattr(first, name).dtype == getattr(second, name).dtype


def test_there_and_back(sample: Sample) -> None:
    assert_same(from_torchvision(to_torchvision(sample)), sample)
    nothing = sample.keep(np.zeros(3, bool))
    assert_same(from_torchvision(to_torchvision(nothing)), nothing)


def test_a_flip_mirrors_image_and_boxes(sample: Sample) -> None:
    flipped = apply_transforms(sample, [v2.RandomHorizontalFlip(p=1)], seed=0)
    np.testing.assert_array_equal(flipped.image, sample.image[:, ::-1])
    np.testing.assert_array_equal(flipped.boxes, [[66, 5, 106, 45], [36, 10, 56, 50], [16, 20, 26, 40]])
    np.testing.assert_array_equal(flipped.ignore, [[0, 0, 16, 16]])
    assert flipped.labels.tolist() == [2, 0, 1] and flipped.ids.tolist() == [7, 3, -1]


def test_an_affine_shift_keeps_boxes_beyond_the_border_and_ignores_those_that_left(sample: Sample) -> None:
    """Twenty pixels to the left: 10 of the first object's 40 columns are left, all of the others."""
    left = v2.RandomAffine(degrees=0, translate=(20 / 96, 0))
    left.make_params = lambda flat: {"angle": 0.0, "translate": (-20, 0), "scale": 1.0, "shear": (0.0, 0.0)}
    moved = apply_transforms(sample, [left], seed=0)
    np.testing.assert_allclose(moved.boxes, [[20, 10, 40, 50], [50, 20, 60, 40]], rtol=0, atol=1e-4)
    assert moved.ids.tolist() == [3, -1] and moved.labels.tolist() == [0, 1]
    np.testing.assert_allclose(moved.ignore, [[60, 0, 76, 16], [0, 5, 10, 45]], rtol=0, atol=1e-4)


def test_a_crop_and_resize_enlarges_what_is_in_the_window(sample: Sample) -> None:
    """The window has columns 24 to 72 and rows 16 to 48; 6 of the 40 columns of the first object are in it."""
    enlarged = apply_transforms(sample, [v2.CenterCrop((32, 48)), v2.Resize((64, 96))], seed=0)
    np.testing.assert_allclose(enlarged.boxes, [[32, -12, 72, 68]], rtol=0, atol=1e-4)  # (x - 24, y - 16) * 2
    assert enlarged.ids.tolist() == [3] and enlarged.labels.tolist() == [0]
    np.testing.assert_allclose(enlarged.ignore, [[0, 0, 12, 58], [92, 8, 96, 48]], rtol=0, atol=1e-4)


def test_clamping_happens_where_a_transform_is_told_so(sample: Sample) -> None:
    assert apply_transforms(sample, [v2.ClampBoundingBoxes()], seed=0).boxes[0].tolist() == [-10, 5, 30, 45]
    clamped = apply_transforms(sample, [v2.ClampBoundingBoxes(clamping_mode="hard")], seed=0)
    assert clamped.boxes[0].tolist() == [0, 5, 30, 45]
    assert clamped.boxes[1:].tolist() == sample.boxes[1:].tolist()


def test_identities_follow_when_boxes_are_dropped(sample: Sample) -> None:
    kept = apply_transforms(sample, [v2.SanitizeBoundingBoxes()], seed=0)  # the first box is partly outside
    assert kept.boxes.tolist() == sample.boxes[1:].tolist()
    assert kept.labels.tolist() == [0, 1] and kept.ids.tolist() == [3, -1]
    assert kept.ignore.tolist() == sample.ignore.tolist()
    large = [v2.ClampBoundingBoxes(clamping_mode="hard"), v2.SanitizeBoundingBoxes(min_size=15)]
    kept = apply_transforms(sample, large, seed=0)
    assert kept.boxes.tolist() == [[0, 5, 30, 45], [40, 10, 60, 50]]
    assert kept.labels.tolist() == [2, 0] and kept.ids.tolist() == [7, 3]
    assert kept.ignore.tolist() == sample.ignore.tolist()


def test_what_a_random_crop_marks_as_outside_is_dropped(sample: Sample) -> None:
    crop = [v2.RandomIoUCrop(sampler_options=[0.0]), v2.Resize((64, 96))]
    rows = {7: 2, 3: 0, -1: 1}
    counts = set()
    for seed in range(10):
        found = apply_transforms(sample, crop, seed)
        assert all(rows[int(i)] == int(label) for i, label in zip(found.ids, found.labels, strict=True))
        assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
        counts.add(len(found.boxes))
    assert counts & {1, 2}


@pytest.mark.parametrize(
    "transform",
    [v2.ColorJitter(0.5, 0.5, 0.5, 0.1), v2.RandomGrayscale(p=1), v2.GaussianBlur(5), v2.RandomErasing(p=1)],
    ids=lambda transform: type(transform).__name__,
)
def test_changes_of_colour_leave_the_boxes(sample: Sample, transform: v2.Transform) -> None:
    before = sample.image.copy()
    changed = apply_transforms(sample, [transform], seed=1)
    assert (changed.image != before).any()
    np.testing.assert_array_equal(sample.image, before)
    changed.image = sample.image
    assert_same(changed, sample)


def test_boxes_in_another_format_come_back_as_corners(sample: Sample) -> None:
    back = apply_transforms(sample, [v2.ConvertBoundingBoxFormat("CXCYWH"), v2.RandomHorizontalFlip(p=1)], seed=0)
    assert back.boxes[1].tolist() == [36, 10, 56, 50]


@pytest.mark.parametrize(
    "transform",
    [v2.RandomAffine(10), v2.RandomPerspective(p=1), v2.SanitizeBoundingBoxes(), v2.RandomIoUCrop(trials=1)],
)
def test_an_image_without_objects(sample: Sample, transform: v2.Transform) -> None:
    nothing = sample.keep(np.zeros(3, bool))
    nothing.ignore = no_boxes()
    found = apply_transforms(nothing, [transform], seed=0)
    assert found.boxes.shape == found.ignore.shape == (0, 4) and found.image.shape == (64, 96, 3)


@pytest.mark.parametrize(
    ("transform", "came"),
    [
        (v2.Resize((32, 40)), "40 x 32 with 3 channels of torch.uint8"),
        (v2.Grayscale(), "96 x 64 with 1 channels of torch.uint8"),
        (v2.ToDtype(torch.float32), "96 x 64 with 3 channels of torch.float32"),
        (v2.ToPILImage(), "Image"),
    ],
)
def test_another_size_or_type_is_one_sentence(sample: Sample, transform: v2.Transform, came: str) -> None:
    with pytest.raises(InputError, match=r"data.transforms .* 96 x 64 with 3 channels of torch.uint8, got ") as caught:
        apply_transforms(sample, [transform], seed=0)
    assert str(caught.value).endswith(came) and "\n" not in str(caught.value)


def test_labels_that_do_not_follow_are_one_sentence(sample: Sample) -> None:
    with pytest.raises(InputError, match="got 3 boxes and 4 labels; leave out labels_getter"):
        apply_transforms(sample, [v2.SanitizeBoundingBoxes(labels_getter=None)], seed=0)


def test_chance_comes_from_the_seed_and_the_global_generator_goes_on(sample: Sample) -> None:
    jitter = [v2.ColorJitter(0.5, 0.5), v2.RandomHorizontalFlip()]
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first = apply_transforms(sample, jitter, seed=5)
    assert torch.equal(torch.rand(3), expected)
    assert_same(apply_transforms(sample, jitter, seed=5), first)
    assert (apply_transforms(sample, jitter, seed=6).image != first.image).any()


def test_a_number_gives_one_sample_in_any_order_and_process(sources: list[SourceOptions]) -> None:
    mixture = Mixture(
        sources, SIZE, seed=3, transforms=[v2.RandomAffine(5, translate=(0.1, 0.1)), v2.ColorJitter(0.5, 0.5)]
    )
    forwards = [mixture[i] for i in range(4)]
    backwards = [mixture[i] for i in (3, 2, 1, 0)][::-1]
    torch.testing.assert_close(backwards, forwards, rtol=0, atol=0)
    for workers in (1, 2):
        loader = DataLoader(mixture, 1, sampler=[2, 0, 3, 1], num_workers=workers, collate_fn=collate)
        for index, batch in zip((2, 0, 3, 1), loader, strict=True):
            torch.testing.assert_close(batch, collate([forwards[index]]), rtol=0, atol=0)


def test_our_own_augmentation_comes_first_and_stays_the_same(sources: list[SourceOptions]) -> None:
    plain = Mixture(sources, SIZE, MixOptions(mosaic=0.0))
    flipped = Mixture(sources, SIZE, MixOptions(mosaic=0.0), transforms=[v2.RandomHorizontalFlip(p=1)])
    for index in range(3):
        np.testing.assert_array_equal(flipped.sample(index).image, plain.sample(index).image[:, ::-1])
        np.testing.assert_array_equal(flipped.sample(index).ids, plain.sample(index).ids)


class Failing(v2.Transform):
    """A transform of somebody's own, with a mistake."""

    def transform(self, inpt: object, params: dict[str, object]) -> object:
        raise ZeroDivisionError("mine")


def test_a_transform_that_fails_is_named_and_ones_own_shows_where(sample: Sample) -> None:
    with pytest.raises(InputError, match=r"^data.transforms: RandomCrop cannot change a sample: .*\(64, 96\)"):
        apply_transforms(sample, [v2.RandomCrop(200)], seed=0)
    with pytest.raises(ZeroDivisionError, match="mine"):
        apply_transforms(sample, [Failing()], seed=0)


def test_validation_samples_are_left_alone(sources: list[SourceOptions]) -> None:
    options = {"train": sources, "validation": sources, "size": SIZE, "batch_size": 2, "workers": 0}
    plain = TrackingDataModule(**options)
    grey = TrackingDataModule(**options, transforms=[v2.RandomGrayscale(p=1)])
    assert_same(grey.validation_set.sample(0), plain.validation_set.sample(0))
    image = grey.train_set.sample(0).image
    np.testing.assert_array_equal(image[..., 0], image[..., 2])
    assert (plain.train_set.sample(0).image[..., 0] != plain.train_set.sample(0).image[..., 2]).any()
