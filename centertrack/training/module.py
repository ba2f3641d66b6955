"""CenterNet as a LightningModule: the network with its losses, its optimiser, and inference on folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from typing_extensions import override

from centertrack.app.folders import detect_folder, track_folder
from centertrack.configuration import build, make_options, to_plain
from centertrack.geometry import InputFormat
from centertrack.losses.balance import UncertaintyBalance
from centertrack.losses.distillation import EmbeddingDistillation
from centertrack.losses.imitation import imitation_loss
from centertrack.losses.objective import (
    LossOptions,
    at_centres,
    box_objective,
    heatmap_objective,
    offset_objective,
    read_levels,
)
from centertrack.losses.reid import ReIDLoss
from centertrack.models.network import CenterNetwork, Maps
from centertrack.models.precision import full_precision
from centertrack.training.optimization import OptimizerOptions, ScheduleOptions, build_optimizer, build_schedule
from tracker.errors import InputError
from tracker.wording import counted


class CenterNet(CenterNetwork, pl.LightningModule):
    """A `CenterNetwork` that can be trained.

    Args:
        backbone, neck, output_heads, task, input_format, box_format, class_names, nms_iou: As of `CenterNetwork`.
        loss: Options of the losses.
        optimizer: Options of the optimiser.
        lr_scheduler: Options of the learning rate.
        num_identities: Classes of the re-identification loss; 0 leaves it out.

    Raises:
        InputError: A name or an option that is not known.
    """

    _jit_is_scripting = (
        True  # Lightning's `trainer` raises when there is none, and torch.jit.trace reads every property
    )

    def __init__(
        self,
        backbone: dict[str, Any],
        neck: dict[str, Any],
        output_heads: dict[str, dict[str, Any]],
        task: str = "tracking",
        loss: LossOptions | dict[str, Any] | None = None,
        optimizer: OptimizerOptions | dict[str, Any] | None = None,
        lr_scheduler: ScheduleOptions | dict[str, Any] | None = None,
        input_format: InputFormat | dict[str, Any] | None = None,
        num_identities: int = 0,
        box_format: str = "ltrb",
        class_names: Sequence[str] = (),
        nms_iou: float = 1.0,
    ) -> None:
        super().__init__(backbone, neck, output_heads, task, input_format, box_format, class_names, nms_iou)
        self.loss_options = make_options(LossOptions, loss)
        self.optimizer_options = make_options(OptimizerOptions, optimizer)
        self.schedule_options = make_options(ScheduleOptions, lr_scheduler)
        training = {
            "loss": asdict(self.loss_options),
            "optimizer": asdict(self.optimizer_options),
            "lr_scheduler": asdict(self.schedule_options),
            "num_identities": num_identities,
        }
        self.config = {**self.config, **to_plain(training)}
        self.save_hyperparameters(self.config)
        _check_levels(len(self.strides), self.loss_options.level_limits)
        _check_sampling(box_format, self.loss_options.sampling)
        self.balance = UncertaintyBalance() if self.loss_options.balance == "uncertainty" else None
        trains_identity = task == "tracking" and num_identities > 0
        self.reid_loss = (
            ReIDLoss(self.head("reid").out_channels, num_identities, self.loss_options.reid)
            if trains_identity
            else None
        )
        self.distillation: EmbeddingDistillation | None = None
        self._teachers: list[CenterNetwork] = []  # at most one; no part of this network, so not an attribute itself

    def learn_from(self, embeddings: Tensor) -> None:
        """Train embeddings towards those of a teacher too, (I, D), one for each training identity, NaN for none."""
        self.distillation = EmbeddingDistillation(embeddings) if self.task == "tracking" else None

    def imitate(self, teacher: CenterNetwork) -> None:
        """Train heatmap and boxes towards those of a teacher too, which sees the same images.

        Raises:
            InputError: Its maps are not made like those of this network.
        """
        mine, its = ((net.strides, net.num_classes, net.box_format) for net in (self, teacher))
        if mine != its:
            raise InputError(
                "a teacher needs the strides, the number of classes and the box format of the network that it teaches, "
                f"{mine}, got {its}"
            )
        self._teachers = [teacher.eval().requires_grad_(False)]

    @classmethod
    @override
    def from_config(cls, config: Mapping[str, Any]) -> CenterNet:
        """Build the network from a configuration.

        Raises:
            InputError: An option is missing, unknown or wrong.
        """
        return build(cls, "model configuration", config)

    def compute_loss(
        self, outputs: Mapping[str, Maps], targets: Mapping[str, Tensor], ignore_reid: bool = False
    ) -> dict[str, Tensor]:
        """Compare encoded outputs with the truth.

        Args:
            outputs: What `get_encoded_outputs` returned.
            targets: bboxes (N, M, 4) cxcywh in [0, 1] of the input, not clipped; labels (N, M) int; mask (N, M), 0 for
                padding; ids (N, M) int, -1 where unknown (tracking); optionally ignore (N, I, 4) in the same format,
                regions where an unlabelled object may be (sides 0 for padding). What the losses of further heads need
                comes as (N, M, ...).
            ignore_reid: Leave the identity loss out.

        Returns:
            One float32 scalar per head, and their weighted `total`. All are finite, also for images without objects.
        """
        with full_precision(targets["bboxes"].device.type):  # areas and exponentials overflow half precision
            return self._weigh_losses(outputs, targets, ignore_reid)

    def _weigh_losses(
        self, outputs: Mapping[str, Maps], targets: Mapping[str, Tensor], ignore_reid: bool
    ) -> dict[str, Tensor]:
        options = self.loss_options
        maps = {name: _float_levels(outputs[name]) for name in self.heads}
        shapes = [(values.shape[2], values.shape[3]) for values in maps["heatmap"]]
        levels, places = read_levels(targets, shapes, self.strides, options.level_limits)
        losses = {
            "heatmap": heatmap_objective(maps["heatmap"], levels, options),
            "box_2d": box_objective(maps["box_2d"], levels, options, self.box_format),
        }
        detection = options.heatmap_weight * losses["heatmap"] + options.box_weight * losses["box_2d"]
        if "offset" in maps:
            losses["offset"] = offset_objective(maps["offset"], levels)
            detection = detection + options.offset_weight * losses["offset"]
        truth = {
            name: values.flatten(0, 1)[places] for name, values in targets.items() if name not in ("image", "ignore")
        }
        for name in self.heads:
            head = self.head(name)
            loss = head.loss(at_centres(maps[name], levels), truth)
            if loss is not None:
                losses[name] = loss
                detection = detection + head.loss_weight * loss
        losses["total"] = detection
        if self.reid_loss is None or ignore_reid:
            return losses
        embeddings, ids = at_centres(maps["reid"], levels), torch.cat([x.objects.ids for x in levels])
        losses["reid"] = self.reid_loss(embeddings, ids)
        identity = options.reid_weight * losses["reid"]
        if self.distillation is not None:
            losses["distillation"] = self.distillation(embeddings, ids)
            identity = identity + options.distillation_weight * losses["distillation"]
        losses["total"] = detection + identity if self.balance is None else self.balance(detection, identity)
        return losses

    @override
    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        """Log every loss and return the total.

        Args:
            batch: `image` (N, 3, H, W) uint8 RGB, and the truth as of `compute_loss`.
            batch_index: Not used.
        """
        losses = self._losses(batch)
        self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()}, prog_bar=True)
        return losses["total"]

    @override
    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Log every loss, of all processes; the classifier does not know the identities of validation sets.

        Args:
            batch: As of `training_step`.
            batch_index: Not used.
        """
        losses = self._losses(batch, ignore_reid=True)
        logged = {f"val/{name}": value for name, value in losses.items()}
        self.log_dict(logged, batch_size=len(batch["image"]), sync_dist=True)

    def _losses(self, batch: dict[str, Tensor], ignore_reid: bool = False) -> dict[str, Tensor]:
        images = self.normalize(batch["image"]).contiguous(memory_format=torch.channels_last)
        outputs = self.get_encoded_outputs(images)
        losses = self.compute_loss(outputs, batch, ignore_reid)
        for teacher in self._teachers:
            losses["imitation"] = _imitate(outputs, teacher, batch["image"])
            losses["total"] = losses["total"] + self.loss_options.imitation_weight * losses["imitation"]
        return losses

    @override
    def setup(self, stage: str) -> None:
        """Use the memory layout that convolutions like best."""
        self.to(memory_format=torch.channels_last)
        for teacher in self._teachers:
            teacher.to(self.device).to(memory_format=torch.channels_last)

    @override
    def configure_optimizers(self) -> Any:
        """Build the optimiser and its per-step schedule."""
        optimizer = build_optimizer(self, self.optimizer_options)
        schedule = build_schedule(optimizer, self.schedule_options, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def inference_detection2d(
        self,
        data_dir: str | Path,
        img_names: Sequence[str] | None = None,
        batch_size: int = 4,
        num_detections: int = 100,
        nms_kernel: int | None = None,
        save_path: str | Path | None = None,
        score_threshold: float = 0.0,
    ) -> dict[str, list[Any]]:
        """Detect objects in the images of a folder.

        Args:
            data_dir: Folder of images.
            img_names: File names in it; None takes all, sorted.
            batch_size: Images a forward pass.
            num_detections: Boxes kept per image.
            nms_kernel: Odd side of the peak window; None: as `Predictor` has it.
            save_path: Write COCO-style JSON here.
            score_threshold: Leave out boxes below it.

        Returns:
            bboxes (K, 4 xyxy in source pixels), labels (K,) and scores (K,), a numpy array an image.
        """
        return detect_folder(
            self, Path(data_dir), img_names, batch_size, save_path, num_detections, nms_kernel, score_threshold
        )

    def inference_tracking2d(
        self,
        data_dir: str | Path,
        batch_size: int = 4,
        save_dir: str | Path | None = None,
        save_results: bool = False,
        save_images: bool = False,
        **tracker_options: Any,
    ) -> list[Any]:
        """Track objects through the sorted images of a folder.

        Args:
            data_dir: Folder of images, or a MOTChallenge sequence.
            batch_size: Images a forward pass.
            save_dir: Where results and images go.
            save_results: Write MOTChallenge rows, `SAVE_DIR/NAME.txt`.
            save_images: Write every frame with its boxes and ids to `SAVE_DIR/NAME/`.
            **tracker_options: Options of `FairMOTTracker`.

        Returns:
            One `Tracks` a frame.
        """
        return track_folder(self, Path(data_dir), batch_size, save_dir, save_results, save_images, **tracker_options)


def _check_sampling(box_format: str, sampling: str) -> None:
    if box_format != "ltrb" and sampling != "center":
        raise InputError(f"box_format {box_format} is trained at centres: set sampling to center, got {sampling!r}")


def _check_levels(levels: int, limits: Sequence[float]) -> None:
    if len(limits) < levels - 1:
        raise InputError(
            f"{counted(levels, 'level needs', 'levels need')} {counted(levels - 1, 'size')} between "
            f"them in level_limits, got {list(limits)}"
        )


def _imitate(outputs: Mapping[str, Maps], teacher: CenterNetwork, images: Tensor) -> Tensor:
    with torch.no_grad():  # in the precision of the training, which suffices for what is learnt
        seen = teacher.normalize(images).contiguous(memory_format=torch.channels_last)
        features = teacher.neck(teacher.backbone(seen))
        levels = [features] if isinstance(features, Tensor) else features
        answers = [[teacher.head(name)(x).float() for x in levels] for name in ("heatmap", "box_2d")]
    with full_precision(images.device.type):
        return imitation_loss(_float_levels(outputs["heatmap"]), _float_levels(outputs["box_2d"]), *answers)


def _float_levels(maps: Maps) -> list[Tensor]:
    return [maps.float()] if isinstance(maps, Tensor) else [values.float() for values in maps]
