"""What a training configuration says about its data, without building the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torchvision.transforms.v2 import Transform

from centertrack.configuration import build, make_options
from centertrack.data.mixture import MixOptions, SourceOptions
from tracker.errors import InputError
from tracker.io.reading import read_yaml

DEFAULT_SIZE = (512, 288)


@dataclass
class DataPlan:
    """The data of a training.

    Attributes:
        train, validation: The data sets.
        size: Width and height of the training images.
        mix: How samples are mixed.
        transforms: Of torchvision, on every training sample.
        root: Where relative paths start.
    """

    train: list[SourceOptions]
    validation: list[SourceOptions] = field(default_factory=list)
    size: tuple[int, int] = DEFAULT_SIZE
    mix: MixOptions = field(default_factory=lambda: MixOptions(paste=0.0))
    transforms: Sequence[Transform] = ()
    root: Path = Path()

    @classmethod
    def read(cls, path: Path, root: str | Path | None = None) -> DataPlan:
        """Read the section `data` of a configuration.

        Args:
            path: The YAML file.
            root: Where relative paths start; None: as the file says.

        Raises:
            InputError: It has no such section, or an option is unknown.
        """
        whole = read_yaml(path)
        try:
            content = whole["data"]
            train = [build(SourceOptions, "data.train", one) for one in content["train"]]
            validation = [build(SourceOptions, "data.validation", one) for one in content.get("validation") or []]
            width, height = content.get("size", DEFAULT_SIZE)
            mix = make_options(MixOptions, content.get("mix"))
            transforms = _build_transforms(content.get("transforms") or [])
            folder = Path(root or content.get("root", "."))
            return cls(train, validation, (width, height), mix, transforms, folder)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"{path}: expected a training configuration with data.train: {reason}") from error


def _build_transforms(given: list[dict[str, Any]]) -> Sequence[Transform]:
    """Build them as the training's command line does it, from `class_path` and `init_args`."""
    if not given:
        return ()
    from jsonargparse import ArgumentError, auto_cli

    def collect(transforms: list[Transform]) -> list[Transform]:
        return transforms

    try:
        built: list[Transform] = auto_cli(
            collect, ["--transforms", json.dumps(given)], as_positional=False, exit_on_error=False
        )
    except ArgumentError as error:
        raise ValueError(str(error)) from error
    return built
