"""Loaders of a training, as a LightningDataModule."""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
import torch.distributed as dist
from torch import Tensor
from torch.utils.data import DataLoader, DistributedSampler
from torchvision.transforms.v2 import Transform
from torchvision.transforms.v2.functional import resize
from typing_extensions import override

from centertrack.data.mixture import CACHE_MB, MixOptions, Mixture, SourceOptions, collate
from centertrack.geometry import STRIDE
from tracker.errors import InputError

LOWEST_PRIORITY = 19  # of POSIX
VALIDATION_SAMPLES = 256


class EpochSampler(DistributedSampler[int]):
    """Numbers the samples of a training without end: epoch e has e * length up to (e + 1) * length - 1.

    The trainer calls `set_epoch`; each number is another draw of the mixture, in whichever process it is made. Of
    several training processes each takes every n-th number, and all of them equally many.

    Args:
        length: Samples an epoch, of all processes together.
        repeats: Every epoch has the same numbers, for validation.
        done: Samples that this process took already of the epoch that comes first, before it was interrupted.
    """

    def __init__(self, length: int, repeats: bool = False, done: int = 0) -> None:
        self.length, self.repeats, self.epoch, self.done = length, repeats, 0, done
        is_distributed = dist.is_available() and dist.is_initialized()
        self.rank: int = dist.get_rank() if is_distributed else 0
        self.num_replicas: int = dist.get_world_size() if is_distributed else 1

    @override
    def __len__(self) -> int:
        """Return the number of samples that this process takes of an epoch."""
        return self.length // self.num_replicas

    @override
    def __iter__(self) -> Iterator[int]:
        """Iterate over the numbers of this epoch and process."""
        first = 0 if self.repeats else self.epoch * self.length
        start, self.done = first + self.done * self.num_replicas + self.rank, 0
        return iter(range(start, first + len(self) * self.num_replicas, self.num_replicas))

    @override
    def set_epoch(self, epoch: int) -> None:
        """Go to an epoch, counted from 0."""
        self.epoch = epoch


