"""How long an evaluation takes from files to figures, and how much memory: a benchmark's training set, and a crowd."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from centertrack.bench.memory import peak_megabytes
from tracker.evaluation import evaluate

# Sequence: frames, people in a frame. The first has the size of MOT17's seven training videos.
SETS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "like MOT17": {
        "MOT17-02": (600, 31),
        "MOT17-04": (1050, 45),
        "MOT17-05": (837, 8),
        "MOT17-09": (525, 10),
        "MOT17-10": (654, 20),
        "MOT17-11": (900, 10),
        "MOT17-13": (750, 15),
    },
    "like MOT20": {"MOT20-05": (3000, 200)},
}

_AREA = (1920, 900)  # pixels in which the top left corners of people walk


@dataclass(frozen=True, slots=True)
class EvaluationTiming:
    """One set's figures.

    Attributes:
        name: Of the set.
        gt_rows: Rows of ground truth.
        result_rows: Rows of results.
        seconds: From files to all three families, the best of the repeats.
        peak_mb: Memory of the process, everything included; of the parent alone with several workers.
    """

    name: str
    gt_rows: int
    result_rows: int
    seconds: float
    peak_mb: float


def bench_evaluation(workers: int = 1, repeats: int = 3) -> list[EvaluationTiming]:
    """Write each of SETS to a temporary folder and evaluate it in a process of its own.

    Args:
        workers: Processes that one evaluation uses.
        repeats: The best counts.
    """
    timings = []
    for name, sequences in SETS.items():
        with TemporaryDirectory() as folder:
            rng = np.random.default_rng(0)
            counts = [write_crowd(Path(folder), *entry, rng) for entry in sequences.items()]
            context = multiprocessing.get_context("spawn")  # a forked process would inherit our own peak memory
            with ProcessPoolExecutor(1, context) as pool:
                seconds, peak = pool.submit(_time_evaluation, folder, workers, repeats).result()
        gt_rows, result_rows = (sum(column) for column in zip(*counts, strict=True))
        timings.append(EvaluationTiming(name, gt_rows, result_rows, seconds, peak))
    return timings


def write_crowd(folder: Path, name: str, size: tuple[int, int], random: np.random.Generator) -> tuple[int, int]:
    """Write ground truth and results of people walking through 1920 x 1080 pixels.

    The tracker misses one box in five, is a few percent off, changes an id now and then, and invents some boxes.

    Args:
        folder: Gets gt/NAME/gt/gt.txt and results/NAME.txt.
        name: Of the sequence.
        size: Frames, people in each.
        random: Source of the scene.

    Returns:
        Rows of ground truth and of results.
    """
    length, people = size
    frame, person = np.divmod(np.arange(length * people), people)
    start = random.uniform((0, 0), _AREA, (people, 2))
    laps, position = np.divmod(start[person] + frame[:, None] * random.normal(0, (3, 1), (people, 2))[person], _AREA)
    _, identity = np.unique(np.c_[person, laps], axis=0, return_inverse=True)  # who leaves comes back as somebody else
    height = 50 + position[:, 1] / 5
    boxes = np.c_[position, 0.4 * height, height]

    seen = random.random(len(boxes)) > 0.2
    renamed = 10**5 * random.integers(0, 4, len(boxes)) * (random.random(len(boxes)) < 0.01)
    shifts = random.normal(0, 0.05, boxes.shape) * boxes[:, [2, 3, 2, 3]]
    invented = random.random(len(boxes)) < 0.03
    wrong = boxes[invented] + random.uniform(-300, 300, (invented.sum(), 1)) * (1, 0, 0, 0)
    tracks = np.concatenate([(identity + renamed)[seen], 10**6 + np.flatnonzero(invented)]) + 1
    rows = np.c_[
        np.concatenate([frame[seen], frame[invented]]) + 1, tracks, np.concatenate([(boxes + shifts)[seen], wrong])
    ]

    target = folder / "gt" / name / "gt" / "gt.txt"
    target.parent.mkdir(parents=True)
    (folder / "results").mkdir(exist_ok=True)
    np.savetxt(target, np.c_[frame + 1, identity + 1, boxes], fmt="%d,%d,%.0f,%.0f,%.0f,%.0f,1,1,1")
    np.savetxt(folder / "results" / f"{name}.txt", rows, fmt="%d,%d,%.2f,%.2f,%.2f,%.2f,1,-1,-1,-1")
    return len(boxes), len(rows)


def _time_evaluation(folder: str, workers: int, repeats: int) -> tuple[float, float]:
    durations = []
    for _ in range(repeats):
        start = time.perf_counter()
        evaluate(Path(folder, "gt"), Path(folder, "results"), workers=workers)
        durations.append(time.perf_counter() - start)
    return min(durations), peak_megabytes()
