"""What a training minimises, taken apart: detection, identity, and how they are balanced."""

from __future__ import annotations

import logging
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from typing_extensions import override

from centertrack.losses.balance import UncertaintyBalance
from centertrack.training.module import CenterNet

DETECTION, IDENTITY = "train/detection", "train/identity"
BALANCE = {"detection": "balance/detection", "identity": "balance/identity", "constant": "balance/constant"}
NEGATIVE = (
    "train/total is below zero, which is no error: the learned balance adds the logarithms of two variances "
    "(balance/constant) to the losses; watch train/detection and train/identity, which never are"
)


class LossPanel(Callback):
    """Logs the parts of the total, and lays them out as one panel of TensorBoard (its tab "custom scalars").

    total = balance/detection * train/detection + balance/identity * train/identity + balance/constant. The factors and
    the constant change, and the constant may be negative, with the learned balance of FairMOT only; where it is fixed,
    total = train/detection + train/identity.
    """

    def __init__(self) -> None:
        self._has_explained = False
        self._parts: dict[str, float] | None = None

    @override
    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lay out the panel."""
        assert isinstance(pl_module, CenterNet)
        for logger in trainer.loggers:
            writer: Any = getattr(logger, "experiment", None)
            if hasattr(writer, "add_custom_scalars"):
                writer.add_custom_scalars({"losses": panel_layout(pl_module)})
                if pl_module.balance is not None:
                    writer.add_text("train/total", NEGATIVE)

    @override
    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note the balance, which the step will change; only where the step is logged: a GPU is waited for."""
        assert isinstance(pl_module, CenterNet)
        is_logged = trainer._logger_connector.should_update_logs  # as Lightning's own monitors ask
        self._parts = balance_parts(pl_module.balance) if is_logged else None

    @override
    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Log what detection and identity contribute to the total of this step."""
        assert isinstance(pl_module, CenterNet)
        parts = self._parts
        if parts is None or "train/reid" not in (losses := trainer.callback_metrics):
            return
        total, identity = losses["train/total"], pl_module.loss_options.reid_weight * losses["train/reid"]
        detection = (total - parts["constant"] - parts["identity"] * identity) / parts["detection"]
        pl_module.log_dict({DETECTION: detection, IDENTITY: identity})
        if pl_module.balance is not None:
            pl_module.log_dict({BALANCE[name]: value for name, value in parts.items()})
        if total < 0 and not self._has_explained and trainer.is_global_zero:
            self._has_explained = True
            logging.getLogger(__name__).warning(NEGATIVE)


def balance_parts(balance: UncertaintyBalance | None) -> dict[str, float]:
    """Return the factors of detection and identity in the total, and what is added to them.

    >>> balance_parts(None)
    {'detection': 1.0, 'identity': 1.0, 'constant': 0.0}
    """
    if balance is None:
        return {"detection": 1.0, "identity": 1.0, "constant": 0.0}
    detection, identity = balance.detection.detach(), balance.identity.detach()
    factors = {"detection": 0.5 * (-detection).exp(), "identity": 0.5 * (-identity).exp()}
    return {name: float(value) for name, value in {**factors, "constant": 0.5 * (detection + identity)}.items()}


def panel_layout(model: CenterNet) -> dict[str, list[Any]]:
    """Return the charts of the panel, as TensorBoard's writer takes them: name -> [kind, tags]."""
    heads = [f"train/{name}" for name in model.heads if name != "reid"]
    charts = {"detection": [DETECTION, *heads] if model.reid_loss else heads}
    if model.reid_loss:
        charts["identity"] = [IDENTITY, "train/reid"]
    charts["total"] = ["train/total"]
    if model.balance is not None:
        charts["balance"] = list(BALANCE.values())
    return {name: ["Multiline", tags] for name, tags in charts.items()}
