from __future__ import annotations

import multiprocessing
import pickle
from collections import Counter

import numpy as np
import pytest

from centertrack.data.cache import SampleCache
from centertrack.data.sample import Sample, no_boxes
from tracker.errors import InputError


def sample_of(kilobytes: int, masks: bool = False, value: int = 7) -> Sample:
    rng = np.random.default_rng(value)
    image = rng.integers(0, 256, (kilobytes, 1024, 1), dtype=np.uint8)
    boxes = rng.random((3, 4), dtype=np.float32)
    mask = image[..., 0] // 100 if masks else None
    return Sample(image, boxes, np.array([0, 1, 0]), np.array([5, -1, value]), no_boxes(), mask)


def assert_same(found: Sample, expected: Sample) -> None:
    for name in ("image", "boxes", "labels", "ids", "ignore", "masks"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert getattr(found, name) is None or getattr(found, name).flags.aligned


def test_what_fits_is_read_once_and_the_rest_every_time() -> None:
    reads: Counter[int] = Counter()

    def get(slot: int, sample: Sample) -> Sample:
        def read() -> Sample:
            reads[slot] += 1
            return sample

        return cache.get(slot, read)

    cache = SampleCache(megabytes=1, slots=4)  # 1024 KiB
    samples = [sample_of(500), sample_of(600), sample_of(250, masks=True), sample_of(100)]
    for _ in range(3):
        for slot, sample in enumerate(samples):
            assert_same(get(slot, sample), sample)
    assert reads == {0: 1, 1: 3, 2: 1, 3: 3}  # 500 and 2 * 250 of 1024 KiB, and nothing else fits


def test_no_memory_no_cache() -> None:
    cache = SampleCache(megabytes=0, slots=1)
    first, second = sample_of(1), sample_of(1)
    assert cache.get(0, lambda: first) is first
    assert cache.get(0, lambda: second) is second


def test_more_memory_than_there_is() -> None:
    with pytest.raises(InputError, match=r"does not give 1e\+12 MB for decoded images \(.*\); lower data.cache_mb"):
        SampleCache(megabytes=1e12, slots=1)


def test_what_is_kept_cannot_be_changed() -> None:
    cache = SampleCache(megabytes=1, slots=1)
    cache.get(0, lambda: sample_of(1))
    with pytest.raises(ValueError, match="read-only"):
        cache.get(0, lambda: sample_of(1)).image[:] = 0


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs processes that are forked")
def test_forked_processes_read_for_each_other() -> None:
    cache = SampleCache(megabytes=1, slots=2)
    context = multiprocessing.get_context("fork")
    for slot in range(2):
        child = context.Process(target=cache.get, args=(slot, lambda slot=slot: sample_of(8, value=slot)))
        child.start()
        child.join()
    for slot in range(2):
        assert_same(cache.get(slot, pytest.fail), sample_of(8, value=slot))


def test_a_copy_in_another_process_keeps_its_own() -> None:
    cache = SampleCache(megabytes=1, slots=1)
    cache.get(0, lambda: sample_of(1, value=1))
    copy = pickle.loads(pickle.dumps(cache))
    assert_same(copy.get(0, lambda: sample_of(1, value=2)), sample_of(1, value=2))
    assert_same(copy.get(0, pytest.fail), sample_of(1, value=2))
    assert_same(cache.get(0, pytest.fail), sample_of(1, value=1))
