"""Whether the loader keeps the network busy: images per second of a training, and of the same steps without loading."""

from __future__ import annotations

import gc
import logging
import time
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader, Dataset
from typing_extensions import override

from centertrack.bench.memory import peak_megabytes
from centertrack.data.datamodule import TrackingDataModule
from centertrack.data.formats.registry import guess_format
from centertrack.data.mixture import CACHE_MB, SourceOptions
from centertrack.data.plan import DataPlan
from centertrack.runtime.weights import DEFAULT_WEIGHTS, open_weights
from centertrack.synthetic import SceneConfig, StreetScene
from centertrack.training.allocator import keep_freed_memory
from centertrack.training.checkpoints import build_centernet
from centertrack.training.module import CenterNet
from tracker.errors import InputError
from tracker.io.reading import read_yaml
from tracker.text_table import text_table
from tracker.wording import counted

Precision: TypeAlias = Literal["64-true", "32-true", "16-true", "bf16-true", "16-mixed", "bf16-mixed"]
DRAWN = SceneConfig(size=(1280, 720), seconds=1.6, seed=1)
ALONE, FROM_FILES, FROM_MEMORY, LOADER = (
    "model alone, batches ready",
    "training, images from files",
    "training, images in memory",
    "loader alone, images from files",
)
PREPARED = 4  # batches that the model alone trains on, over and over


