"""Keep the log of a training as a small table and a picture.

    python tools/plot_training.py RUN docs/training/fairmot-nano

reads every metrics.csv below the folder RUN (a resumed training writes one a slice) and writes fairmot-nano.csv there,
one row for every hundred steps or so with the mean losses and the last learning rate, and fairmot-nano.png.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from jsonargparse import auto_cli

from tracker.errors import InputError
from tracker.io.atomic import atomic_path

LOSSES = ("train/heatmap", "train/box_2d", "train/reid", "train/total")
RATE = "lr-AdamW"
ROWS = 100  # of the table at most


def plot_training(run: Path, output: Path) -> None:
    """Write the table and the picture.

    Args:
        run: Folder of a training.
        output: Path without suffix.
    """
    table = thin(read_metrics(run))
    with (
        atomic_path(output.with_suffix(".csv")) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", *LOSSES, "learning_rate"])
        writer.writerows([int(row[0]), *(f"{value:.4g}" for value in row[1:])] for row in table)
    with atomic_path(output.with_suffix(".png")) as temporary:
        _draw(table, output.name, temporary)


def read_metrics(run: Path) -> np.ndarray:
    """Return (N, 6) rows of step, losses and learning rate, by step; nan where a row of the log says nothing."""
    rows: dict[int, list[float]] = {}
    for path in sorted(run.rglob("metrics.csv"), key=lambda path: path.stat().st_mtime):
        with path.open(encoding="utf-8", newline="") as file:
            for entry in csv.DictReader(file):
                rate = next((value for name, value in entry.items() if name.startswith(RATE) and value), "")
                values = [float(text) if text else np.nan for text in [*(entry.get(x, "") for x in LOSSES), rate]]
                known = rows.setdefault(int(entry["step"]), [np.nan] * len(values))
                rows[int(entry["step"])] = [
                    old if np.isnan(new) else new for old, new in zip(known, values, strict=True)
                ]
    if not rows:
        raise InputError(f"there is no metrics.csv with losses below {run}; train with a CSVLogger")
    return np.array([[step, *values] for step, values in sorted(rows.items())])


def thin(table: np.ndarray) -> np.ndarray:
    """Return at most `ROWS` rows: the last step, the mean losses and the last rate of each stretch."""
    parts = np.array_split(table, min(ROWS, len(table)))
    return np.array([[part[-1, 0], *np.nanmean(part[:, 1:-1], axis=0), part[-1, -1]] for part in parts])


def _draw(table: np.ndarray, title: str, path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(LOSSES), figsize=(13, 3.2), sharex=True, layout="constrained")
    for column, (axis, name) in enumerate(zip(axes, LOSSES, strict=True), start=1):
        axis.plot(table[:, 0], table[:, column], color="#1f5fa8", linewidth=1.5)
        axis.set(title=name.removeprefix("train/"), xlabel="step")
        axis.grid(alpha=0.3)
    figure.suptitle(f"{title}: training losses")
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


if __name__ == "__main__":
    auto_cli(plot_training)
