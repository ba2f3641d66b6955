"""CenterNet (arXiv 1904.07850), and FairMOT (arXiv 2004.01888) when it has a re-identification head."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from centertrack.decode import decode_boxes, find_peaks, gather_embeddings
from centertrack.geometry import InputFormat
from centertrack.losses import ReIDLoss, UncertaintyBalance, box_loss, focal_loss, quality_focal_loss
from centertrack.models.backbones import MobileNetBackbone, ResNetBackbone, ShuffleNetBackbone, TimmBackbone
from centertrack.models.heads import BaseHead, Box2DHead, HeatmapHead, ReIDHead
from centertrack.models.necks import FPNNeck
from centertrack.models.optimization import OptimizerOptions, ScheduleOptions, build_optimizer, build_schedule
from centertrack.targets import Objects, cover, draw_gaussians, gaussian_radii, sample_cells
from tracker.errors import InputError

BACKBONES = {"resnet": ResNetBackbone, "mobilenet": MobileNetBackbone, "shufflenet": ShuffleNetBackbone}
NECKS = {"FPNNeck": FPNNeck}
HEADS: dict[str, type[BaseHead]] = {"heatmap": HeatmapHead, "box_2d": Box2DHead, "reid": ReIDHead}
TASKS = ("detection", "tracking")

DetectionMaps = namedtuple("DetectionMaps", ["heatmap", "box_2d"])
TrackingMaps = namedtuple("TrackingMaps", ["heatmap", "box_2d", "reid"])


@dataclass(frozen=True)
class LossOptions:
    """What is trained and how much each part counts.

    Attributes:
        heatmap: `focal` (CornerNet) or `quality_focal`.
        heatmap_target: Gaussian radius: `cornernet`, `cornernet_legacy` or `ttfnet`.
        min_overlap: IoU of the CornerNet radii.
        alpha: Of the TTFNet radii.
        box: `l1`, `smooth_l1`, `iou`, `giou`, `diou` or `ciou`, on corners in cells.
        sampling: Cells that train the box head: `center`, `center3x3` or `ttfnet`.
        heatmap_weight, box_weight, reid_weight: Factors in the total.
        balance: `fixed`, or `uncertainty`: learned weights of detection and identity.
    """

    heatmap: str = "focal"
    heatmap_target: str = "ttfnet"
    min_overlap: float = 0.3
    alpha: float = 0.54
    box: str = "giou"
    sampling: str = "ttfnet"
    heatmap_weight: float = 1.0
    box_weight: float = 5.0
    reid_weight: float = 1.0
    balance: str = "fixed"


class Detection2D(NamedTuple):
    """The k best objects of every image, by falling score: what `detect` returns and an exported graph computes.

    Attributes:
        bboxes: (N, K, 4) xyxy in input pixels.
        scores: (N, K) in [0, 1].
        labels: (N, K) int64.
        embeddings: (N, K, D) unit rows; D = 0 without a re-identification head.
    """

    bboxes: Tensor
    scores: Tensor
    labels: Tensor
    embeddings: Tensor


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

    Attributes:
        output_stride: Input pixels a cell (4).
        num_classes: Channels of the heatmap.

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
    ) -> None:
        super().__init__()
        self.loss_options = _options(LossOptions, loss)
        self.optimizer_options = _options(OptimizerOptions, optimizer)
        self.schedule_options = _options(ScheduleOptions, lr_scheduler)
        self.input_format = _options(InputFormat, input_format)
        self.config = _plain(
            {
                "backbone": {**backbone, "pretrained": False},
                "neck": dict(neck),
                "output_heads": {name: dict(options) for name, options in output_heads.items()},
                "task": task,
                "loss": asdict(self.loss_options),
                "optimizer": asdict(self.optimizer_options),
                "lr_scheduler": asdict(self.schedule_options),
                "input_format": asdict(self.input_format),
                "num_identities": num_identities,
            }
        )
        self.save_hyperparameters(self.config)
        if task not in TASKS:
            raise InputError(f"task must be one of {', '.join(TASKS)}, got {task!r}")
        required = {"heatmap", "box_2d", *(["reid"] if task == "tracking" else [])}
        if missing := required - set(output_heads):
            raise InputError(f"task {task!r} needs the output heads {sorted(required)}, missing {sorted(missing)}")
        self.task = task
        self.backbone = build_backbone(backbone)
        self.neck = build_neck(neck, self.backbone.out_channels)
        self.output_stride: int = self.backbone.output_stride // self.neck.upsample_stride
        self.heads = nn.ModuleDict(
            {name: build_head(name, options, self.neck.out_channels) for name, options in output_heads.items()}
        )
        self.num_classes: int = self.heads["heatmap"].out_channels
        self.balance = UncertaintyBalance() if self.loss_options.balance == "uncertainty" else None
        trains_identity = task == "tracking" and num_identities > 0
        self.reid_loss = ReIDLoss(self.heads["reid"].out_channels, num_identities) if trains_identity else None

    def normalize(self, images: Tensor) -> Tensor:
        """Turn RGB images (N, 3, H, W), uint8 or float in [0, 255], into what the network was trained to see."""
        x = images.float() / 255
        if self.input_format.channel_order == "bgr":
            x = x.flip(1)
        mean, std = (x.new_tensor(values).view(3, 1, 1) for values in (self.input_format.mean, self.input_format.std))
        return (x - mean) / std

    def get_encoded_outputs(self, x: Tensor) -> dict[str, Tensor]:
        """Run the network and return the raw maps of every head, by name: logits for the heatmap.

        Args:
            x: (N, 3, H, W) float, normalised as `input_format` says; H and W divisible by 32.

        Returns:
            Head name -> (N, channels, H / 4, W / 4).

        Raises:
            ValueError: H or W is not divisible by 32.
        """
        height, width = x.shape[-2:]
        if height % 32 or width % 32:
            raise ValueError(
                f"image height and width must be divisible by 32, got {height}x{width}; pad the image first"
            )
        features = self.neck(self.backbone(x))
        return {name: head(features) for name, head in self.heads.items()}

    def forward(self, x: Tensor) -> Any:
        """Run the network for inference; a namedtuple, so that it can be traced and exported.

        Args:
            x: As for `get_encoded_outputs`.

        Returns:
            (heatmap, box_2d) or (heatmap, box_2d, reid); the heatmap in [0, 1].
        """
        maps = self.get_encoded_outputs(x)
        heatmap = maps["heatmap"].sigmoid()
        if self.task == "tracking":
            return TrackingMaps(heatmap, maps["box_2d"], maps["reid"])
        return DetectionMaps(heatmap, maps["box_2d"])

    def detect(self, x: Tensor, num_detections: int = 300, nms_kernel: int = 3) -> Detection2D:
        """Run the network and decode its maps: image in, boxes out.

        Args:
            x: As for `get_encoded_outputs`.
            num_detections: K, boxes kept per image.
            nms_kernel: Odd side of the peak window.
        """
        maps = self.forward(x)
        scores, labels, cells = find_peaks(maps.heatmap, num_detections, nms_kernel)
        boxes = decode_boxes(maps.box_2d, cells, self.output_stride)
        if self.task == "tracking":
            return Detection2D(boxes, scores, labels, gather_embeddings(maps.reid, cells))
        return Detection2D(boxes, scores, labels, boxes.new_zeros((*scores.shape, 0)))

    def gather_detection2d(
        self,
        heatmap: Tensor,
        box_2d: Tensor,
        num_detections: int = 100,
        nms_kernel: int = 3,
        normalize_bbox: bool = False,
    ) -> dict[str, Tensor]:
        """Decode maps to the best boxes.

        Args:
            heatmap: (N, C, H, W) after the sigmoid.
            box_2d: (N, 4, H, W), l t r b in cells.
            num_detections: K, clipped to the number of cells.
            nms_kernel: Odd side of the peak window.
            normalize_bbox: Boxes in [0, 1] of the input's width and height instead of input pixels.

        Returns:
            bboxes (N, K, 4) xyxy, labels (N, K), scores (N, K), by falling score.
        """
        scores, labels, cells = find_peaks(heatmap, num_detections, nms_kernel)
        return {"bboxes": self._boxes(box_2d, cells, normalize_bbox), "labels": labels, "scores": scores}

    def gather_tracking2d(
        self,
        heatmap: Tensor,
        box_2d: Tensor,
        reid: Tensor,
        num_detections: int = 300,
        nms_kernel: int = 3,
        normalize_bbox: bool = False,
    ) -> dict[str, Tensor]:
        """Decode maps to the best boxes and their unit embeddings.

        Args and returns: as `gather_detection2d`, with `reid` (N, D, H, W) and embeddings (N, K, D).
        """
        scores, labels, cells = find_peaks(heatmap, num_detections, nms_kernel)
        boxes = self._boxes(box_2d, cells, normalize_bbox)
        embeddings = gather_embeddings(reid, cells)
        return {"bboxes": boxes, "labels": labels, "scores": scores, "embeddings": embeddings}

    def _boxes(self, box_2d: Tensor, cells: Tensor, normalize: bool) -> Tensor:
        boxes = decode_boxes(box_2d, cells, self.output_stride)
        if not normalize:
            return boxes
        height, width = box_2d.shape[2] * self.output_stride, box_2d.shape[3] * self.output_stride
        return boxes / boxes.new_tensor([width, height, width, height])

    def compute_loss(
        self, outputs: Mapping[str, Tensor], targets: Mapping[str, Tensor], ignore_reid: bool = False
    ) -> dict[str, Tensor]:
        """Compare encoded outputs with the truth.

        Args:
            outputs: What `get_encoded_outputs` returned.
            targets: bboxes (N, M, 4) cxcywh in [0, 1] of the input, not clipped; labels (N, M) int; mask (N, M), 0 for
                padding; ids (N, M) int, -1 where unknown (tracking); optionally ignore (N, I, 4) in the same format,
                regions where an unlabelled object may be (sides 0 for padding).
            ignore_reid: Leave the identity loss out.

        Returns:
            One float32 scalar per head, and their weighted `total`. All are finite, also for images without objects.
        """
        options = self.loss_options
        outputs = {name: values.float() for name, values in outputs.items()}
        heatmap = outputs["heatmap"]
        shape = (heatmap.shape[2], heatmap.shape[3])
        objects = _objects(targets, shape)
        radii = gaussian_radii(objects.boxes, options.heatmap_target, options.min_overlap, options.alpha)
        target = draw_gaussians(objects, *radii, shape=tuple(heatmap.shape))
        heatmap_loss = focal_loss if options.heatmap == "focal" else quality_focal_loss
        losses = {"heatmap": heatmap_loss(heatmap, target, _ignored(targets, heatmap))}
        losses["box_2d"] = self._box_loss(outputs["box_2d"], objects, shape, radii)
        detection = options.heatmap_weight * losses["heatmap"] + options.box_weight * losses["box_2d"]
        losses["total"] = detection
        if self.reid_loss is None or ignore_reid:
            return losses
        column, row = objects.centres(shape)
        embeddings = outputs["reid"].permute(0, 2, 3, 1)[objects.image, row, column]  # (K, D)
        losses["reid"] = self.reid_loss(embeddings, objects.ids)
        identity = options.reid_weight * losses["reid"]
        losses["total"] = detection + identity if self.balance is None else self.balance(detection, identity)
        return losses

    def _box_loss(
        self, box_2d: Tensor, objects: Objects, shape: tuple[int, int], radii: tuple[Tensor, Tensor]
    ) -> Tensor:
        samples = sample_cells(objects, shape, self.loss_options.sampling, *radii)
        ltrb = box_2d.permute(0, 2, 3, 1)[samples.image, samples.row, samples.column].float().clamp(min=0)  # (S, 4)
        centre = torch.stack((samples.column, samples.row), dim=1) + 0.5
        predicted = torch.cat((centre - ltrb[:, :2], centre + ltrb[:, 2:]), dim=1)
        loss = box_loss(predicted, objects.boxes[samples.object], self.loss_options.box)
        return (loss * samples.weight).sum() / (samples.weight.sum() + 1e-4)

    def training_step(self, batch: dict[str, Tensor], batch_index: int) -> Tensor:
        """Log every loss and return the total."""
        losses = self._losses(batch)
        self.log_dict({f"train/{name}": value.detach() for name, value in losses.items()}, prog_bar=True)
        return losses["total"]

    def validation_step(self, batch: dict[str, Tensor], batch_index: int) -> None:
        """Log every loss; identities of validation sets are unknown to the classifier and left out."""
        losses = self._losses(batch, ignore_reid=True)
        self.log_dict({f"val/{name}": value for name, value in losses.items()}, batch_size=len(batch["image"]))

    def _losses(self, batch: dict[str, Tensor], ignore_reid: bool = False) -> dict[str, Tensor]:
        images = self.normalize(batch["image"]).contiguous(memory_format=torch.channels_last)
        outputs = self.get_encoded_outputs(images)
        with torch.autocast(images.device.type, enabled=False):  # areas and exponentials overflow half precision
            return self.compute_loss(outputs, batch, ignore_reid)

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
        nms_kernel: int = 3,
        save_path: str | Path | None = None,
        score_threshold: float = 0.0,
    ) -> dict[str, list[Any]]:
        """Detect objects in the images of a folder.

        Args:
            data_dir: Folder of images.
            img_names: File names in it; None takes all, sorted.
            batch_size: Images a forward pass.
            num_detections: Boxes kept per image.
            nms_kernel: Odd side of the peak window.
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


