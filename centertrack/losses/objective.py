"""What a batch says, compared with what the network's maps say: the loss of each head.

A network has one map a head, or one a level (strides 4, 8, 16); an object belongs to the level made for its size, and
all levels are summed up before they are divided, so that an object counts the same wherever it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from centertrack.decode import corners
from centertrack.losses.box import BOX_LOSSES, box_loss
from centertrack.losses.heatmap import focal_loss, quality_focal_loss
from centertrack.losses.reid import REID_LOSSES
from centertrack.losses.sampling import SAMPLINGS, sample_cells
from centertrack.losses.targets import RADII, Objects, cover, draw_gaussians, gaussian_radii
from tracker.errors import InputError

HEATMAP_LOSSES: dict[str, Callable[..., Tensor]] = {"focal": focal_loss, "quality_focal": quality_focal_loss}


@dataclass(frozen=True)
class LossOptions:
    """What is trained and how much each part counts.

    Attributes:
        heatmap: `focal` (CornerNet) or `quality_focal`.
        heatmap_target: Gaussian radius: `cornernet`, `cornernet_legacy`, `ttfnet` or `fixed`.
        min_overlap: IoU of the CornerNet radii.
        alpha: Of the TTFNet radii.
        box: `l1`, `smooth_l1`, `iou`, `giou`, `diou` or `ciou`, on corners in cells.
        sampling: Cells that train the box head: `center`, `center3x3`, `ttfnet`, `fcos` or `atss`.
        heatmap_weight, box_weight, reid_weight: Factors in the total.
        distillation_weight: Factor of the loss towards a teacher's embeddings, where the data have some.
        imitation_weight: Factor of the loss towards what a teacher says about each image, where there is one.
        balance: `fixed`, or `uncertainty`: learned weights of detection and identity.
        fixed_radius: Of the `fixed` target, in cells.
        center_radius, centerness: Of the `fcos` sampling, see `sampling.sample_cells`.
        offset_weight: Factor of the `offset` head's L1 loss, where there is such a head.
        reid: `cross_entropy`, `focal` or `triplet`.
        level_limits: Longest sides, in input pixels, at which objects move on to the next coarser level, where the
            network has several.

    Raises:
        InputError: A value that is not known, or `level_limits` that do not rise.
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
    distillation_weight: float = 1.0
    imitation_weight: float = 1.0
    balance: str = "fixed"
    fixed_radius: int = 2
    center_radius: float = 1.5
    centerness: bool = False
    offset_weight: float = 1.0
    reid: str = "cross_entropy"
    level_limits: tuple[float, ...] = (64.0, 128.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "level_limits", tuple(self.level_limits))
        if any(a >= b for a, b in pairwise(self.level_limits)):
            raise InputError(f"loss option level_limits must rise, got {list(self.level_limits)}")
        known = {
            "heatmap": tuple(HEATMAP_LOSSES),
            "heatmap_target": RADII,
            "box": BOX_LOSSES,
            "sampling": SAMPLINGS,
            "balance": ("fixed", "uncertainty"),
            "reid": REID_LOSSES,
        }
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise InputError(f"loss option {name} must be one of {', '.join(values)}, got {getattr(self, name)!r}")


class Level(NamedTuple):
    """What the maps of one level should say.

    Attributes:
        objects: The level's share of the batch's objects, boxes in its cells.
        ignore: (N, 1, H, W) bool, cells of unknown truth, or None.
        stride: Input pixels a cell.
        shape: (height, width) of the maps.
    """

    objects: Objects
    ignore: Tensor | None
    stride: int
    shape: tuple[int, int]


def read_levels(
    targets: Mapping[str, Tensor], shapes: Sequence[tuple[int, int]], strides: Sequence[int], limits: Sequence[float]
) -> tuple[list[Level], Tensor]:
    """Share the objects of a batch out to the levels of a network.

    Args:
        targets: As for `CenterNet.compute_loss`.
        shapes: (height, width) of each level's maps.
        strides: Input pixels a cell, of each level.
        limits: Longest sides in input pixels between the levels; one less than there are levels is used.

    Returns:
        The levels, and the flat places (K,) int64 in the batch's (N * M) rows of their objects, level after level.
    """
    image, place = targets["mask"].nonzero(as_tuple=True)
    ids = targets["ids"][image, place].long() if "ids" in targets else torch.full_like(image, -1)
    boxes, labels = targets["bboxes"][image, place].float(), targets["labels"][image, place].long()
    height, width = shapes[0]
    longest = (boxes[:, 2:] * boxes.new_tensor([width, height])).amax(dim=1) * strides[0]
    bounds = boxes.new_tensor(limits[: len(shapes) - 1])
    of_level = torch.bucketize(longest, bounds, right=True)
    levels, places = [], []
    for i, (shape, stride) in enumerate(zip(shapes, strides, strict=True)):
        rows = (of_level == i).nonzero().flatten() if len(shapes) > 1 else slice(None)
        objects = Objects(image[rows], _to_cells(boxes[rows], shape), labels[rows], ids[rows])
        levels.append(Level(objects, _read_ignored(targets, shape), stride, shape))
        places.append((image * targets["mask"].shape[1] + place)[rows])
    return levels, torch.cat(places)


