"""All data sets of a training as one stream of augmented samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.v2 import Transform
from typing_extensions import override

from centertrack.configuration import build, make_options
from centertrack.data.augment import CutOut, blend, cut_outs, erase, mosaic, paste
from centertrack.data.cache import SampleCache
from centertrack.data.formats.registry import FORMATS, open_labels
from centertrack.data.images import REDUCTIONS
from centertrack.data.sample import Array, Sample, SampleSet
from centertrack.data.synthetic_set import SyntheticSet
from centertrack.data.torchvision_transforms import apply_transforms
from centertrack.data.transforms import (
    WarpOptions,
    narrow_upright,
    random_light,
    random_matrix,
    warp,
    wasted_reduction,
)
from tracker.errors import InputError
from tracker.wording import counted

CACHE_MB = 2000
MAX_HOLES = 5
PATH_OPTIONS = ("masks", "images")


@dataclass
class SourceOptions:
    """One data set of the mixture.

    Attributes:
        format: `coco`, `crowdhuman`, `cvat`, `jde`, `kitti`, `mot`, `voc`, `yolo` or `synthetic`.
        path: Its file or folder; relative ones start at the `root` of the data module.
        weight: How often a sample is drawn from it, relative to the others.
        options: Further options of its class, for example `classes` of `LabelledImages` or `step` of `MotSet`; paths in
            them start at the `root` too.
        warp: Ranges of the random warp, where they differ from the defaults.
        cut_out: Use its masked objects for pasting.
        upright_aspect: Draw the boxes of people as MOTChallenge does, see `narrow_upright`: width over height of
            somebody who stands. None leaves the boxes as they are.
        embeddings: File of a teacher's embeddings of its identities, see `read_embeddings`.
    """

    format: str
    path: str = ""
    weight: float = 1.0
    options: dict[str, Any] = field(default_factory=dict)
    warp: dict[str, Any] = field(default_factory=dict)
    cut_out: bool = False
    upright_aspect: float | None = None
    embeddings: str | None = None


@dataclass(frozen=True)
class MixOptions:
    """How samples are mixed and changed.

    Attributes:
        mosaic: Probability of joining four samples.
        paste: Probability of pasting cut-outs.
        max_pasted: Cut-outs pasted at most.
        light: Whether to change light and lens.
        mixup: Probability of blending two samples.
        erase: Probability of painting up to `MAX_HOLES` rectangles grey.
    """

    mosaic: float = 0.3
    paste: float = 0.3
    max_pasted: int = 4
    light: bool = True
    mixup: float = 0.0
    erase: float = 0.0


def open_source_set(source: SourceOptions, root: Path = Path()) -> SampleSet:
    """Open one data set.

    Raises:
        InputError: Unknown format or option.
    """
    options = {name: root / value if name in PATH_OPTIONS else value for name, value in source.options.items()}
    if source.format in FORMATS:
        if not source.path:
            raise InputError(f"{source.format} data need a path, got none")
        return open_labels(source.format, root / source.path, **options)
    if source.format != "synthetic":
        raise InputError(f"data format must be one of {', '.join(FORMATS)}, synthetic, got {source.format!r}")
    return build(SyntheticSet, "synthetic data", options)


def read_embeddings(path: Path) -> Array:
    """Read a teacher's embeddings: (I, D) float32, row i of identity i of a data set, NaN where it has none.

    They are the array `embeddings` of an `.npz` file, as `tools/embed_people.py` writes it.

    Raises:
        InputError: No such file, or not such an array in it.
    """
    try:
        with np.load(path) as content:
            embeddings = np.asarray(content["embeddings"], np.float32)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path}: expected an .npz file with the array embeddings: {reason}") from error
    if embeddings.ndim != 2:
        raise InputError(f"{path}: expected embeddings (identities, length), got an array {embeddings.shape}")
    return embeddings


def _join_embeddings(parts: list[Array | None], counts: list[int], files: list[str]) -> Array | None:
    given = [part for part in parts if part is not None]
    if not given:
        return None
    for part, count, file in zip(parts, counts, files, strict=True):
        if part is not None and part.shape != (count, given[0].shape[1]):
            raise InputError(
                f"{file}: expected embeddings of {counted(count, 'identity', 'identities')} and the "
                f"length {given[0].shape[1]}, got "
                f"{part.shape[0]} of the length {part.shape[1]}; they are of other data or another teacher"
            )
    none = np.float32(np.nan)
    return np.concatenate(
        [
            np.full((count, given[0].shape[1]), none) if part is None else part
            for part, count in zip(parts, counts, strict=True)
        ]
    )


class Mixture(Dataset[dict[str, Tensor]]):
    """An endless data set: item k is drawn at random from the sources by their weights, and augmented.

    The draw depends on the seed and k alone, so that a resumed or repeated training sees the same samples
    whatever the number of workers.

    Args:
        sources: The data sets.
        size: Width and height of the training images.
        mix: How samples are mixed.
        root: Where relative paths start.
        seed: Another seed, another sequence of samples.
        sets: The data sets, where they are open already.
        cache_mb: Memory for images that were read before, shared by the processes that draw samples.
        transforms: Of torchvision, applied in order after everything else; see `to_torchvision` for what they get.

    Images are read no more than twice as large as they are shown.

    Attributes:
        teacher: (num_identities, D) float32, a teacher's embedding of every identity, NaN where it has none; None
            where no source has any.
    """

    def __init__(
        self,
        sources: Sequence[SourceOptions],
        size: tuple[int, int],
        mix: MixOptions | None = None,
        root: Path = Path(),
        seed: int = 0,
        sets: Sequence[SampleSet] | None = None,
        cache_mb: float = CACHE_MB,
        transforms: Sequence[Transform] = (),
    ) -> None:
        if not sources:
            raise InputError("training needs at least one data set under data.train, got none")
        self.sets = list(sets) if sets is not None else [open_source_set(source, root) for source in sources]
        self.warps = [make_options(WarpOptions, source.warp) for source in sources]
        self.aspects = [source.upright_aspect for source in sources]
        weights = np.array([source.weight for source in sources], float)
        self.shares = weights / weights.sum()
        self.offsets = np.cumsum([0, *(part.num_identities for part in self.sets)])
        self.num_identities = int(self.offsets[-1])
        largest = max(self.sets, key=lambda part: part.num_classes)
        self.num_classes, self.class_names = largest.num_classes, largest.class_names
        self.size, self.mix, self.seed = (size[0], size[1]), mix or MixOptions(), seed
        self.transforms = tuple(transforms)
        self.people: list[tuple[CutOut, int, float | None]] = [
            (person, int(self.offsets[i]) + person.identity, source.upright_aspect)
            for i, source in enumerate(sources)
            if source.cut_out
            for person in cut_outs(self.sets[i])
        ]
        self.teacher = _join_embeddings(
            [read_embeddings(root / source.embeddings) if source.embeddings else None for source in sources],
            [part.num_identities for part in self.sets],
            [source.embeddings or "" for source in sources],
        )
        self._firsts = np.cumsum([0, *(len(part) for part in self.sets)])
        self._cache = SampleCache(cache_mb, slots=len(REDUCTIONS) * int(self._firsts[-1]))

    @override
    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """Return one augmented sample as tensors, ready for `collate`."""
        return to_tensors(self.sample(index))

    def sample(self, index: int) -> Sample:
        """Return one augmented sample of the training size."""
        rng = np.random.default_rng((self.seed, index))
        sample = self._mosaic(rng) if rng.random() < self.mix.mosaic else self._warped(rng, self.size)
        if self.mix.mixup and rng.random() < self.mix.mixup:
            sample = blend(sample, self._warped(rng, self.size), rng.uniform(0.4, 0.6))
        if self.people and rng.random() < self.mix.paste:
            sample = self._paste(sample, rng)
        if self.mix.light:
            sample.image = random_light(sample.image, rng)
        if self.mix.erase and rng.random() < self.mix.erase:
            sample = self._erase(sample, rng)
        if self.transforms:
            sample = apply_transforms(sample, self.transforms, int(rng.integers(2**63)))
        return sample

    def _warped(self, rng: np.random.Generator, size: tuple[int, int]) -> Sample:
        which = int(rng.choice(len(self.sets), p=self.shares))
        item = int(rng.integers(len(self.sets[which])))
        source = self.sets[which].size(item)
        matrix = random_matrix(source, size, self.warps[which], rng)
        stored = self._read(which, item, wasted_reduction(matrix))
        matrix[:, :2] *= np.array(source) / stored.image.shape[1::-1]
        sample = warp(stored, matrix, size)
        sample.boxes = narrow_upright(sample.boxes, self.aspects[which])
        sample.ids = np.where(sample.ids >= 0, sample.ids + self.offsets[which], -1)
        return sample

    def _read(self, which: int, item: int, reduction: int) -> Sample:
        slot = len(REDUCTIONS) * (int(self._firsts[which]) + item) + REDUCTIONS.index(reduction)
        return self._cache.get(slot, lambda: self.sets[which].read(item, reduction))

    def _mosaic(self, rng: np.random.Generator) -> Sample:
        width, height = self.size
        x, y = int(width * rng.uniform(0.3, 0.7)), int(height * rng.uniform(0.3, 0.7))
        quarters = ((x, y), (width - x, y), (x, height - y), (width - x, height - y))
        return mosaic([self._warped(rng, quarter) for quarter in quarters], (x, y), (width, height))

    def _erase(self, sample: Sample, rng: np.random.Generator) -> Sample:
        for _ in range(int(rng.integers(1, MAX_HOLES + 1))):
            sides = np.array(self.size) * rng.uniform(0.03, 0.15, 2)
            corner = rng.uniform(0, np.array(self.size) - sides)
            sample = erase(sample, np.concatenate((corner, corner + sides)))
        return sample

    def _paste(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """Paste people where people could be; nearer ones later, in front."""
        count = int(rng.integers(1, self.mix.max_pasted + 1))
        people = []
        for _ in range(count):
            person, identity, aspect = self.people[int(rng.integers(len(self.people)))]
            shape = person.image.shape[1] / person.image.shape[0] * rng.uniform(0.9, 1.1)
            people.append((self._place(sample, rng, shape), person, identity, aspect))
        for box, person, identity, aspect in sorted(people, key=lambda one: one[0][3] - one[0][1]):
            sample = paste(sample, person, box, identity, rng.random() < 0.5, aspect)
        return sample

    def _place(self, sample: Sample, rng: np.random.Generator, shape: float) -> Array:
        """Return an xyxy box of a width over height: beside or before somebody and about as tall, or anywhere.

        Half of those pasted overlap somebody, because there detectors and trackers fail.
        """
        width, height = self.size
        if len(sample.boxes) and rng.random() < 0.5:
            left, top, _, bottom = sample.boxes[int(rng.integers(len(sample.boxes)))]
            tall = self._tallness(rng, bottom - top, 0.85, 1.2)
            x, y = left + rng.uniform(-1.0, 1.0) * shape * tall, bottom - tall + rng.uniform(-0.05, 0.1) * tall
        else:
            heights = sample.boxes[:, 3] - sample.boxes[:, 1]
            usual = rng.choice(heights) if len(heights) else rng.uniform(0.15, 0.7) * height
            tall = self._tallness(rng, usual, 0.7, 1.4)
            x = rng.uniform(-0.3 * shape * tall, width - 0.7 * shape * tall)
            y = rng.uniform(-0.1 * tall, max(height - 0.7 * tall, 1))
        return np.array([x, y, x + shape * tall, y + tall])

    def _tallness(self, rng: np.random.Generator, usual: float, low: float, high: float) -> float:
        return float(np.clip(usual * rng.uniform(low, high), 12, 1.3 * self.size[1]))


def to_tensors(sample: Sample) -> dict[str, Tensor]:
    """Turn a sample into tensors: image (3, H, W) uint8; boxes and ignore cxcywh in [0, 1] of its sides.

    The image lies in memory channels last, as it was decoded and as networks compute fastest.
    """
    height, width = sample.image.shape[:2]

    def normalised(boxes: Array) -> Tensor:
        centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
        scaled = np.concatenate((centre, size), axis=1) / np.array([width, height] * 2)
        return torch.from_numpy(scaled.astype(np.float32))

    return {
        "image": torch.from_numpy(sample.image).permute(2, 0, 1),
        "bboxes": normalised(sample.boxes),
        "labels": torch.from_numpy(sample.labels.astype(np.int64)),
        "ids": torch.from_numpy(sample.ids.astype(np.int64)),
        "ignore": normalised(sample.ignore),
    }


def collate(items: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """Stack samples to a batch, padding boxes with zeros and marking the true ones in `mask`."""
    batch = {"image": torch.stack([item["image"].permute(1, 2, 0) for item in items]).permute(0, 3, 1, 2)}
    for name in ("bboxes", "labels", "ids", "ignore"):
        batch[name] = torch.nn.utils.rnn.pad_sequence([item[name] for item in items], batch_first=True)
    counts = torch.tensor([len(item["bboxes"]) for item in items])
    batch["mask"] = torch.arange(batch["bboxes"].shape[1])[None] < counts[:, None]
    return batch
