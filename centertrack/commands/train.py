"""`centertrack train`: hands its arguments to Lightning's command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

SUMMARY = "train a network with Lightning's command line"
DESCRIPTION = "Train a network with Lightning's command line."
EPILOG = """examples:
  centertrack train fit --config own_data --data.root FOLDER
  centertrack train fit --config own_data --data.root FOLDER --trainer.max_epochs 20

FOLDER holds train/ and val/ in MOTChallenge format; docs/train_your_own.md goes through it. A configuration is a file,
or one that comes with the package by its name, such as fairmot_nano; each says at its head which data it wants."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing: the arguments are parsed by Lightning, see `run`."""


def run(arguments: Sequence[str]) -> int:
    """Run a training command with the arguments after `train`."""
    from centertrack.training.cli import main

    main(arguments)
    return 0
