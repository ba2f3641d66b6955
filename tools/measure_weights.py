"""Measure weights on the real sequences that shipped weights are judged by.

    python tools/measure_weights.py WEIGHTS FOLDER_OF_DATA [--tracker NAME] [--options {min_score: 0.3}]
        [--image_size [960,544]] [--postprocess [link,interpolate,smooth]]

Tracks TUD-Campus, frames 201 to 263 of MOT17-09 and the last third of ETH-Sunnyday, detects in the frames of
MOT17-mini, and prints MOTA, IDF1, HOTA and AP50; and of the embeddings at the true boxes, how often the nearest one of
another second is the same person (rank1) and the mean average precision of such searches (reid_mAP).
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import auto_cli

from centertrack.average_precision.detection_metrics import evaluate_detections
from centertrack.data.formats.registry import open_labels
from centertrack.predictor import Predictor
from centertrack.training.checkpoints import from_pretrained
from centertrack.training.module import CenterNet
from centertrack.training.retrieval import retrieval_scores
from centertrack.training.validation import embed_boxes
from tracker import DEFAULT_TRACKER, evaluate, make_tracker
from tracker.io.atomic import atomic_path
from tracker.io.mot import read_sequence_info
from tracker.io.video import open_source
from tracker.postprocess import Trajectories, TrajectoryRecorder
from tracker.postprocess import postprocess as postprocess_tracks

SEQUENCES = {
    "MOT15/train/TUD-Campus": (1, 71),
    "MOT17/train/MOT17-09-SDP": (201, 263),
    "MOT15/train/ETH-Sunnyday": (237, 354),
}
MINI = "MOT17-mini/train"
METRICS = ("MOTA", "IDF1", "HOTA", "DetA", "AssA", "IDSW", "FP", "FN")


def measure_weights(
    weights: str,
    data: Path,
    tracker: str = DEFAULT_TRACKER,
    runtime: str = "auto",
    json_output: Path | None = None,
    options: dict[str, Any] | None = None,
    image_size: tuple[int, int] | None = None,
    postprocess: tuple[str, ...] = (),
    precision: str = "f32",
) -> dict[str, dict[str, float]]:
    """Measure weights.

    Args:
        weights: Name of shipped weights, or a file.
        data: Folder that holds MOT15/, MOT17/ and MOT17-mini/.
        tracker: Name of a tracker.
        runtime: See `centertrack track --runtime`.
        json_output: Write the figures here too.
        options: Options of the tracker.
        image_size: Width and height of the network's input, by default that of the weights.
        postprocess: What is done to the tracks offline, see `centertrack track --postprocess`.
        precision: See `centertrack track --precision`.
    """
    predictor = Predictor(
        weights, runtime=runtime, image_size=image_size, min_score=0.001, max_detections=500, precision=precision
    )
    model = from_pretrained(weights).eval()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for path, frames in SEQUENCES.items():
            results = Path(folder, f"{Path(path).name}.txt")
            track_stretch(predictor, data / path, frames, (tracker, options or {}), postprocess).write(results)
            scores = evaluate(data / path, results, frames="{}:{}".format(*frames)).combined.to_dict()
            figures[Path(path).name] = {metric: float(scores[metric]) for metric in METRICS}  # type: ignore[arg-type]
            figures[Path(path).name] |= _search(model, data / path, frames)
        figures["MOT17-mini"] = {"AP50": average_precision(predictor, data / MINI, Path(folder, "mini"))}
    for name, values in figures.items():
        print(name.ljust(16), "  ".join(f"{key} {_shown(value)}" for key, value in values.items()))
    if json_output:
        with atomic_path(json_output) as temporary:
            temporary.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def track_stretch(
    predictor: Predictor,
    sequence: Path,
    frames: tuple[int, int],
    tracker: tuple[str, dict[str, Any]],
    steps: tuple[str, ...],
) -> Trajectories:
    """Track a stretch of a sequence with a fresh tracker, given by its name and options."""
    recorder = TrajectoryRecorder()
    with open_source(sequence) as source:
        follower = make_tracker(tracker[0], frame_rate=source.frame_rate, **tracker[1])
        for frame in source:
            if frames[0] <= frame.number <= frames[1]:
                found = predictor(frame.image)[0]
                recorder.add(frame.number, follower.update(found, frame.image, frame.time), found)
        return postprocess_tracks(recorder.finish(), steps, source.frame_rate)


def _search(model: CenterNet, sequence: Path, frames: tuple[int, int]) -> dict[str, float]:
    """Search every true box of every fifth frame among those of other seconds."""
    rate = read_sequence_info(sequence).frame_rate
    labels = open_labels("mot", sequence, identities="labels", frames=list(frames), step=5)
    samples = [labels[i] for i in range(len(labels))]
    seconds = [int(entry.frame // rate) for entry in labels.entries]
    embeddings = np.concatenate([embed_boxes(model, sample.image, sample.boxes) for sample in samples])
    ids = np.concatenate([sample.ids for sample in samples])
    rank1, precision = retrieval_scores(embeddings, ids, np.repeat(seconds, [len(sample.ids) for sample in samples]))
    return {"rank1": rank1, "reid_mAP": precision}


def average_precision(predictor: Predictor, sequences: Path, folder: Path) -> float:
    """Detect in every frame of several sequences; AP at IoU 0.5."""
    folder.mkdir()
    for sequence in sorted(sequences.iterdir()):
        rows = []
        with open_source(sequence) as source:
            for frame in source:
                found = predictor(frame.image)[0]
                for (x1, y1, x2, y2), score in zip(found.boxes.tolist(), found.scores.tolist(), strict=True):
                    rows.append(f"{frame.number},-1,{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{score:.4f}")
        (folder / f"{sequence.name}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return evaluate_detections(sequences, folder).metrics["AP50"]


def _shown(value: float) -> str:
    return f"{value:.3f}" if value != int(value) else str(int(value))


if __name__ == "__main__":
    auto_cli(measure_weights)