class TrackingDataModule(pl.LightningDataModule):
    """Training and validation data, mixed freely from several formats.

    Args:
        train: Data sets to train on.
        validation: Data sets to compute the validation loss on, without augmentation of light and without mixing.
        root: Where relative paths start.
        size: Width and height of the training images, multiples of 32.
        batch_size: Images a step and device.
        samples_per_epoch: An epoch is this many samples, drawn by weight; all devices together.
        workers: Loader processes.
        mix: How samples are mixed.
        seed: Of the draws and augmentations.
        multi_scale: Smallest and largest factor on the size of each training batch; None: always `size`.
        cache_mb: Memory for decoded images, which the loader processes share; of each device, and once more for the
            validation.
        transforms: Of `torchvision.transforms.v2`, applied in order to every training sample after our own
            augmentation, and not to those of the validation; boxes, classes and identities follow.

    Raises:
        InputError: The size is no multiple of 32, or an epoch has not even one batch.
    """

    def __init__(
        self,
        train: list[SourceOptions],
        validation: list[SourceOptions] | None = None,
        root: str = ".",
        size: tuple[int, int] = (512, 288),
        batch_size: int = 16,
        samples_per_epoch: int = 4000,
        workers: int = 2,
        mix: MixOptions | None = None,
        seed: int = 0,
        multi_scale: tuple[float, float] | None = None,
        cache_mb: float = CACHE_MB,
        transforms: Sequence[Transform] = (),
    ) -> None:
        super().__init__()
        _check_numbers(size, batch_size, samples_per_epoch)
        self.seed, self.multi_scale = seed, multi_scale
        self.batch_size, self.workers, self.samples_per_epoch = batch_size, workers, samples_per_epoch
        self.root = Path(root)
        self._batches_done = 0
        self.train_set = Mixture(train, size, mix, self.root, seed, cache_mb=cache_mb, transforms=transforms)
        self.num_identities = self.train_set.num_identities
        plain = MixOptions(mosaic=0.0, paste=0.0, light=False)
        self.validation_set: Mixture | None = None
        if validation:
            self.validation_set = Mixture(validation, size, plain, self.root, seed, cache_mb=cache_mb)

    @override
    def train_dataloader(self) -> DataLoader[dict[str, Tensor]]:
        """Return the loader of this epoch's samples."""
        done, self._batches_done = self._batches_done * self.batch_size, 0
        return self._loader(self.train_set, EpochSampler(self.samples_per_epoch, done=done))

    @override
    def state_dict(self) -> dict[str, Any]:
        """Return how far into its epoch the training is, for its checkpoints."""
        if self.trainer is None:
            return {}
        progress = self.trainer.fit_loop.epoch_loop.batch_progress.current
        return {"batches_done": int(progress.completed % (self.trainer.num_training_batches or 1))}

    @override
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Let the next loader go on after the batches that were trained on."""
        self._batches_done = int(state_dict.get("batches_done", 0))

    @override
    def val_dataloader(self) -> DataLoader[dict[str, Tensor]] | list[DataLoader[dict[str, Tensor]]]:
        """Return the loader of the validation samples, none if there are none."""
        if self.validation_set is None:
            return []
        return self._loader(self.validation_set, EpochSampler(VALIDATION_SAMPLES, repeats=True))

    @override
    def on_after_batch_transfer(self, batch: dict[str, Tensor], dataloader_idx: int) -> dict[str, Tensor]:
        """Resize a training batch, on its device and in all processes alike; boxes are fractions and stay.

        Args:
            batch: `image` (N, 3, H, W), and the truth.
            dataloader_idx: Not used.
        """
        if self.multi_scale is None or self.trainer is None or not self.trainer.training:
            return batch
        factor = np.random.default_rng((self.seed, self.trainer.global_step)).uniform(*self.multi_scale)
        size = [max(STRIDE, round(side * factor / STRIDE) * STRIDE) for side in batch["image"].shape[-2:]]
        return {**batch, "image": resize(batch["image"], size, antialias=True)}

    def _loader(self, mixture: Mixture, sampler: EpochSampler) -> DataLoader[dict[str, Tensor]]:
        return DataLoader(
            mixture,
            self.batch_size,
            sampler=sampler,
            num_workers=self.workers,
            collate_fn=collate,
            drop_last=True,
            persistent_workers=self.workers > 0,
            worker_init_fn=partial(_begin_loading, _announce_end()),
        )


@cache
def _announce_end() -> Any:
    """Return a number that forked and spawned processes share: 0, and 1 from when this process begins to end."""
    ending = multiprocessing.Value("b", 0, lock=False)
    atexit.register(setattr, ending, "value", 1)
    return ending


def _begin_loading(ending: Any, worker: int) -> None:
    """Let the trainer end a training that is terminated as a group of processes, as `timeout` does it, in good order.

    A loader process that dies of the signal first would look like a crash. It therefore obeys the signal only once the
    trainer ends, which sends it then.

    Where the network computes on the same cores, loading gives way: whenever one of its threads waits for a core, all
    of them wait for that thread. Batches are then made while the network waits for one, on all cores at once.
    """
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit() if ending.value else None)
    if not torch.accelerator.is_available() and hasattr(os, "nice"):
        os.nice(LOWEST_PRIORITY)


def _check_numbers(size: tuple[int, int], batch_size: int, samples_per_epoch: int) -> None:
    if any(side < STRIDE or side % STRIDE for side in size):
        raise InputError(f"data.size must be a width and a height that are multiples of {STRIDE}, got {list(size)}")
    if not 1 <= batch_size <= samples_per_epoch:
        raise InputError(
            "data.samples_per_epoch must be at least data.batch_size, and that at least 1, got "
            f"{samples_per_epoch} and {batch_size}"
        )
