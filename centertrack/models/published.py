"""The published FairMOT and CenterNet checkpoints, key for key.

FairMOT: `fairmot_dla34.pth`, `all_dla34.pth`, ... (arXiv 2004.01888). CenterNet: `ctdet_coco_dla_2x.pth`,
`ctdet_coco_resdcn18.pth`, ... (arXiv 1904.07850). They are told apart by their keys, and the sizes of their heads are
read from the tensors. What each was trained to see, and what its boxes mean, comes along as `InputFormat` and
`box_format`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from centertrack.geometry import InputFormat
from centertrack.models.coco_classes import COCO_CLASSES
from centertrack.models.network import Network
from centertrack.models.report import LoadReport, name_some
from tracker.errors import InputError

HEADS = {"hm": "heatmap", "wh": "box_2d", "id": "reid", "reg": "offset"}
# The ImageNet classifier, and two projections whose result the published network computes and throws away.
UNUSED = re.compile(r"base\.(fc|level3\.project|level4\.project)\.")
RENAMES: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"base\.base_layer\.", "backbone.stages.0.0."),
    (r"base\.level([01])\.", lambda match: f"backbone.stages.0.{int(match[1]) + 1}."),
    (r"base\.level([2-5])\.", lambda match: f"backbone.stages.{int(match[1]) - 1}."),
    (r"dla_up\.", "neck."),
    (r"ida_up\.", "neck.ida_up."),
    (r"(conv1|bn1)\.", lambda match: f"backbone.stages.0.{('conv1', 'bn1').index(match[1])}."),
    (r"layer1\.", "backbone.stages.1.1."),
    (r"layer([234])\.", r"backbone.stages.\1."),
    (r"deconv_layers\.(\d+)\.", lambda match: _deconv(int(match[1]))),
    (r"(hm|wh|id|reg)\.", lambda match: f"heads.{HEADS[match[1]]}.layers."),
]
FAIRMOT_INPUT = InputFormat(
    size=(1088, 608),
    padding=128.0,  # asked for as 127.5; opencv rounds
    adapts=False,
    box_origin=1.0,  # trained on MOTChallenge labels without subtracting 1
)
CENTERNET_INPUT = InputFormat(
    size=(512, 512),
    mean=(0.40789654, 0.44719302, 0.47026115),
    std=(0.28863828, 0.27408164, 0.27809835),
    channel_order="bgr",
    resize="keep",
    padding=0.0,
)
RESNET_BLOCKS: dict[tuple[int, ...], str] = {(2, 2, 2, 2): "18", (3, 4, 6, 3): "34", (3, 4, 23, 3): "101"}


def load_published_as(path: Path, kind: type[Network], allow: Collection[str] = (), trust: bool = False) -> Network:
    """Load a checkpoint of FairMOT or CenterNet, in evaluation mode; see `training.checkpoints.load_published`."""
    return build_published(read_published(path, trust), path.name, kind, allow)


def read_published(path: Path, trust: bool = False) -> dict[str, Tensor]:
    """Read the tensors of a `.pth` file by their published names.

    Raises:
        InputError: No such file, or it cannot be read.
    """
    if not path.is_file():
        raise InputError(f"no such checkpoint: {path}")
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=not trust)
    except Exception as error:  # every reader fails in its own way; a user needs one sentence
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        hint = "" if trust else "; if it holds more than tensors and you trust its origin, allow full unpickling"
        raise InputError(f"{path}: cannot be read as a checkpoint ({reason}){hint}") from error
    return published_state(checkpoint, path)


def published_state(checkpoint: Any, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a loaded checkpoint by their published names, without the `module.` of data parallelism.

    Raises:
        InputError: It holds no state dict.
    """
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path}: expected a state dict, or a mapping that has one under state_dict")
    return {re.sub(r"^module\.", "", key): value for key, value in state.items()}


def is_published(state: Mapping[str, Any]) -> bool:
    """Tell by the keys whether a state dict is one of FairMOT's or CenterNet's."""
    return "hm.2.weight" in state and ("base.base_layer.0.weight" in state or "deconv_layers.0.weight" in state)


def build_published(
    state: Mapping[str, Tensor], name: str, kind: type[Network], allow: Collection[str] = ()
) -> Network:
    """Build the network that a published state dict belongs to, and load it.

    Args:
        state: Tensors by their published names.
        name: What to call it in a message.
        kind: `CenterNetwork` or a subclass.
        allow: See `training.checkpoints.load_published`.

    Raises:
        InputError: Tensors are missing or left over, or the network is not known.
    """
    model = kind.from_config(published_config(state, name))
    model.to(torch.promote_types(state["hm.2.weight"].dtype, torch.float32))
    own = model.state_dict()
    renamed = {key: rename(key) for key in state}
    fitting = {new: state[key] for key, new in renamed.items() if new in own and own[new].shape == state[key].shape}
    counters = {key for key in own if key.endswith("num_batches_tracked")}
    unused = [key for key in state if UNUSED.match(key)]
    left_over = [key for key in state if key not in unused and renamed[key] not in fitting]
    lacking = [key for key in own if key not in fitting and not key.startswith("balance.") and key not in counters]
    for problem, keys in (("lacks", lacking), ("has left over", left_over)):
        wrong = [key for key in keys if not _is_allowed(key, allow)]
        if wrong:
            raise InputError(f"{name}: does not fit the network its keys tell of: {problem} {name_some(wrong)}")
    model.load_state_dict({**own, **fitting})
    model.load_report = LoadReport(name, len(fitting), len(state), tuple(lacking), tuple(left_over), tuple(unused))
    logging.getLogger(__name__).info("%s", model.load_report)
    return model.eval()


