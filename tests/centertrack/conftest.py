from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from centertrack.models import CenterNet, save_weights
from centertrack.runtime.openvino_core import core
from centertrack.synthetic import SceneConfig, StreetScene
from tracker.io.video import VideoWriter

CLIP_SIZE = (160, 96)  # also the input size of the weights: one conversion serves all tests


@pytest.fixture(scope="session", autouse=True)
def one_core() -> None:
    """Hold OpenVINO's core before any test makes one of its own."""
    core()


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep converted networks of tests out of the user's cache, and share them between tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def small_network(task: str = "tracking", seed: int = 0, **options: Any) -> CenterNet:
    """A network in the form of fairmot-nano with random weights, whose scores spread over (0, 1)."""
    torch.manual_seed(seed)
    separable = {"width": 32, "conv_type": "separable"}
    heads = {"heatmap": {"num_classes": 1, **separable}, "box_2d": {"box_multiplier": 16, **separable}}
    if task == "tracking":
        heads["reid"] = {"embedding_dim": 16, **separable}
    model = CenterNet(
        backbone={"name": "shufflenet_v2_x0.5", "pretrained": False},
        neck={"name": "FPNNeck", "upsample_channels": [64, 48, 32], "conv_type": "separable"},
        output_heads=heads,
        task=task,
        input_format={"size": CLIP_SIZE},
        **options,
    ).eval()
    with torch.no_grad():
        logits = model.get_encoded_outputs(torch.rand(1, 3, 96, 160))["heatmap"]
        last = model.heads["heatmap"].layers[-1]
        last.weight.mul_(2 / logits.std())
        last.bias.fill_(-3 - float(((logits - last.bias.mean()) * 2 / logits.std()).mean()))
    return model


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights file of a small network for tracking."""
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    save_weights(small_network(), path)
    return path


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """A street, (96, 160, 3) RGB."""
    return StreetScene(SceneConfig(size=CLIP_SIZE, seconds=0.1, people=4, seed=3)).frame(0).frame.image


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, picture: np.ndarray) -> Path:
    """A video of 12 frames in which nothing moves."""
    path = tmp_path_factory.mktemp("clips") / "still.mp4"
    with VideoWriter(path, CLIP_SIZE, 25) as writer:
        for _ in range(12):
            writer.write(picture)
    return path


@pytest.fixture
def image_folder(tmp_path: Path, picture: np.ndarray) -> Path:
    """A folder of 6 images, 1.png to 6.png."""
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(1, 7):
        cv2.imwrite(str(folder / f"{number}.png"), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    return folder