def _to_cells(boxes: Tensor, shape: tuple[int, int]) -> Tensor:
    """(K, 4) cxcywh in [0, 1] -> xyxy in cells of a (height, width) map."""
    centre, half = boxes[:, :2].float(), boxes[:, 2:].float() / 2
    scale = boxes.new_tensor([shape[1], shape[0]] * 2, dtype=torch.float32)
    return torch.cat((centre - half, centre + half), dim=1) * scale


def _read_ignored(targets: Mapping[str, Tensor], shape: tuple[int, int]) -> Tensor | None:
    if "ignore" not in targets:
        return None
    image, place = (targets["ignore"][..., 2:] > 0).all(dim=2).nonzero(as_tuple=True)
    boxes = _to_cells(targets["ignore"][image, place], shape)
    return cover(boxes, image, (len(targets["mask"]), *shape))


def heatmap_objective(maps: Sequence[Tensor], levels: Sequence[Level], options: LossOptions) -> Tensor:
    """Compare heatmap logits (N, C, H, W), one map a level, with Gaussians at the objects' centres."""
    target = []
    for logits, level in zip(maps, levels, strict=True):
        boxes = level.objects.boxes
        radii = gaussian_radii(boxes, options.heatmap_target, options.min_overlap, options.alpha, options.fixed_radius)
        count, classes, height, width = logits.shape
        target.append(draw_gaussians(level.objects, *radii, shape=(count, classes, height, width)))
    ignore = [level.ignore for level in levels if level.ignore is not None]
    return HEATMAP_LOSSES[options.heatmap](_flat(maps), _flat(target), _flat(ignore) if ignore else None)


def _flat(maps: Sequence[Tensor]) -> Tensor:
    """Lay the maps of all levels side by side, as one of height 1; the map of a single level stays as it is."""
    return maps[0] if len(maps) == 1 else torch.cat([values.flatten(2).unsqueeze(2) for values in maps], dim=3)


def box_objective(maps: Sequence[Tensor], levels: Sequence[Level], options: LossOptions, box_format: str) -> Tensor:
    """Compare box maps (N, 4, H, W), one a level, with the boxes of the cells that train them."""
    predicted, truth, weight = [], [], []
    for box_2d, level in zip(maps, levels, strict=True):
        samples = sample_cells(
            level.objects,
            level.shape,
            options.sampling,
            level.stride,
            options.alpha,
            options.center_radius,
            options.centerness,
        )
        values = box_2d.permute(0, 2, 3, 1)[samples.image, samples.row, samples.column]  # (S, 4)
        if box_format == "ltrb":
            centre = torch.stack((samples.column, samples.row), dim=1) + 0.5
        else:  # these are trained from where the offset should lead
            centre = level.objects.middles(level.shape)[samples.object]
        predicted.append(corners(centre, values, box_format))
        truth.append(level.objects.boxes[samples.object])
        weight.append(samples.weight)
    loss = box_loss(torch.cat(predicted), torch.cat(truth), options.box)
    weights = torch.cat(weight)
    return (loss * weights).sum() / (weights.sum() + 1e-4)


def offset_objective(maps: Sequence[Tensor], levels: Sequence[Level]) -> Tensor:
    """Compare offset maps (N, 2, H, W), one a level, with where in their cells the centres lie: L1."""
    predicted = at_centres(maps, levels)
    truth = torch.cat([x.objects.middles(x.shape) - x.objects.middles(x.shape).floor() for x in levels])
    return F.l1_loss(predicted, truth, reduction="sum") / (truth.numel() + 1e-4)


def at_centres(maps: Sequence[Tensor], levels: Sequence[Level]) -> Tensor:
    """Read (N, D, H, W) maps, one a level, at the objects' centres: (K, D)."""
    rows = []
    for values, level in zip(maps, levels, strict=True):
        column, row = level.objects.centres(level.shape)
        rows.append(values.permute(0, 2, 3, 1)[level.objects.image, row, column])
    return torch.cat(rows)
