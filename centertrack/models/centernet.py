"""CenterNet (arXiv 1904.07850), and FairMOT (arXiv 2004.01888) when it has a re-identification head."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from centertrack.decode import BOX_FORMATS, Detection2D, decode_maps
from centertrack.geometry import InputFormat
from centertrack.losses import LossOptions, ReIDLoss, UncertaintyBalance
from centertrack.losses.distillation import EmbeddingDistillation
from centertrack.losses.objective import at_centres, box_objective, heatmap_objective, offset_objective, read_levels
from centertrack.models.build import build_backbone, build_head, build_neck
from centertrack.models.optimization import OptimizerOptions, ScheduleOptions, build_optimizer, build_schedule
from centertrack.models.options import make_options, to_plain
from centertrack.models.precision import finding_precision, full_precision
from centertrack.models.report import LoadReport
from tracker.errors import InputError

Maps: TypeAlias = "Tensor | tuple[Tensor, ...]"  # one map, or one a level
TASKS = ("detection", "tracking")


class CenterNet(pl.LightningModule):
    """Backbone, neck and heads in a row.

    Args:
        backbone: `{name: resnet18, pretrained: true, ...}`; names of timm are written `timm/NAME`.
        neck: `{name: FPNNeck, ...}`, options of the neck.
        output_heads: `{heatmap: {num_classes: 1, ...}, box_2d: {...}, reid: {...}}`, options of each head.
        task: `detection`, or `tracking`, which needs the `reid` head.
        loss: Options of the losses.
        optimizer: Options of the optimiser.
        lr_scheduler: Options of the learning rate.
        input_format: What the network sees; carried with the weights.
        num_identities: Classes of the re-identification loss; 0 leaves it out.
        box_format: What the box_2d head says, see `decode.corners`: `ltrb`, or `ltrb_offset` and `size_offset` of
            published FairMOTs and CenterNets, which have an `offset` head too.
        class_names: One for each class of the heatmap, or none.
        nms_iou: Of two boxes of a class that overlap by more than this IoU, `Predictor` keeps the better one; 1 keeps
            both. Peaks of several levels may be one object.

    Attributes:
        output_stride: Input pixels a cell (4).
        strides: The same for each level, finest first.
        num_classes: Channels of the heatmap.
        load_report: What became of the tensors of the file that the weights are from.

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
        super().__init__()
        if not 0 < nms_iou <= 1:
            raise InputError(f"nms_iou must lie above 0 and not above 1, got {nms_iou}")
        self.loss_options = make_options(LossOptions, loss)
        self.optimizer_options = make_options(OptimizerOptions, optimizer)
        self.schedule_options = make_options(ScheduleOptions, lr_scheduler)
        self.input_format = make_options(InputFormat, input_format)
        self.task = task
        self.box_format = box_format
        self.load_report: LoadReport | None = None
        self.config = to_plain(
            {
                "backbone": {**backbone, "pretrained": False},
                "neck": neck,
                "output_heads": output_heads,
                "task": task,
                "loss": asdict(self.loss_options),
                "optimizer": asdict(self.optimizer_options),
                "lr_scheduler": asdict(self.schedule_options),
                "input_format": asdict(self.input_format),
                "num_identities": num_identities,
                "box_format": box_format,
                "class_names": class_names,
                "nms_iou": nms_iou,
            }
        )
        self.save_hyperparameters(self.config)
        _check_task(task, output_heads)
        self.backbone = build_backbone(backbone)
        self.neck = build_neck(neck, self.backbone)
        self.output_stride: int = self.backbone.output_stride // self.neck.upsample_stride
        self.strides = tuple(self.output_stride * stride // 4 for stride in self.neck.strides)
        _check_levels(len(self.strides), self.loss_options.level_limits)
        self.heads = nn.ModuleDict(
            {name: build_head(name, options, self.neck.out_channels) for name, options in output_heads.items()}
        )
        _check_boxes(box_format, self.heads["box_2d"].out_channels, self.loss_options.sampling)
        self.num_classes: int = self.heads["heatmap"].out_channels
        if class_names and len(class_names) != self.num_classes:
            raise InputError(f"{len(class_names)} class_names for {self.num_classes} classes of the heatmap")
        self._maps = _maps_type(tuple(sorted(self.heads, key=_place_in_forward)))
        self.balance = UncertaintyBalance() if self.loss_options.balance == "uncertainty" else None
        trains_identity = task == "tracking" and num_identities > 0
        self.reid_loss = (
            ReIDLoss(self.heads["reid"].out_channels, num_identities, self.loss_options.reid)
            if trains_identity
            else None
        )
        self.distillation: EmbeddingDistillation | None = None

    def learn_from(self, embeddings: Tensor) -> None:
        """Train embeddings towards those of a teacher too, (I, D), one for each training identity, NaN for none."""
        self.distillation = EmbeddingDistillation(embeddings) if self.task == "tracking" else None

    def normalize(self, images: Tensor) -> Tensor:
        """Turn RGB images (N, 3, H, W), uint8 or float in [0, 255], into what the network was trained to see."""
        x = images.float() / 255
        if self.input_format.channel_order == "bgr":
            x = x.flip(1)
        mean, std = (x.new_tensor(values).view(3, 1, 1) for values in (self.input_format.mean, self.input_format.std))
        return ((x - mean) / std).to(self.dtype)

    def get_encoded_outputs(self, x: Tensor) -> dict[str, Any]:
        """Run the network and return the raw maps of every head, by name: logits for the heatmap.

        Args:
            x: (N, 3, H, W) float, normalised as `input_format` says; H and W divisible by 32, unless the neck is a
                `SimpleNeck`, which fuses nothing. Under autocast to bfloat16 a network in evaluation mode computes in
                more digits, see `finding_precision`.

        Returns:
            Head name -> (N, channels, H / 4, W / 4), and `features`, what the heads saw. A network of several levels
            gives a tuple of such maps, finest first, under each name.

        Raises:
            ValueError: H or W is not divisible by 32.
        """
        height, width = x.shape[-2:]
        if self.neck.uses > 1 and (height % 32 or width % 32):
            raise ValueError(
                f"image height and width must be divisible by 32, got {height}x{width}; pad the image first"
            )
        with nullcontext() if self.training else finding_precision(x.device.type):
            features = self.neck(self.backbone(x))
            if isinstance(features, Tensor):
                return {"features": features, **{name: head(features) for name, head in self.heads.items()}}
            maps = {name: tuple(head(level) for level in features) for name, head in self.heads.items()}
            return {"features": features, **maps}

    def forward(self, x: Tensor) -> Any:
        """Run the network for inference; a namedtuple, so that it can be traced and exported.

        Args:
            x: As for `get_encoded_outputs`.

        Returns:
            (heatmap, box_2d) or (heatmap, box_2d, reid), then the maps of further heads; the heatmap in [0, 1].
        """
        maps = self.get_encoded_outputs(x)
        heatmap = maps["heatmap"]
        maps["heatmap"] = heatmap.sigmoid() if isinstance(heatmap, Tensor) else tuple(x.sigmoid() for x in heatmap)
        return self._maps(*(maps[name] for name in self._maps._fields))

    def detect(self, x: Tensor, num_detections: int = 300, nms_kernel: int = 3) -> Detection2D:
        """Run the network and decode its maps: image in, boxes out.

        Args:
            x: As for `get_encoded_outputs`.
            num_detections: K, boxes kept per image.
            nms_kernel: Odd side of the peak window.
        """
        maps = self.forward(x)._asdict()
        if self.task == "detection":
            maps.pop("reid", None)
        return decode_maps(maps, self.strides, num_detections, nms_kernel, self.box_format)

    def gather_detection2d(
        self,
        heatmap: Maps,
        box_2d: Maps,
        num_detections: int = 100,
        nms_kernel: int = 3,
        normalize_bbox: bool = False,
        offset: Maps | None = None,
    ) -> dict[str, Tensor]:
        """Decode maps to the best boxes.

        Args:
            heatmap: (N, C, H, W) after the sigmoid.
            box_2d: (N, 4, H, W), l t r b in cells.
            num_detections: K, clipped to the number of cells.
            nms_kernel: Odd side of the peak window.
            normalize_bbox: Boxes in [0, 1] of the input's width and height instead of input pixels.
            offset: (N, 2, H, W), of a network that has this head.

        Returns:
            bboxes (N, K, 4) xyxy, labels (N, K), scores (N, K), by falling score.
        """
        found = self._gather(heatmap, box_2d, None, offset, num_detections, nms_kernel, normalize_bbox)
        return {"bboxes": found.bboxes, "labels": found.labels, "scores": found.scores}

    def gather_tracking2d(
        self,
        heatmap: Maps,
        box_2d: Maps,
        reid: Maps,
        num_detections: int = 300,
        nms_kernel: int = 3,
        normalize_bbox: bool = False,
        offset: Maps | None = None,
    ) -> dict[str, Tensor]:
        """Decode maps to the best boxes and their unit embeddings.

        Args and returns: as `gather_detection2d`, with `reid` (N, D, H, W) and embeddings (N, K, D).
        """
        found = self._gather(heatmap, box_2d, reid, offset, num_detections, nms_kernel, normalize_bbox)
        return found._asdict()

    def _gather(
        self,
        heatmap: Maps,
        box_2d: Maps,
        reid: Maps | None,
        offset: Maps | None,
        num_detections: int,
        nms_kernel: int,
        normalize: bool,
    ) -> Detection2D:
        given = {"heatmap": heatmap, "box_2d": box_2d, "reid": reid, "offset": offset}
        maps = {name: values for name, values in given.items() if values is not None}
        found = decode_maps(maps, self.strides, num_detections, nms_kernel, self.box_format)
        if not normalize:
            return found
        height, width = (side * self.output_stride for side in _finest(box_2d).shape[2:])
        return found._replace(bboxes=found.bboxes / found.bboxes.new_tensor([width, height, width, height]))

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
        for name, head in self.heads.items():
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

    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        """Log every loss and return the total."""
        losses = self._losses(batch)
        self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()}, prog_bar=True)
        return losses["total"]

    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Log every loss, of all processes; the classifier does not know the identities of validation sets."""
        losses = self._losses(batch, ignore_reid=True)
        logged = {f"val/{name}": value for name, value in losses.items()}
        self.log_dict(logged, batch_size=len(batch["image"]), sync_dist=True)

    def _losses(self, batch: dict[str, Tensor], ignore_reid: bool = False) -> dict[str, Tensor]:
        images = self.normalize(batch["image"]).contiguous(memory_format=torch.channels_last)
        return self.compute_loss(self.get_encoded_outputs(images), batch, ignore_reid)

    def setup(self, stage: str) -> None:
        """Use the memory layout that convolutions like best."""
        self.to(memory_format=torch.channels_last)

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
        from centertrack.inference import detect_folder

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
        from centertrack.inference import track_folder

        return track_folder(self, Path(data_dir), batch_size, save_dir, save_results, save_images, **tracker_options)


def _check_task(task: str, output_heads: Mapping[str, Any]) -> None:
    if task not in TASKS:
        raise InputError(f"task must be one of {', '.join(TASKS)}, got {task!r}")
    required = {"heatmap", "box_2d", *(["reid"] if task == "tracking" else [])}
    if missing := required - set(output_heads):
        raise InputError(f"task {task!r} needs the output heads {sorted(required)}, missing {sorted(missing)}")


def _check_boxes(box_format: str, coordinates: int, sampling: str) -> None:
    if box_format not in BOX_FORMATS:
        raise InputError(f"box_format must be one of {', '.join(BOX_FORMATS)}, got {box_format!r}")
    needed = 2 if box_format == "size_offset" else 4
    if coordinates != needed:
        raise InputError(f"box_format {box_format} needs a box_2d head of {needed} coordinates, got {coordinates}")
    if box_format != "ltrb" and sampling != "center":
        raise InputError(f"box_format {box_format} is trained at centres: set sampling to center, got {sampling!r}")


def _check_levels(levels: int, limits: Sequence[float]) -> None:
    if len(limits) < levels - 1:
        raise InputError(f"{levels} levels need {levels - 1} sizes between them in level_limits, got {list(limits)}")


def _place_in_forward(head: str) -> int:
    """Order of the maps that `forward` returns: heatmap, box_2d, reid, then the others as they come."""
    first = ("heatmap", "box_2d", "reid")
    return first.index(head) if head in first else len(first)


@cache
def _maps_type(names: tuple[str, ...]) -> Any:
    """Return what `forward` returns for these heads; one type for all networks that have them."""
    return namedtuple("Maps", names)


def _finest(maps: Maps) -> Tensor:
    return maps if isinstance(maps, Tensor) else maps[0]


def _float_levels(maps: Maps) -> list[Tensor]:
    return [maps.float()] if isinstance(maps, Tensor) else [values.float() for values in maps]
