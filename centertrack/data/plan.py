"""What a training configuration says about its data, without building the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from centertrack.data.mixture import MixOptions, SourceOptions
from tracker.errors import InputError

DEFAULT_SIZE = (512, 288)


@dataclass
class DataPlan:
    """The data of a training.

    Attributes:
        train, validation: The data sets.
        size: Width and height of the training images.
        mix: How samples are mixed.
        root: Where relative paths start.
    """

    train: list[SourceOptions]
    validation: list[SourceOptions] = field(default_factory=list)
    size: tuple[int, int] = DEFAULT_SIZE
    mix: MixOptions = field(default_factory=lambda: MixOptions(paste=0.0))
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
        try:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))["data"]
            train = [SourceOptions(**one) for one in content["train"]]
            validation = [SourceOptions(**one) for one in content.get("validation") or []]
            width, height = content.get("size", DEFAULT_SIZE)
            mix = MixOptions(**(content.get("mix") or {}))
            return cls(train, validation, (width, height), mix, Path(root or content.get("root", ".")))
        except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            reason = " ".join(str(error).split()).replace("__init__() ", "")
            raise InputError(f"{path}: expected a training configuration with data.train: {reason}") from error
