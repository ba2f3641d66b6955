"""`centertrack train`: Lightning's command line around CenterNet and its data."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from centertrack.data.datamodule import TrackingDataModule
from centertrack.models.centernet import CenterNet


class TrainingCLI(LightningCLI):
    """Lightning's commands (fit, validate, ...) with one configuration for model, data and trainer."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Tell the model how many identities the data has."""
        parser.link_arguments("data.num_identities", "model.num_identities", apply_on="instantiate")

    def after_fit(self) -> None:
        """Say how to use what was trained."""
        checkpoint = self.trainer.checkpoint_callback
        best = getattr(checkpoint, "last_model_path", "") or getattr(checkpoint, "best_model_path", "")
        if best and self.trainer.is_global_zero:
            shown = Path(best).resolve()
            sys.stdout.write(
                f"\nTrained weights: {shown}\nTrack a video with: centertrack track VIDEO --weights {shown}\n"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a training command.

    Args:
        arguments: As on the command line, for example `["fit", "--config", "configs/fairmot_nano.yaml"]`.
    """
    torch.set_float32_matmul_precision("high")
    TrainingCLI(
        CenterNet,
        TrackingDataModule,
        args=list(arguments) if arguments is not None else None,
        save_config_kwargs={"overwrite": True},
        seed_everything_default=0,
    )
