"""Turn a checkpoint into weights to ship: calibrate its scores, and write float16 safetensors.

    python tools/ship_weights.py CHECKPOINT OUTPUT.safetensors FOLDER_OF_DATA

How high a heatmap peaks depends on how long a network was trained; trackers have one default threshold. So the
threshold with the best MOTA + IDF1 is searched on held-back sequences (never on TUD-Campus, which validates), and the
heatmap's last bias is shifted until that threshold is the trackers' default. The order of scores does not change.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

import torch
from jsonargparse import auto_cli

from centertrack.models import CenterNet, from_pretrained, save_weights
from centertrack.predictor import Predictor
from tracker import Detections, evaluate, make_tracker
from tracker.io.mot import MotWriter
from tracker.io.video import open_source

SEQUENCES = {"MOT17/train/MOT17-09-SDP": (201, 263), "MOT15/train/ETH-Sunnyday": (237, 354)}
THRESHOLDS = [0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45, 0.50]
TARGET = 0.4  # FairMOTOptions.min_score


def ship_weights(checkpoint: Path, output: Path, data: Path) -> None:
    """Calibrate and write weights.

    Args:
        checkpoint: A `.ckpt` of a training.
        output: Where the weights go.
        data: Folder that holds MOT17/ and MOT15/.
    """
    model = from_pretrained(checkpoint)
    predictor = Predictor(model, min_score=min(THRESHOLDS) / 2, max_detections=500)
    gained = dict.fromkeys(THRESHOLDS, 0.0)
    for path, frames in SEQUENCES.items():
        found, frame_rate = _detect(predictor, data / path, frames)
        for threshold in THRESHOLDS:
            mota, idf1 = _score(found, frame_rate, data / path, frames, threshold)
            gained[threshold] += mota + idf1
            print(f"{Path(path).name}  min_score {threshold:.2f}  MOTA {mota:.3f}  IDF1 {idf1:.3f}")
    best = max(gained, key=gained.__getitem__)
    shift_scores(model, best, TARGET)
    save_weights(model, output)
    print(f"Scores of {best:.2f} became {TARGET:.2f}; weights written to {output}")


@torch.no_grad()
def shift_scores(model: CenterNet, threshold: float, target: float) -> None:
    """Shift the heatmap's last bias so that a score of `threshold` becomes `target`."""
    bias = model.heads["heatmap"].layers[-1].bias  # type: ignore[union-attr,index]
    bias += math.log(target / (1 - target)) - math.log(threshold / (1 - threshold))


def _detect(predictor: Predictor, sequence: Path, frames: tuple[int, int]) -> tuple[dict[int, Detections], float]:
    with open_source(sequence) as source:
        wanted = (frame for frame in source if frames[0] <= frame.number <= frames[1])
        return {frame.number: predictor(frame.image)[0] for frame in wanted}, source.frame_rate


def _score(
    found: dict[int, Detections], frame_rate: float, sequence: Path, frames: tuple[int, int], threshold: float
) -> tuple[float, float]:
    follower = make_tracker("fairmot", frame_rate=frame_rate, min_score=threshold)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{sequence.name}.txt")
        with MotWriter(path) as writer:
            for number, detections in found.items():
                writer.write(number, follower.update(detections))
        scores = evaluate(sequence, path, frames=f"{frames[0]}:{frames[1]}").combined.to_dict()
    return float(scores["MOTA"]), float(scores["IDF1"])  # type: ignore[arg-type]


if __name__ == "__main__":
    auto_cli(ship_weights)