def build_backbone(options: Mapping[str, Any]) -> nn.Module:
    """Build a backbone from `{name: ..., **options}`; maps of all stages are returned.

    >>> build_backbone({"name": "resnet18", "pretrained": False}).out_channels
    [64, 64, 128, 256, 512]
    """
    options = {"return_features": True, **options}
    name = str(options.pop("name", ""))
    for family, backbone in BACKBONES.items():
        if name.startswith(family):
            return _build(backbone, f"backbone {name}", name, **options)
    return _build(TimmBackbone, f"backbone {name}", name.removeprefix("timm/"), **options)


def build_neck(options: Mapping[str, Any], in_channels: Sequence[int]) -> nn.Module:
    """Build a neck from `{name: FPNNeck, **options}` on the given backbone channels."""
    options = dict(options)
    name = options.pop("name", None)
    if name not in NECKS:
        raise InputError(f"neck must be one of {', '.join(NECKS)}, got {name!r}")
    return _build(NECKS[name], f"neck {name}", in_channels, **options)


def build_head(name: str, options: Mapping[str, Any], in_channels: int) -> BaseHead:
    """Build the head called `name` on the neck's channels."""
    if name not in HEADS:
        raise InputError(f"output heads are {', '.join(HEADS)}, got {name!r}")
    return _build(HEADS[name], f"head {name}", in_channels, **options)