def _is_allowed(key: str, allow: Collection[str]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in allow)


def published_config(state: Mapping[str, Tensor], name: str) -> dict[str, Any]:
    """Return the arguments of `CenterNet` for a published state dict.

    Raises:
        InputError: Neither DLA-34 nor a ResNet with deformable convolutions.
    """
    if not is_published(state):
        raise InputError(f"{name}: neither FairMOT nor CenterNet: it has no tensors base.* or deconv_layers.* and hm.*")
    if "base.base_layer.0.weight" in state:
        backbone: dict[str, Any] = {"name": "dla34"}
        neck = {"name": "DLANeck"}
    else:
        backbone = {"name": _resnet(state, name), "pretrained": False}
        neck = {"name": "SimpleNeck", "conv_type": "deformable", "upsample_type": "conv_transpose"}
    heads = {
        ours: {"width": len(state[f"{theirs}.0.weight"])}
        for theirs, ours in HEADS.items()
        if f"{theirs}.2.weight" in state
    }
    coordinates = len(state["wh.2.weight"]) if "wh.2.weight" in state else 0
    if coordinates not in (2, 4):
        raise InputError(f"{name}: expected a wh head of 2 or 4 channels, got {coordinates}")
    heads["heatmap"]["num_classes"] = len(state["hm.2.weight"])
    heads["box_2d"]["coordinates"] = coordinates
    tracks = "reid" in heads
    if tracks:
        heads["reid"]["embedding_dim"] = len(state["id.2.weight"])
    return {
        "backbone": backbone,
        "neck": neck,
        "output_heads": heads,
        "task": "tracking" if tracks else "detection",
        "box_format": "size_offset" if coordinates == 2 else "ltrb_offset",
        "input_format": FAIRMOT_INPUT if tracks else CENTERNET_INPUT,
        "class_names": COCO_CLASSES if heads["heatmap"]["num_classes"] == len(COCO_CLASSES) else (),
        # as these were trained, for whoever trains on
        "loss": {
            "heatmap_target": "cornernet_legacy",
            "min_overlap": 0.7,
            "box": "l1",
            "sampling": "center",
            "box_weight": 0.1,
            "balance": "uncertainty" if tracks else "fixed",
        },
    }


def _resnet(state: Mapping[str, Tensor], name: str) -> str:
    blocks = tuple(
        len({key.split(".")[1] for key in state if key.startswith(f"layer{stage}.")}) for stage in (1, 2, 3, 4)
    )
    depth = "50" if "layer1.0.conv3.weight" in state and blocks == (3, 4, 6, 3) else RESNET_BLOCKS.get(blocks)
    if depth is None or "deconv_layers.0.conv_offset_mask.weight" not in state:
        raise InputError(f"{name}: of CenterNet's ResNets those with deformable convolutions are known, not this one")
    return f"resnet{depth}"


def rename(key: str) -> str:
    """Return our name of a tensor of a published network; a name that is not known stays as it is.

    >>> rename("dla_up.ida_2.node_3.conv.conv_offset_mask.bias")
    'neck.ida_2.node.2.0.conv_offset_mask.bias'
    >>> rename("hm.2.weight")
    'heads.heatmap.layers.2.weight'
    """
    for pattern, new in RENAMES:
        renamed, count = re.subn(f"^{pattern}", new, key)
        if count:
            key = renamed
            break
    if not key.startswith("neck.ida_"):
        return key
    # proj_1 -> proj.0; inside, the batch norm is the block's second module although it is stored first
    key = re.sub(r"\.(proj|up|node)_(\d)\.", lambda match: f".{match[1]}.{int(match[2]) - 1}.", key)
    return re.sub(r"\.(conv|actf\.0)\.", lambda match: ".0." if match[1] == "conv" else ".1.", key, count=1)


def _deconv(index: int) -> str:
    """Three times [deformable, BN, ReLU, transposed, BN, ReLU] in a row."""
    step, place = divmod(index, 6)
    names = {0: f"convs.{step}.0.", 1: f"convs.{step}.1.", 3: f"upsamples.{step}.conv.", 4: f"upsamples.{step}.norm."}
    return f"neck.{names[place]}"
