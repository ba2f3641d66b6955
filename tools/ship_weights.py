"""Turn a checkpoint into weights to ship: calibrate its scores, and write float16 safetensors.

    python tools/ship_weights.py CHECKPOINT OUTPUT.safetensors FOLDER_OF_DATA

How high a heatmap peaks depends on how long a network was trained; trackers have fixed default thresholds. So the
threshold with the best F score, averaged over the scenes of MOT17-mini, is searched; they were not trained on: where
the network was, its scores are higher. A false box counts as much as two missed ones, since a false track lasts. Then
the heatmap's last layer is scaled and shifted until that threshold is 0.4, FairMOT's default, and half of the
detections above it exceed 0.75, as ByteTrack and its relatives expect. The order of the scores does not change, and
neither does average precision.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from jsonargparse import auto_cli

from centertrack.models.weights_file import save_weights
from centertrack.predictor import Predictor
from centertrack.training.calibration import HIGH, LOW, calibrate, f_score
from centertrack.training.checkpoints import from_pretrained
from tracker import Detections, Tracks, evaluate
from tracker.io.mot import MotWriter
from tracker.io.video import open_source

MINI = "MOT17-mini/train"
THRESHOLDS = [round(0.14 + 0.02 * i, 2) for i in range(21)]


def ship_weights(
    checkpoint: Path, output: Path, data: Path, threshold: float | None = None, nms_iou: float | None = None
) -> None:
    """Calibrate and write weights.

    Args:
        checkpoint: A `.ckpt` of a training.
        output: Where the weights go.
        data: Folder that holds MOT17-mini/.
        threshold: The score that becomes 0.4, by default the one with the best F score.
        nms_iou: Overlap from which boxes are suppressed, by default that of the checkpoint.
    """
    model = from_pretrained(checkpoint)
    if nms_iou is not None:
        model.config["nms_iou"] = nms_iou
    found = _detect(Predictor(model, min_score=min(THRESHOLDS), max_detections=500), data / MINI)
    means = {min_score: _mean_f(found, data / MINI, min_score) for min_score in THRESHOLDS}
    for min_score, value in means.items():
        print(f"min_score {min_score:.2f}  F {value:.3f}")
    best = max(means, key=means.__getitem__) if threshold is None else threshold
    scores = np.concatenate([detections.scores for frames in found.values() for detections in frames])
    median = float(np.median(scores[scores >= best]))
    calibrate(model, {best: LOW, median: HIGH})
    save_weights(model, output)
    print(f"Scores {best:.2f} and {median:.2f} became {LOW:.2f} and {HIGH:.2f}; weights written to {output}")


def _detect(predictor: Predictor, sequences: Path) -> dict[str, list[Detections]]:
    found = {}
    for sequence in sorted(sequences.iterdir()):
        with open_source(sequence) as source:
            found[sequence.name] = [predictor(frame.image)[0] for frame in source]
    return found


def _mean_f(found: dict[str, list[Detections]], sequences: Path, threshold: float) -> float:
    """Count with the benchmark's own rules; every box is a track of one frame, so that identities do not matter."""
    with tempfile.TemporaryDirectory() as folder:
        for name, frames in found.items():
            with MotWriter(Path(folder, f"{name}.txt")) as writer:
                for number, detections in enumerate(frames, start=1):
                    kept = detections[detections.scores >= threshold]
                    rows = np.arange(len(kept))
                    writer.write(number, Tracks(rows + 1, kept.boxes, kept.scores, kept.labels, rows))
        scenes = [scores.to_dict() for scores in evaluate(sequences, folder).sequences.values()]
    counts = np.array([[scene["TP"], scene["FP"], scene["FN"]] for scene in scenes], float)
    return float(f_score(*counts.T).mean())


if __name__ == "__main__":
    auto_cli(ship_weights)
