"""CenterNet (arXiv 1904.07850), and FairMOT (arXiv 2004.01888) when it has a re-identification head: the network."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from functools import cache
from typing import Any, TypeAlias, TypeVar

from torch import Tensor, nn
from typing_extensions import override

from centertrack.configuration import build, make_options, to_plain
from centertrack.decode import BOX_FORMATS, Detection2D, decode_maps
from centertrack.geometry import InputFormat
from centertrack.models.build import build_backbone, build_head, build_neck
from centertrack.models.heads import BaseHead
from centertrack.models.precision import finding_precision
from centertrack.models.report import LoadReport
from tracker.errors import InputError
from tracker.wording import counted

Maps: TypeAlias = "Tensor | tuple[Tensor, ...]"  # one map, or one a level
Network = TypeVar("Network", bound="CenterNetwork")
TASKS = ("detection", "tracking")
TRAINING_OPTIONS = ("loss", "optimizer", "lr_scheduler", "num_identities")  # in the configuration of weights


class CenterNetwork(nn.Module):
    """Backbone, neck and heads in a row: what is needed to run a network. `training.module.CenterNet` trains it.

    Args:
        backbone: `{name: resnet18, pretrained: true, ...}`; names of timm are written `timm/NAME`.
        neck: `{name: FPNNeck, ...}`, options of the neck.
        output_heads: `{heatmap: {num_classes: 1, ...}, box_2d: {...}, reid: {...}}`, options of each head.
        task: `detection`, or `tracking`, which needs the `reid` head.
        input_format: What the network sees; carried with the weights.
        box_format: What the box_2d head says, see `decode.corners`: `ltrb`, or `ltrb_offset` and `size_offset` of
            published FairMOTs and CenterNets, which have an `offset` head too.
        class_names: One for each class of the heatmap, or none.
        nms_iou: Of two boxes of a class that overlap by more than this IoU, `Predictor` keeps the better one; 1 keeps
            both. Peaks of several levels may be one object.

    Attributes:
        config: The arguments as plain values, which `from_config` takes.
        output_stride: Input pixels a cell (4).
        strides: The same for each level, finest first.
        num_classes: Channels of the heatmap.
        load_report: What became of the tensors of the file that the weights are from.

    Raises:
        InputError: A name or an option that is not known.
    """

    def __init__(
        self,
        backbone: Mapping[str, Any],
        neck: Mapping[str, Any],
        output_heads: Mapping[str, Mapping[str, Any]],
        task: str = "tracking",
        input_format: InputFormat | Mapping[str, Any] | None = None,
        box_format: str = "ltrb",
        class_names: Sequence[str] = (),
        nms_iou: float = 1.0,
    ) -> None:
        super().__init__()
        if not 0 < nms_iou <= 1:
            raise InputError(f"nms_iou must lie above 0 and not above 1, got {nms_iou}")
        self.input_format = make_options(InputFormat, input_format)
        self.task = task
        self.box_format = box_format
        self.load_report: LoadReport | None = None
        self.config: dict[str, Any] = to_plain(
            {
                "backbone": {**backbone, "pretrained": False},
                "neck": neck,
                "output_heads": output_heads,
                "task": task,
                "input_format": asdict(self.input_format),
                "box_format": box_format,
                "class_names": class_names,
                "nms_iou": nms_iou,
            }
        )
        _check_task(task, output_heads)
        self.backbone = build_backbone(backbone)
        self.neck = build_neck(neck, self.backbone)
        self.output_stride = self.backbone.output_stride // self.neck.upsample_stride
        self.strides = tuple(self.output_stride * stride // 4 for stride in self.neck.strides)
        self.heads = nn.ModuleDict(
            {name: build_head(name, options, self.neck.out_channels) for name, options in output_heads.items()}
        )
        _check_boxes(box_format, self.head("box_2d").out_channels)
        self.num_classes = self.head("heatmap").out_channels
        if class_names and len(class_names) != self.num_classes:
            raise InputError(
                f"{len(class_names)} class_names for {counted(self.num_classes, 'class', 'classes')} of the heatmap"
            )
        self._maps = _maps_type(tuple(sorted(self.heads, key=_place_in_forward)))

    @classmethod
    def from_config(cls: type[Network], config: Mapping[str, Any]) -> Network:
        """Build the network from a configuration, of which the options that only a training has are left out.

        Raises:
            InputError: An option is missing, unknown or wrong.
        """
        return build(cls, "model configuration", {k: v for k, v in config.items() if k not in TRAINING_OPTIONS})

    def head(self, name: str) -> BaseHead:
        """Return the head of this name."""
        head = self.heads[name]
        assert isinstance(head, BaseHead)
        return head

    def normalize(self, images: Tensor) -> Tensor:
        """Turn RGB images (N, 3, H, W), uint8 or float in [0, 255], into what the network was trained to see."""
        x = images.float() / 255
        if self.input_format.channel_order == "bgr":
            x = x.flip(1)
        mean, std = (x.new_tensor(values).view(3, 1, 1) for values in (self.input_format.mean, self.input_format.std))
        return ((x - mean) / std).to(next(self.parameters()).dtype)

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

    @override
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
        return _named(found)

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
        return {**_named(found), "embeddings": found.embeddings}

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
        return found._replace(boxes=found.boxes / found.boxes.new_tensor([width, height, width, height]))


def _check_task(task: str, output_heads: Mapping[str, Any]) -> None:
    if task not in TASKS:
        raise InputError(f"task must be one of {', '.join(TASKS)}, got {task!r}")
    required = {"heatmap", "box_2d", *(["reid"] if task == "tracking" else [])}
    if missing := required - set(output_heads):
        raise InputError(f"task {task!r} needs the output heads {sorted(required)}, missing {sorted(missing)}")


def _check_boxes(box_format: str, coordinates: int) -> None:
    if box_format not in BOX_FORMATS:
        raise InputError(f"box_format must be one of {', '.join(BOX_FORMATS)}, got {box_format!r}")
    needed = 2 if box_format == "size_offset" else 4
    if coordinates != needed:
        raise InputError(f"box_format {box_format} needs a box_2d head of {needed} coordinates, got {coordinates}")


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


def _named(found: Detection2D) -> dict[str, Tensor]:
    """Return the boxes by the names that `gather_detection2d` promises."""
    return {"bboxes": found.boxes, "labels": found.labels, "scores": found.scores}