def _build(factory: Any, what: str, *args: Any, **options: Any) -> Any:
    try:
        return factory(*args, **options)
    except TypeError as error:
        raise InputError(f"options of {what}: {str(error).split('__init__() ')[-1]}") from error


def _options(kind: Any, given: Any) -> Any:
    """Return the dataclass `kind` from itself, a mapping, or nothing."""
    if isinstance(given, kind):
        return given
    known = [field.name for field in fields(kind)]
    if unknown := set(given or {}) - set(known):
        raise InputError(f"{kind.__name__} has no option {sorted(unknown)[0]!r}; it has {', '.join(known)}")
    return kind(**(given or {}))


def _plain(value: Any) -> Any:
    """Turn tuples into lists, so that a configuration is the same after a round trip through YAML or JSON."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _objects(targets: Mapping[str, Tensor], shape: tuple[int, int]) -> Objects:
    image, place = targets["mask"].nonzero(as_tuple=True)
    ids = targets["ids"][image, place].long() if "ids" in targets else torch.full_like(image, -1)
    boxes = _cells(targets["bboxes"][image, place], shape)
    return Objects(image, boxes, targets["labels"][image, place].long(), ids)


def _ignored(targets: Mapping[str, Tensor], heatmap: Tensor) -> Tensor | None:
    if "ignore" not in targets:
        return None
    image, place = (targets["ignore"][..., 2:] > 0).all(dim=2).nonzero(as_tuple=True)
    boxes = _cells(targets["ignore"][image, place], (heatmap.shape[2], heatmap.shape[3]))
    return cover(boxes, image, (heatmap.shape[0], heatmap.shape[2], heatmap.shape[3]))


def _cells(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    """(K, 4) cxcywh in [0, 1] -> xyxy in cells of a (height, width) map."""
    centre, half = boxes[:, :2].float(), boxes[:, 2:].float() / 2
    scale = boxes.new_tensor([shape[1], shape[0]] * 2, dtype=torch.float32)
    return torch.cat((centre - half, centre + half), dim=1) * scale
