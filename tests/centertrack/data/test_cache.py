from __future__ import annotations

from collections import Counter

import numpy as np

from centertrack.data.cache import SampleCache
from centertrack.data.sample import Sample, no_boxes


def sample_of(kilobytes: int, masks: bool = False) -> Sample:
    nothing = np.zeros(0, np.int64)
    mask = np.zeros((kilobytes, 1024), np.uint8) if masks else None
    return Sample(np.zeros((kilobytes, 1024, 1), np.uint8), no_boxes(), nothing, nothing, masks=mask)


def test_what_fits_is_read_once_and_the_rest_every_time() -> None:
    reads: Counter[str] = Counter()

    def get(key: str, sample: Sample) -> Sample:
        def read() -> Sample:
            reads[key] += 1
            return sample

        return cache.get(key, read)

    cache = SampleCache(megabytes=1)  # 1024 KiB
    half, large, small = sample_of(512), sample_of(513), sample_of(256, masks=True)
    for _ in range(3):
        assert get("half", half) is half
        assert get("large", large) is large
        assert get("small", small) is small  # the image and its mask fill the rest exactly
        get("one more", sample_of(1))
    assert reads == {"half": 1, "large": 3, "small": 1, "one more": 3}


def test_no_memory_no_cache() -> None:
    cache = SampleCache(megabytes=0)
    first, second = sample_of(1), sample_of(1)
    assert cache.get(0, lambda: first) is first
    assert cache.get(0, lambda: second) is second
