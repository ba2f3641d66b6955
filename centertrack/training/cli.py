"""`centertrack train`: Lightning's command line around CenterNet and its data."""

from __future__ import annotations

import logging
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from jsonargparse import ActionConfigFile  # type: ignore[attr-defined]
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.utilities.exceptions import MisconfigurationException, SIGTERMException
from typing_extensions import override

from centertrack.app.termination import Terminated
from centertrack.configuration import find_recipe
from centertrack.data.datamodule import TrackingDataModule
from centertrack.models.weights_file import save_weights
from centertrack.training.allocator import keep_freed_memory
from centertrack.training.calibration import LOW, calibrate_on
from centertrack.training.checkpoints import from_pretrained, load_matching
from centertrack.training.module import CenterNet
from centertrack.training.panel import LossPanel
from centertrack.training.parser import SentenceParser, shorten
from tracker.errors import InputError
from tracker.wording import counted

# Warnings about what is meant to be so: arguments given as a list, no validation data, Lightning's own old calls, and a
# loader that does not know where it was, but the data module does.
HARMLESS = (
    "LightningCLI's args parameter is intended",
    "Total length of `list` across ranks",
    "`isinstance.treespec",
    "You're resuming from a checkpoint that ended before the epoch ended",
)
CONFIG_OPTIONS = ("-c", "--config")


class TrainingCLI(LightningCLI):
    """Lightning's commands (fit, validate, ...) with one configuration for model, data and trainer."""

    @override
    def init_parser(self, **options: Any) -> LightningArgumentParser:
        """Return the parser that explains mistakes in one sentence."""
        parser = SentenceParser(**options)
        parser.add_argument(*CONFIG_OPTIONS, action=ActionConfigFile, help="configuration file in YAML")
        return parser

    @override
    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Tell the model how many identities the data has, and where to start from."""
        parser.link_arguments("data.num_identities", "model.num_identities", apply_on="instantiate")
        parser.add_argument(
            "--start_from",
            type=str | None,
            default=None,
            help="weights to fine-tune: a name of `centertrack models`, a file of ours, or a published checkpoint",
        )
        parser.add_argument(
            "--teacher",
            type=str | None,
            default=None,
            help="weights of a network of the same levels whose heatmap and boxes are learnt too, named as above",
        )
        parser.add_argument("--compile", type=bool, default=False, help="compile the network with torch.compile")

    @override
    def instantiate_classes(self) -> None:
        """Build data, model and trainer.

        Raises:
            InputError: A class does not take the values that the configuration gives it.
        """
        try:
            super().instantiate_classes()
        except InputError:
            raise
        except (ValueError, TypeError, MisconfigurationException) as error:
            raise InputError(shorten(f"{_class_being_built(error)}{error}", [])) from error

    def before_fit(self) -> None:
        """Check that the data fits the model, name its classes, and load the weights to fine-tune."""
        _check_classes(self.datamodule, self.model)
        _name_classes(self.datamodule, self.model)
        if self.datamodule.train_set.teacher is not None:
            self.model.learn_from(torch.from_numpy(self.datamodule.train_set.teacher))
        if teacher := self.config[self.subcommand].get("teacher"):
            self.model.imitate(from_pretrained(teacher))
        if self.trainer.strategy.root_device.type == "cpu":
            keep_freed_memory()
        start, resumed = (self.config[self.subcommand].get(name) for name in ("start_from", "ckpt_path"))
        if start and not resumed:
            report = load_matching(self.model, start)
            if self.trainer.is_global_zero:
                sys.stdout.write(f"{report}\n")
        if self.config[self.subcommand].get("compile"):
            for part in (self.model.backbone, self.model.neck, *self.model.heads.values()):
                part.compile()  # in place: names of weights stay as they are

    @override
    def _run_subcommand(self, subcommand: str) -> None:
        """Run it; where it ends early, say how to go on, and by what it was ended.

        Raises:
            KeyboardInterrupt: Instead of Lightning's plain exit.
            InputError: With its sentence alone.
            Terminated: Likewise, after SIGTERM.
        """
        try:
            super()._run_subcommand(subcommand)
        except BaseException as error:
            if subcommand == "fit" and self.trainer.is_global_zero:
                self._say_how_to_go_on()
            if isinstance(error, SIGTERMException):
                raise Terminated from error
            if isinstance(error, SystemExit) and isinstance(error.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from error
            if isinstance(error, InputError):  # that of a loader process has its traceback before it
                raise InputError(str(error).rpartition("InputError: ")[2].strip()) from error
            raise

    def _say_how_to_go_on(self) -> None:
        last = Path(getattr(self.trainer.checkpoint_callback, "last_model_path", ""))
        if last.is_file():
            config = Path(self._log_folder(), "config.yaml")
            sys.stderr.write(
                f"\nThe training ended early. Go on with: centertrack train fit --config {config} --ckpt_path {last}\n"
            )

    def _log_folder(self) -> str:
        """Return `trainer.log_dir` without asking the other processes for it: they may have ended."""
        logger = self.trainer.logger
        return (logger and (logger.log_dir or logger.save_dir)) or self.trainer.default_root_dir

    def after_fit(self) -> None:
        """Write weights for inference beside the last checkpoint, and say how to use them."""
        checkpoint = self.trainer.checkpoint_callback
        last = getattr(checkpoint, "last_model_path", "") or getattr(checkpoint, "best_model_path", "")
        if last and self.trainer.is_global_zero:
            weights, remark = write_weights(Path(last).resolve(), self.datamodule)
            command = f"centertrack track VIDEO --weights {weights}"
            sys.stdout.write(f"\n{remark}\nTrained weights: {weights}\nTrack a video with: {command}\n")


def write_weights(checkpoint: Path, data: TrackingDataModule) -> tuple[Path, str]:
    """Write the network of a checkpoint for inference, its scores calibrated on the validation data.

    Args:
        checkpoint: Of a training; it stays as it is, to resume from.
        data: Of that training.

    Returns:
        The new file, `NAME.safetensors` beside `NAME.ckpt`, and what became of the scores, as a sentence.
    """
    model, target = from_pretrained(checkpoint), checkpoint.with_suffix(".safetensors")
    fit = calibrate_on(model, data.validation_set.sets) if data.validation_set else None
    save_weights(model, target)
    if fit is not None:
        return target, f"Scores: {fit.best:.2f} separates true from false best on data.validation; it became {LOW:.2f}."
    why = "too little of data.validation was found" if data.validation_set else "there is no data.validation"
    return target, f"Scores: not calibrated, because {why}; try some values of --min-score."


def _class_being_built(error: BaseException) -> str:
    """Return `NAME: ` of the class whose `__init__` raised an error, or called what did; nothing if none did."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_name == "__init__"]
    return f"{type(frames[-1].f_locals['self']).__name__}: " if frames else ""


