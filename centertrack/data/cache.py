"""Samples that were read before, as many as fit into memory, shared by all loader processes."""

from __future__ import annotations

import mmap
import multiprocessing
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from torch.utils.data import get_worker_info

from centertrack.data.sample import Array, Sample
from tracker.errors import InputError

MEGABYTE = 2**20
Buffer = bytes | memoryview
_ALIGNMENT = 64  # bytes
_ABSENT, _COMING = 0, -1  # instead of a length


class SampleCache:
    """Keeps the first samples that are read, for this process and all that are forked from it.

    What is in stays in: draws are random, so a sample that made room for another would be as likely to come next.
    Processes that are started in another way (`spawn`, `forkserver`) cannot share it: each loader process then keeps
    samples of its own in its part of the memory.

    Args:
        megabytes: Memory that samples may take, of all processes together. It is taken as samples come.
        slots: How many different samples there are.

    Raises:
        InputError: There is not as much memory.
    """

    def __init__(self, megabytes: float, slots: int) -> None:
        self._megabytes, self._slots = megabytes, slots
        self._store: _Store | None = _Store(megabytes, slots)

    def get(self, slot: int, read: Callable[[], Sample]) -> Sample:
        """Return the sample of a slot; `read` is called where it is not in memory.

        A sample from memory cannot be written to.
        """
        if self._store is None:
            workers = get_worker_info()
            self._store = _Store(self._megabytes / (workers.num_workers if workers else 1), self._slots)
        if (record := self._store.read(slot)) is not None:
            return _unpack(record)
        sample = read()
        self._store.write(slot, _pack(sample))
        return sample

    def __getstate__(self) -> dict[str, Any]:
        """Return what a process that cannot share memory with this one needs."""
        return {"_megabytes": self._megabytes, "_slots": self._slots, "_store": None}


class _Store:
    """Records of bytes in memory that forked processes share, each written once."""

    def __init__(self, megabytes: float, slots: int) -> None:
        try:
            self._memory = memoryview(mmap.mmap(-1, max(1, int(megabytes * MEGABYTE))))
        except (OSError, OverflowError) as error:
            raise InputError(
                f"this system does not give {megabytes:g} MB for decoded images ({error}); lower data.cache_mb"
            ) from error
        places = np.frombuffer(mmap.mmap(-1, max(1, slots) * 16), np.int64)
        self._places: Array = places.reshape(-1, 2)  # first byte and length
        self._end = multiprocessing.Value("q", 0)

    def read(self, slot: int) -> memoryview | None:
        """Return the record of a slot, None where there is none (yet)."""
        with self._end.get_lock():
            start, length = self._places[slot].tolist()
        return self._memory[start : start + length].toreadonly() if length > 0 else None

    def write(self, slot: int, parts: Sequence[Buffer]) -> None:
        """Write a record, unless there is one, another process is at it, or there is no room."""
        length = sum(len(part) for part in parts)
        with self._end.get_lock():
            start = self._end.value
            if self._places[slot, 1] != _ABSENT or start + length > len(self._memory):
                return
            self._places[slot], self._end.value = (start, _COMING), start + length
        end = start
        for part in parts:
            self._memory[end : end + len(part)] = part
            end += len(part)
        with self._end.get_lock():
            self._places[slot, 1] = length


def _pack(sample: Sample) -> list[Buffer]:
    """Return the bytes of a sample: how long its parts are, its arrays as they lie in memory, and the rest, pickled."""
    buffers: list[pickle.PickleBuffer] = []
    content = pickle.dumps(sample, protocol=5, buffer_callback=buffers.append)
    parts: list[Buffer] = [content, *(buffer.raw() for buffer in buffers)]
    sizes = np.array([len(parts), *(len(part) for part in parts)], np.int64).tobytes()
    return [piece for part in (sizes, *parts) for piece in (part, bytes(-len(part) % _ALIGNMENT))]


def _unpack(record: memoryview) -> Sample:
    """Return the sample of `_pack`; its arrays lie where the record lies."""
    count = int(np.frombuffer(record, np.int64, 1)[0])
    sizes = [8 * (count + 1), *np.frombuffer(record, np.int64, count + 1)[1:].tolist()]
    starts = np.cumsum([0, *(size + -size % _ALIGNMENT for size in sizes)]).tolist()
    content, *arrays = (record[start : start + size] for start, size in zip(starts[1:-1], sizes[1:], strict=True))
    return pickle.loads(content, buffers=arrays)
