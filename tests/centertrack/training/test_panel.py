from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2

from centertrack.losses import UncertaintyBalance
from centertrack.models import CenterNet
from centertrack.training.cli import main
from centertrack.training.panel import LossPanel, balance_parts, panel_layout
from tests.centertrack.training.test_train import TINY


def logged(folder: Path, balance: str) -> EventAccumulator:
    content = json.loads(json.dumps(TINY))
    content["model"]["loss"] = {"balance": balance, "reid_weight": 0.5}
    logger = "pytorch_lightning.loggers.TensorBoardLogger"
    content["trainer"]["logger"] = {"class_path": logger, "init_args": {"save_dir": "board"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(content))
    main(["fit", "--config", "config.yaml"])
    return EventAccumulator(str(next((folder / "board").rglob("events.*")).parent)).Reload()


def values(events: EventAccumulator, tag: str) -> list[float]:
    return [event.value for event in events.Scalars(tag)]


@pytest.mark.parametrize("balance", ["uncertainty", "fixed"])
def test_the_parts_of_every_step_make_its_total(balance: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    events = logged(tmp_path, balance)
    names = ("total", "detection", "identity", "heatmap", "box_2d", "reid")
    total, detection, identity, heatmap, box, reid = (values(events, f"train/{name}") for name in names)
    assert len(total) == 3
    assert detection == pytest.approx([h + 5 * b for h, b in zip(heatmap, box, strict=True)], rel=1e-4)
    assert identity == pytest.approx([0.5 * r for r in reid], rel=1e-5)
    if balance == "fixed":
        assert total == pytest.approx([d + i for d, i in zip(detection, identity, strict=True)], rel=1e-5)
        assert not any(tag.startswith("balance/") for tag in events.Tags()["scalars"])
        return
    factors = [values(events, f"balance/{name}") for name in ("detection", "identity", "constant")]
    rebuilt = [d * f + i * g + c for d, i, f, g, c in zip(detection, identity, *factors, strict=True)]
    assert total == pytest.approx(rebuilt, rel=1e-4)
    assert "no error" in events.Tensors("train/total/text_summary")[0].tensor_proto.string_val[0].decode()


def test_the_panel_has_a_chart_for_each_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    events = logged(tmp_path, "uncertainty")
    content = events.Tensors("custom_scalars__config__")[0].tensor_proto.string_val[0]
    (panel,) = layout_pb2.Layout.FromString(content).category
    charts = {chart.title: set(chart.multiline.tag) for chart in panel.chart}
    assert charts == {
        "detection": {"train/detection", "train/heatmap", "train/box_2d"},
        "identity": {"train/identity", "train/reid"},
        "total": {"train/total"},
        "balance": {"balance/detection", "balance/identity", "balance/constant"},
    }
    assert {tag for tags in charts.values() for tag in tags} <= set(events.Tags()["scalars"])


def test_a_detector_has_no_identity_chart() -> None:
    options = {**TINY["model"], "task": "detection", "loss": {}}
    options["output_heads"] = {name: options["output_heads"][name] for name in ("heatmap", "box_2d")}
    charts = panel_layout(CenterNet(**options))
    assert {name: tags for name, (_, tags) in charts.items()} == {
        "detection": ["train/heatmap", "train/box_2d"],
        "total": ["train/total"],
    }


def test_the_balance_by_hand() -> None:
    parts = balance_parts(UncertaintyBalance(detection=0.0, identity=-2.0))
    assert parts == pytest.approx({"detection": 0.5, "identity": 0.5 * 7.389056, "constant": -1.0})


def step_of(total: float, is_logged: bool = True) -> Any:
    """A trainer after a step with this total."""
    metrics = {"train/total": torch.tensor(total), "train/reid": torch.tensor(0.1)}
    connector = SimpleNamespace(should_update_logs=is_logged)
    return SimpleNamespace(callback_metrics=metrics, is_global_zero=True, _logger_connector=connector)


def test_a_total_below_zero_is_explained_once(caplog: pytest.LogCaptureFixture) -> None:
    model: Any = CenterNet(**TINY["model"], num_identities=3)
    model.log_dict = lambda values: None
    panel = LossPanel()
    with caplog.at_level(logging.WARNING):
        for trainer in (step_of(0.5), step_of(-0.1), step_of(-0.2)):
            panel.on_train_batch_start(trainer, model, None, 0)
            panel.on_train_batch_end(trainer, model, None, None, 0)
    assert [record.message[:40] for record in caplog.records] == ["train/total is below zero, which is no e"]


def test_values_are_fetched_from_the_device_in_logged_steps_only() -> None:
    model: Any = CenterNet(**TINY["model"], num_identities=3)
    fetched: list[set[str]] = []
    model.log_dict = lambda values: fetched.append(set(values))
    model.balance.detection = torch.nn.Parameter(torch.empty((), device="meta"))  # whose value cannot be fetched
    panel = LossPanel()
    quiet = step_of(0.5, is_logged=False)
    del quiet.callback_metrics  # Lightning fetches those of the progress bar when asked for it
    panel.on_train_batch_start(quiet, model, None, 0)
    panel.on_train_batch_end(quiet, model, None, None, 0)
    assert not fetched
    with pytest.raises(RuntimeError, match="meta"):
        panel.on_train_batch_start(step_of(0.5), model, None, 1)
