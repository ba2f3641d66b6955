from __future__ import annotations

import csv
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
import yaml

from centertrack.data.convert import convert_data
from centertrack.models import CenterNet
from centertrack.predictor import Predictor
from centertrack.synthetic import SceneConfig, StreetScene, SyntheticFrame
from centertrack.training.cli import main
from centertrack.training.validation import IdentityValidation, TrackingValidation, embed_boxes
from tests.centertrack.training.test_train import TINY
from tracker.detections import Detections
from tracker.errors import InputError
from tracker.io.images import read_image


@pytest.fixture(scope="module")
def sequences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validation")
    StreetScene(SceneConfig(size=(160, 96), seconds=0.4, seed=3, people=3)).write_mot(folder / "SYN-01", images=True)
    return folder


@pytest.fixture
def model() -> CenterNet:
    torch.manual_seed(0)
    return CenterNet(**TINY["model"]).eval()


def test_an_embedding_is_that_of_the_cell_at_the_centre(model: CenterNet) -> None:
    image = np.random.default_rng(0).integers(0, 256, (96, 160, 3), dtype=np.uint8)
    prepared = Predictor(model, runtime="torch").prepare(image)
    box = np.array([[40, 20, 60, 70], [-30, 0, -10, 20]], np.float32)  # the second centre lies outside
    found = embed_boxes(model, image, box)
    pixels = torch.from_numpy(prepared.pixels).permute(2, 0, 1)[None]
    with torch.no_grad():
        reid = model.get_encoded_outputs(model.normalize(pixels))["reid"][0]
    x, y = (prepared.placement.to_input(box)[0, :2] + prepared.placement.to_input(box)[0, 2:]) / 2 / 4
    expected = torch.nn.functional.normalize(reid[:, int(y), int(x)], dim=0)
    assert found.shape == (2, 8)
    torch.testing.assert_close(torch.from_numpy(found[0]), expected, rtol=1e-4, atol=1e-5)


def detect_perfectly(monkeypatch: pytest.MonkeyPatch) -> list[SyntheticFrame]:
    """Let the predictor find, frame by frame, just the people whom `sequences` shows; return the frames."""
    shots = list(StreetScene(SceneConfig(size=(160, 96), seconds=0.4, seed=3, people=3)))
    found = iter([[Detections(shot.boxes, np.ones(len(shot.boxes)))] for shot in shots])
    monkeypatch.setattr(Predictor, "warm_up", lambda self, size: None)
    monkeypatch.setattr(Predictor, "detect", lambda self, prepared: next(found))
    return shots


def test_a_perfect_detector_tracks_perfectly(
    sequences: Path, model: CenterNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    detect_perfectly(monkeypatch)
    callback = TrackingValidation(".", tracker="bytetrack", options={"min_hits": 1}, benchmark="MOT17")
    scores = callback.score(model, sequences, pl.Trainer(logger=False, accelerator="cpu"))
    assert scores["MOTA"] > 0.9 and scores["IDSW"] == 0


def test_the_middle_of_a_sequence_is_drawn_with_its_tracks(
    sequences: Path, model: CenterNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    shots = detect_perfectly(monkeypatch)
    drawn = {}
    writer = SimpleNamespace(add_image=lambda name, image, step, dataformats: drawn.update({name: image}))
    trainer = SimpleNamespace(loggers=[SimpleNamespace(experiment=writer)], global_step=7)
    callback = TrackingValidation(".", tracker="bytetrack", options={"min_hits": 1}, benchmark="MOT17")
    callback.score(model, sequences, trainer)
    assert list(drawn) == ["val/SYN-01"]
    middle = shots[len(shots) // 2]
    photograph = read_image(sequences / "SYN-01" / "img1" / f"{middle.frame.number:06d}.jpg")
    changed = (drawn["val/SYN-01"] != photograph).any(axis=2)
    x1, y1, x2, y2 = np.clip(middle.boxes[0], 0, (159, 95, 159, 95)).astype(int)
    assert changed[y1 : y2 + 1, x1 : x2 + 1].any() and not changed.all()


def test_typing_errors_show_before_the_training() -> None:
    with pytest.raises(InputError, match="did you mean"):
        TrackingValidation(".", tracker="bytetrak")
    with pytest.raises((InputError, TypeError), match="min_scor"):
        TrackingValidation(".", options={"min_scor": 0.3})


def test_scores_are_logged_while_training(sequences: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    convert_data(sequences, tmp_path / "coco", "coco")
    content = json.loads(json.dumps(TINY))
    content["data"].update(validation=content["data"]["train"], root=str(tmp_path))
    place = "centertrack.training."
    content["trainer"]["callbacks"] += [
        {"class_path": f"{place}validation.TrackingValidation", "init_args": {"path": str(sequences)}},
        {"class_path": f"{place}validation.DetectionValidation", "init_args": {"path": "coco/annotations.json"}},
        {"class_path": f"{place}validation.IdentityValidation", "init_args": {"path": str(sequences)}},
        {"class_path": f"{place}averaging.WarmedUpAveraging", "init_args": {"decay": 0.9}},
    ]
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(content))
    main(["fit", "--config", str(tmp_path / "config.yaml"), "--trainer.limit_val_batches", "1"])
    with next(tmp_path.rglob("metrics.csv")).open() as file:
        names = set(csv.DictReader(file).fieldnames or ())
    assert names >= {f"val/{name}" for name in ("HOTA", "MOTA", "IDF1", "AP", "AP50", "rank1", "reid_mAP", "total")}


def test_scoring_other_weights_than_the_averaged_ones_is_refused() -> None:
    from centertrack.training.averaging import WarmedUpAveraging

    callback = IdentityValidation(".")
    trainer = pl.Trainer(logger=False, accelerator="cpu", callbacks=[WarmedUpAveraging(), callback])
    with pytest.raises(InputError, match="list IdentityValidation before the averaging"):
        callback.setup(trainer, pl.LightningModule(), "fit")


def test_a_failure_in_the_first_process_ends_the_others(model: CenterNet) -> None:
    """The others wait for its scores, and would for ever."""
    callback = TrackingValidation("nowhere", benchmark="MOT17")
    first: list[tuple[dict[str, float], str | None]] = []

    def trainer(is_first: bool, broadcast: object) -> SimpleNamespace:
        return SimpleNamespace(
            sanity_checking=False, current_epoch=0, is_global_zero=is_first, datamodule=None,
            strategy=SimpleNamespace(broadcast=broadcast),
        )  # fmt: skip

    with pytest.raises(InputError, match="nowhere"):
        callback.on_validation_epoch_end(trainer(True, lambda found: first.append(found) or found), model)
    with pytest.raises(InputError, match=r"TrackingValidation failed in the first process: .*nowhere"):
        callback.on_validation_epoch_end(trainer(False, lambda found: first[0]), model)