def _check_classes(data: TrackingDataModule, model: CenterNet) -> None:
    mixture = data.train_set
    if mixture.num_classes > model.num_classes:
        raise InputError(
            f"the data have {counted(mixture.num_classes, 'class', 'classes')} "
            f"({', '.join(mixture.class_names[:8])}), but "
            f"model.output_heads.heatmap.num_classes is {model.num_classes}; raise it, or choose and merge classes "
            "with the option `classes` of each data set"
        )


def _name_classes(data: TrackingDataModule, model: CenterNet) -> None:
    """Let the checkpoints say what the network finds; names that the configuration gives stay."""
    if not model.config["class_names"]:
        unnamed = range(data.train_set.num_classes, model.num_classes)
        names = [*data.train_set.class_names, *(f"class {i}" for i in unnamed)]
        model.config["class_names"] = model.hparams["class_names"] = names


def with_recipes(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with the file of each configuration that comes with the package instead of its name.

    >>> [Path(argument).name for argument in with_recipes(["fit", "--config=fairmot_nano", "-c", "my.yaml"])]
    ['fit', 'fairmot_nano.yaml', '-c', 'my.yaml']
    """
    found, is_config = [], False
    for argument in arguments:
        option, equals, value = argument.partition("=")
        if is_config:
            found.append(str(find_recipe(argument)))
        elif equals and option in CONFIG_OPTIONS:
            found.append(f"{option}={find_recipe(value)}")
        else:
            found.append(argument)
        is_config = argument in CONFIG_OPTIONS
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a training command.

    Args:
        arguments: As on the command line, for example `["fit", "--config", "fairmot_nano"]`.

    Raises:
        InputError: The configuration has a mistake, or a file that it names is missing or broken.
    """
    torch.set_float32_matmul_precision("high")
    for talker in ("pytorch_lightning", "lightning_fabric"):  # devices, advertisements, the seed of the configuration
        logging.getLogger(talker).setLevel(logging.WARNING)
    for known in HARMLESS:
        warnings.filterwarnings("ignore", known)
    try:
        TrainingCLI(
            CenterNet,
            TrackingDataModule,
            args=with_recipes(sys.argv[1:] if arguments is None else arguments),
            save_config_kwargs={"overwrite": True},
            seed_everything_default=0,
            trainer_defaults={"callbacks": LossPanel()},
        )
    except FileNotFoundError as error:  # Lightning's own, for example of --ckpt_path
        raise InputError(str(error)) from error
