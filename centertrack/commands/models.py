"""`centertrack models`: the weights that come with the package."""

from __future__ import annotations

import argparse

from centertrack.commands.shared.terminal import say

SUMMARY = "list the weights that come with the package"
DESCRIPTION = "List the weights that come with the package. Each has a model card beside it: data, figures, limits."
EPILOG = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare nothing."""


def run(options: argparse.Namespace) -> int:
    """Print one line for each."""
    from centertrack.models.weights_header import read_config
    from centertrack.runtime.weights import find_weights, list_weights

    names = list_weights()
    if not names:
        say("no weights come with this installation; give a file to --weights")
    for name in names:
        path = find_weights(name)
        config = read_config(path)
        width, height = config["input_format"]["size"]
        megabytes = path.stat().st_size / 1e6
        say(f"{name}  {config['task']}, input {width}x{height}, {megabytes:.1f} MB  {path}")
    return 0
