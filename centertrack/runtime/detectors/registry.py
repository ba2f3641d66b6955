"""The families of detectors, and which of them a file belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from centertrack.runtime.detectors.boxes_and_labels import BoxesAndLabels
from centertrack.runtime.detectors.detr import Detr
from centertrack.runtime.detectors.detr_joined import DetrJoined
from centertrack.runtime.detectors.detr_sized import DetrSized
from centertrack.runtime.detectors.end_to_end import EndToEnd
from centertrack.runtime.detectors.family import Family, Signature
from centertrack.runtime.detectors.nanodet import NanoDet
from centertrack.runtime.detectors.ssd import Ssd
from centertrack.runtime.detectors.torchvision import Torchvision
from centertrack.runtime.detectors.yolo import Yolo
from centertrack.runtime.detectors.yolo_objectness import YoloObjectness
from centertrack.runtime.detectors.yolox import Yolox
from centertrack.runtime.network_file import Port
from tracker.errors import InputError, near

FAMILIES: dict[str, type[Family]] = {  # the first that fits is taken
    family.name: family
    for family in (
        Ssd,
        BoxesAndLabels,
        Torchvision,
        DetrSized,
        Detr,
        Yolo,
        YoloObjectness,
        NanoDet,
        Yolox,
        EndToEnd,
        DetrJoined,
    )
}


def choose_family(path: Path, images: Port, signature: Signature, name: str | None = None) -> Family:
    """Return what reads the outputs of a graph.

    Args:
        path: Of the file.
        images: The input that takes the image.
        signature: Of the graph.
        name: What a user says that it is; None finds out.

    Raises:
        InputError: It is none of the families, or not the one that is asked for; says what was found and expected.
    """
    if name is not None and name not in FAMILIES:
        raise InputError(f"there is no family of detectors {name!r}; {near(str(name), FAMILIES)}")
    if name is None:
        family = next((family for family in FAMILIES.values() if family.fits(signature)), None)
        expected = "; ".join(f"{family.name}: {family.expects}" for family in FAMILIES.values())
        hint = "; --detector-option family=NAME decides between them"
        if family is None:
            raise InputError(
                f"{path}: cannot tell what kind of detector this is: {_found(images, signature)}; "
                f"expected the outputs of one of {expected}{hint}"
            )
        return family(signature)
    family = FAMILIES[name]
    if not family.has_shapes(signature):
        raise InputError(
            f"{path}: is no detector of the family {name}: expected {family.expects}; {_found(images, signature)}"
        )
    return family(signature)


def _found(images: Port, signature: Signature) -> str:
    task = signature.says("task")
    return (
        f"found inputs {_list((images, *signature.inputs))} and outputs {_list(signature.outputs)}"
        f"{f', task {task}' if task else ''}"
    )


def _list(ports: Sequence[Port]) -> str:
    return ", ".join(map(str, ports))
