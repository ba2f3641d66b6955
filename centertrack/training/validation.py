"""What a network is worth while it is trained: average precision, tracking scores, and re-identification.

Each is a Lightning callback that scores the network at the end of a validation and logs `val/...`, so that checkpoints
and early stopping can follow it. Listed before the averaging of weights, they score the averaged ones.
"""

from __future__ import annotations

import math
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, WeightAveraging
from typing_extensions import override

from centertrack.app.pipeline import FrameResult
from centertrack.app.session import detect, track
from centertrack.average_precision.coco_results import CocoWriter
from centertrack.data.formats.coco import CocoSet
from centertrack.data.formats.mot import frame_images, frames_with_images, sequence_folders
from centertrack.data.formats.registry import open_labels
from centertrack.data.sample import Array
from centertrack.decode import gather_embeddings
from centertrack.predictor import Predictor
from centertrack.training.module import CenterNet
from centertrack.training.retrieval import retrieval_scores
from tracker.detections import Detections, Tracks
from tracker.draw import draw_detections, draw_tracks
from tracker.errors import InputError
from tracker.evaluation import evaluate
from tracker.evaluation.frame_range import parse_frames
from tracker.factory import make_tracker
from tracker.io.image_files import ImageFiles
from tracker.io.mot import read_sequence_info

TRACKING_METRICS = ("HOTA", "MOTA", "IDF1", "IDSW")


class EpochValidation(Callback, ABC):
    """Scores the network after validations, on the first process; all of them log the result.

    Args:
        every_n_epochs: Epochs from one score to the next.
    """

    def __init__(self, every_n_epochs: int = 1) -> None:
        self.every_n_epochs = every_n_epochs

    @abstractmethod
    def score(self, model: CenterNet, root: Path, trainer: pl.Trainer) -> dict[str, float]:
        """Return the scores by name.

        Args:
            model: In evaluation mode.
            root: Where relative paths start.
            trainer: Knows loggers and steps.
        """

    @override
    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Refuse an order in which the weights of the last step would be scored instead of the averaged ones."""
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # another class sets it
        if any(isinstance(callback, WeightAveraging) for callback in callbacks[: callbacks.index(self)]):
            raise InputError(
                f"trainer.callbacks: list {type(self).__name__} before the averaging of weights, whose result it scores"
            )

    @override
    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Score and log."""
        if trainer.sanity_checking or (trainer.current_epoch + 1) % self.every_n_epochs:
            return
        scores: dict[str, float] = {}
        if trainer.is_global_zero:
            assert isinstance(pl_module, CenterNet)
            data = trainer.datamodule  # type: ignore[attr-defined]  # another class sets it
            root = getattr(data, "root", Path())
            scores = self.score(pl_module, root, trainer)
        scores = trainer.strategy.broadcast(scores)
        pl_module.log_dict({f"val/{name}": value for name, value in scores.items()})