@dataclass(frozen=True)
class TrainingOptions:
    """How to train.

    Attributes:
        batch_size: Images a step.
        workers: Loader processes.
        precision: As Lightning's trainer knows it, such as `32-true`, `bf16-mixed`, `16-mixed`.
        device: `cpu`, `cuda[:INDEX]` or `mps`.
        steps: Steps timed in a row.
        rounds: Times that each way is timed, in turns; the fastest counts.

    Raises:
        InputError: `batch_size` or `workers` is no such number.
    """

    batch_size: int = 16
    workers: int = 2
    precision: Precision = "32-true"
    device: str = "cpu"
    steps: int = 10
    rounds: int = 3

    def __post_init__(self) -> None:
        for name, least in (("batch_size", 1), ("workers", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise InputError(f"{name} must be a whole number from {least}, got {value!r}")


@dataclass(frozen=True)
class TrainingSpeed:
    """What was measured.

    Attributes:
        images_per_second: By way, in the order measured.
        process_mb: Peak memory of the training process.
        loader_mb: Peak memory of the largest loader process; 0 without one.
        device_mb: Peak memory of tensors on the GPU; 0 without one.
    """

    images_per_second: dict[str, float]
    process_mb: float
    loader_mb: float
    device_mb: float

    def ratio(self, way: str) -> float:
        """Return the speed of a way over that of the model alone."""
        return self.images_per_second[way] / self.images_per_second[ALONE]


class Stopwatch(pl.Callback):
    """Takes the time from the end of one step to the end of the last one.

    Args:
        skipped: Steps that are not timed: they warm up, or take batches that were loaded before.
        steps: Steps that are.
    """

    def __init__(self, skipped: int, steps: int) -> None:
        self.skipped, self.steps = skipped, steps
        self.seconds = float("nan")

    @override
    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Start or stop."""
        if batch_idx + 1 in (self.skipped, self.skipped + self.steps):
            if pl_module.device.type == "cuda":
                torch.cuda.synchronize(pl_module.device)
            now = time.perf_counter()
            self.seconds = now - self.seconds if batch_idx + 1 > self.skipped else now


def measure_training(network: dict[str, Any], plan: DataPlan, options: TrainingOptions) -> TrainingSpeed:
    """Train with and without loading, in turns.

    Every way is the same Lightning training, but for where its batches come from: from the loader, which reads and
    decodes every image, or keeps decoded ones in memory; or from a few batches that lie on the device already.

    On a CPU all of them keep freed memory, as `centertrack train fit` does.

    Args:
        network: Options of `CenterNet`; the weights are random, which costs the same.
        plan: The data.
        options: How to train.
    """
    if options.device == "cpu":
        keep_freed_memory()
    queued = 2 * options.workers + 1  # batches that the workers prepare before anybody asks for them
    length = (queued + options.steps) * options.batch_size
    reading, keeping = (_open_data(plan, options, length, cache_mb) for cache_mb in (0.0, CACHE_MB))
    model = build_centernet({**network, "num_identities": reading.num_identities})
    read, kept = reading.train_dataloader(), keeping.train_dataloader()
    ready = [_to_device(batch, options.device) for batch in islice(read, PREPARED)]
    again = DataLoader(_Repeated(ready, 1 + options.steps), batch_size=None)
    ways: dict[str, tuple[Any, int]] = {ALONE: (again, 1), FROM_FILES: (read, queued), FROM_MEMORY: (kept, queued)}
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(options.rounds):
        for way, (batches, skipped) in ways.items():
            best[way] = min(best[way], _train(model, batches, Stopwatch(skipped, options.steps), options))
    best[LOADER] = _drain(read, queued, options.steps)
    device_mb = torch.cuda.max_memory_allocated(options.device) / 2**20 if options.device != "cpu" else 0.0
    del read, kept, ways
    gc.collect()  # ends the loader processes; how much memory they took is known only then
    rates = {way: options.steps * options.batch_size / seconds for way, seconds in best.items()}
    loader_mb = peak_megabytes(children=True) if options.workers else 0.0
    return TrainingSpeed(rates, peak_megabytes(), loader_mb, device_mb)


class _Repeated(Dataset[dict[str, torch.Tensor]]):
    """So many items: a few batches in turns."""

    def __init__(self, batches: Sequence[dict[str, torch.Tensor]], length: int) -> None:
        self.batches, self.length = batches, length

    def __len__(self) -> int:
        return self.length

    @override
    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.batches[index % len(self.batches)]


def _open_data(plan: DataPlan, options: TrainingOptions, length: int, cache_mb: float) -> TrackingDataModule:
    return TrackingDataModule(
        plan.train,
        root=str(plan.root),
        size=plan.size,
        batch_size=options.batch_size,
        samples_per_epoch=length,
        workers=options.workers,
        mix=plan.mix,
        cache_mb=cache_mb,
        transforms=plan.transforms,
    )


def _to_device(batch: dict[str, torch.Tensor], device: str) -> dict[str, torch.Tensor]:
    return {name: values.to(device) for name, values in batch.items()}


def _train(model: CenterNet, batches: Any, watch: Stopwatch, options: TrainingOptions) -> float:
    family, _, index = options.device.partition(":")
    trainer = pl.Trainer(
        accelerator=family,
        devices=[int(index)] if index else 1,
        precision=options.precision,
        max_epochs=1,
        callbacks=[watch],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        gradient_clip_val=10.0,
    )
    trainer.fit(model, batches)
    return watch.seconds


def _drain(batches: Iterable[Any], skipped: int, steps: int) -> float:
    iterator = iter(batches)
    for _ in islice(iterator, skipped):
        pass
    start = time.perf_counter()
    for _ in islice(iterator, steps):
        pass
    return time.perf_counter() - start


@contextmanager
def open_plan(
    config: Path | None, data: str | None, root: str | None, image_size: tuple[int, int] | None
) -> Iterator[DataPlan]:
    """Yield the data to train on: labels at `data`, else those of a configuration, else a street drawn for the purpose.

    Args:
        config: A training configuration, which gives size and mixing too.
        data: File or folder of labels.
        root: Where paths of the configuration start.
        image_size: Width and height; None: as configured.

    Raises:
        InputError: The configuration or the labels cannot be read.
    """
    with TemporaryDirectory() as folder:
        plan = DataPlan.read(config, root) if config else DataPlan([])
        if data is None and not plan.train:
            data = str(Path(folder, "street"))
            StreetScene(DRAWN).write_mot(data, images=True)
        if data is not None:
            path = Path(data).resolve()
            plan = replace(plan, train=[SourceOptions(guess_format(path), str(path))], mix=replace(plan.mix, paste=0.0))
        yield replace(plan, size=image_size or plan.size)


def bench_training(
    config: Path | None = None,
    weights: str | None = None,
    data: str | None = None,
    root: str | None = None,
    image_size: tuple[int, int] | None = None,
    **options: Any,
) -> str:
    """Measure a training and return the table.

    Args:
        config: A training configuration.
        weights: Name or file, whose network is trained instead of the configured one; `fairmot-nano` without either.
        data, root, image_size: As for `open_plan`.
        **options: Of `TrainingOptions`; None: as configured.

    Raises:
        InputError: A file is missing or broken, or an option does not fit.
    """
    given = {name: value for name, value in options.items() if value is not None}
    content = _read_config(config) if config else {}
    if weights or not config:
        content["model"] = _with_random_backbone(open_weights(weights or DEFAULT_WEIGHTS).config)
    chosen = TrainingOptions(**{**_configured(content), **given})
    with open_plan(config, data, root, image_size) as plan, _quiet():
        speed = measure_training(content["model"], plan, chosen)
    width, height = plan.size
    name = weights or (config.stem if config else DEFAULT_WEIGHTS)
    rows = [
        [way, f"{rate:.1f}", f"{1e3 / rate:.1f}", f"{speed.ratio(way):.2f}"]
        for way, rate in speed.images_per_second.items()
    ]
    threads = f", {counted(torch.get_num_threads(), 'thread')}" if chosen.device == "cpu" else ""
    memory = f"peak memory: {speed.process_mb:.0f} MB"
    memory += f", each loader process {speed.loader_mb:.0f} MB (much of it shared)" if speed.loader_mb else ""
    memory += f", on the GPU {speed.device_mb:.0f} MB" if speed.device_mb else ""
    return (
        f"{name} at {width}x{height}, batches of {chosen.batch_size}, {chosen.precision} on {chosen.device}{threads}, "
        f"{chosen.workers} loader processes\n\n"
        f"{text_table([['measured', 'images/s', 'ms/image', 'of the model alone'], *rows])}\n\n{memory}"
    )


def _read_config(config: Path) -> dict[str, Any]:
    content = read_yaml(config)
    try:
        model, data, trainer = content["model"], content["data"], content.get("trainer") or {}
        return {"model": _with_random_backbone(model), "data": {**data}, "trainer": {**trainer}}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{config}: expected a training configuration with model and data: {reason}") from error


def _with_random_backbone(network: dict[str, Any]) -> dict[str, Any]:
    return {**network, "backbone": {**network["backbone"], "pretrained": False}}


def _configured(content: dict[str, Any]) -> dict[str, Any]:
    found = {**content.get("data", {}), **content.get("trainer", {})}
    return {name: found[name] for name in ("batch_size", "workers", "precision") if name in found}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's remarks about devices and loaders to itself."""
    logger = logging.getLogger("pytorch_lightning")
    level = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
