"""Samples that were read before, as many as fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from centertrack.data.sample import Sample

MEGABYTE = 2**20


class SampleCache:
    """Keeps the first samples that are read.

    What is in stays in: draws are random, so a sample that made room for another would be as likely to come next.

    Args:
        megabytes: Memory that images and masks may take.
    """

    def __init__(self, megabytes: float) -> None:
        self._free = int(megabytes * MEGABYTE)
        self._kept: dict[Hashable, Sample] = {}

    def get(self, key: Hashable, read: Callable[[], Sample]) -> Sample:
        """Return the sample of a key; `read` is called where it is not in memory."""
        if key in self._kept:
            return self._kept[key]
        sample = read()
        needed = sample.image.nbytes + (0 if sample.masks is None else sample.masks.nbytes)
        if needed <= self._free:
            self._free -= needed
            self._kept[key] = sample
        return sample