class TrackingValidation(EpochValidation):
    """HOTA, MOTA and IDF1, by tracking MOTChallenge sequences, and pictures of the tracks.

    Args:
        path: Sequence folder, or a folder of sequences.
        frames: `A:B`, `half-val`, `half-train` of every sequence; None: all.
        sequences: Names or patterns; None: all.
        tracker: Name of a tracker.
        options: Its options.
        benchmark: Whose rules apply; None: told by the names.
        every_n_epochs: Epochs from one score to the next.
        pictures: Sequences whose middle frame is drawn with its tracks, to loggers that take images.
    """

    def __init__(
        self,
        path: str,
        frames: str | None = None,
        sequences: list[str] | None = None,
        tracker: str = "fairmot",
        options: dict[str, Any] | None = None,
        benchmark: str | None = None,
        every_n_epochs: int = 1,
        pictures: int = 2,
    ) -> None:
        super().__init__(every_n_epochs)
        self.path, self.frames, self.sequences = path, frames, sequences
        self.tracker, self.options, self.benchmark = tracker, options or {}, benchmark
        self.pictures = pictures
        make_tracker(tracker, **self.options)  # a typo shows now, not after the first epoch

    @override
    def score(self, model: CenterNet, root: Path, trainer: pl.Trainer) -> dict[str, float]:
        """Track every sequence and return the combined scores as fractions."""
        folders = sequence_folders(root / self.path, self.sequences)
        predictor = _predictor(model)
        with tempfile.TemporaryDirectory() as results:
            names = [folder.resolve().name for folder in folders]
            for number, (folder, name) in enumerate(zip(folders, names, strict=True)):
                middle = self._track(predictor, folder, Path(results, f"{name}.txt"))
                if number < self.pictures:
                    _log_picture(trainer, f"val/{name}", draw_tracks(*middle))
            found = evaluate(root / self.path, results, self.benchmark, names, frames=self.frames)
        metrics = found.combined.metrics()
        return {name: float(metrics[name]) for name in TRACKING_METRICS}

    def _track(self, predictor: Predictor, folder: Path, output: Path) -> tuple[Array, Tracks]:
        """Write the tracks of a sequence; return its middle frame and the tracks there."""
        info = read_sequence_info(folder)
        images = frame_images(info)
        numbers = frames_with_images(folder, parse_frames(self.frames, min(info.length, max(images))), images)
        source = ImageFiles([images[number] for number in numbers], info.name, info.frame_rate, numbers)
        options = {"frame_rate": info.frame_rate, **self.options}
        middle: list[tuple[Array, Tracks]] = []

        def keep_middle(result: FrameResult) -> None:
            if result.tracks is not None and result.number == numbers[len(numbers) // 2]:
                middle.append((result.image, result.tracks))

        track(source, predictor, self.tracker, results=output, on_frame=keep_middle, tracker_options=options).run()
        return middle[0]


class DetectionValidation(EpochValidation):
    """COCO's average precision, and pictures of what was found.

    Args:
        path: COCO JSON file.
        images: Folder of its images; None: as in `CocoSet`.
        pictures: Images drawn with their detections, to loggers that take images.
        every_n_epochs: Epochs from one score to the next.
    """

    def __init__(self, path: str, images: str | None = None, pictures: int = 4, every_n_epochs: int = 1) -> None:
        super().__init__(every_n_epochs)
        self.path, self.images, self.pictures = path, images, pictures

    @override
    def score(self, model: CenterNet, root: Path, trainer: pl.Trainer) -> dict[str, float]:
        """Detect in all images and return AP, AP50 and AP75 as fractions."""
        from centertrack.average_precision.detection_metrics import evaluate_detections

        data = CocoSet(root / self.path, root / self.images if self.images else None)
        predictor = _predictor(model, min_score=0.01)
        with tempfile.TemporaryDirectory() as folder:
            results = Path(folder, "results.json")
            frames = detect(ImageFiles([entry.image for entry in data.entries], "images"), predictor)
            with CocoWriter(results, data.class_names) as writer:
                for number, (entry, frame) in enumerate(zip(data.entries, frames, strict=True)):
                    detections = frame.detections or Detections.empty()
                    writer.write(entry.name, (frame.image.shape[1], frame.image.shape[0]), detections)
                    if number < self.pictures:
                        confident = detections[detections.scores >= 0.3]
                        _log_picture(trainer, f"val/{number}", draw_detections(frame.image, confident))
            found = evaluate_detections(root / self.path, results)
        return {name: found.metrics[name] for name in ("AP", "AP50", "AP75")}


class IdentityValidation(EpochValidation):
    """Rank-1 and mAP of the embeddings at labelled boxes, searched among all other images.

    Args:
        path: Labelled data with identities, a file or folder.
        format: Its format.
        options: Of its data set; neighbouring frames are easy, so take every tenth or so: `{step: 10}`.
        max_boxes: Boxes compared, evenly spread over the data.
        every_n_epochs: Epochs from one score to the next.
    """

    def __init__(
        self,
        path: str,
        format: str = "mot",
        options: dict[str, Any] | None = None,
        max_boxes: int = 2000,
        every_n_epochs: int = 1,
    ) -> None:
        super().__init__(every_n_epochs)
        self.path, self.format, self.options, self.max_boxes = path, format, options or {}, max_boxes

    @override
    def score(self, model: CenterNet, root: Path, trainer: pl.Trainer) -> dict[str, float]:
        """Embed the labelled boxes and return rank-1 and mAP; nothing where no identity occurs in two images."""
        data = open_labels(self.format, root / self.path, **{"identities": "labels", **self.options})
        total = sum(len(entry.boxes) for entry in data.entries)
        samples = (data[i] for i in range(0, len(data), max(1, math.ceil(total / self.max_boxes))))
        found = [(embed_boxes(model, sample.image, sample.boxes), sample.ids) for sample in samples]
        images = np.repeat(np.arange(len(found)), [len(ids) for _, ids in found])
        embeddings, ids = (np.concatenate(part) for part in zip(*found, strict=True))
        known = ids >= 0
        rank1, precision = retrieval_scores(embeddings[known], ids[known], images[known])
        return {} if math.isnan(rank1) else {"rank1": rank1, "reid_mAP": precision}


def embed_boxes(model: CenterNet, image: Array, boxes: Array) -> Array:
    """Return the unit embedding at the centre of each box.

    Args:
        model: In evaluation mode, with a re-identification head.
        image: (H, W, 3) uint8 RGB.
        boxes: (K, 4) xyxy in its pixels.

    Returns:
        (K, D) float32.
    """
    prepared = _predictor(model).prepare(image)
    pixels = torch.from_numpy(prepared.pixels).permute(2, 0, 1)[None].to(model.device)
    with torch.no_grad():
        reid = model.get_encoded_outputs(model.normalize(pixels))["reid"]
    reid = reid if isinstance(reid, torch.Tensor) else reid[0]
    rows, columns = reid.shape[-2:]
    placed = prepared.placement.to_input(boxes)
    centres = (placed[:, :2] + placed[:, 2:]) / 2 * columns / prepared.pixels.shape[1]
    x, y = np.clip(centres, 0, (columns - 1, rows - 1)).astype(np.int64).T
    cells = torch.from_numpy(y * columns + x)[None].to(reid.device)
    return np.asarray(gather_embeddings(reid, cells)[0].float().cpu().numpy())


def _predictor(model: CenterNet, min_score: float = 0.1) -> Predictor:
    return Predictor(model, device=str(model.device), runtime="torch", min_score=min_score)


def _log_picture(trainer: pl.Trainer, name: str, image: Array) -> None:
    loggers: Sequence[Any] = trainer.loggers
    for logger in loggers:
        if hasattr(logger.experiment, "add_image"):
            logger.experiment.add_image(name, image, trainer.global_step, dataformats="HWC")
