from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from plot_training import plot_training, read_metrics, thin

from tracker.errors import InputError

HEAD = "epoch,lr-AdamW/pg1,step,train/box_2d,train/heatmap,train/reid,train/total\n"


def write_slices(run: Path) -> None:
    """A training and its resumption, as Lightning logs them: rates and losses in rows of their own."""
    for version, rows in enumerate(
        [",0.1,9,,,,\n0,,9,1.0,2.0,3.0,6.0\n", ",0.2,19,,,,\n1,,19,0.5,1.0,1.5,3.0\n1,,29,0.4,0.8,1.2,2.4\n"]
    ):
        folder = run / "csv" / f"version_{version}"
        folder.mkdir(parents=True)
        (folder / "metrics.csv").write_text(HEAD + rows)


def test_slices_are_joined_and_rows_of_a_step_merged(tmp_path: Path) -> None:
    write_slices(tmp_path)
    expected = [[9, 2.0, 1.0, 3.0, 6.0, 0.1], [19, 1.0, 0.5, 1.5, 3.0, 0.2], [29, 0.8, 0.4, 1.2, 2.4, np.nan]]
    np.testing.assert_allclose(read_metrics(tmp_path), expected)


def test_long_logs_become_means_of_stretches() -> None:
    steps = np.arange(1000.0)
    table = thin(np.column_stack([steps, steps, 2 * steps, steps, steps, steps]))
    assert table.shape == (100, 6)
    np.testing.assert_allclose(table[0], [9, 4.5, 9, 4.5, 4.5, 9])


def test_table_and_picture_are_written(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    write_slices(tmp_path / "run")
    plot_training(tmp_path / "run", tmp_path / "docs" / "nano")
    with (tmp_path / "docs" / "nano.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[:2] == [
        ["step", "train/heatmap", "train/box_2d", "train/reid", "train/total", "learning_rate"],
        ["9", "2", "1", "3", "6", "0.1"],
    ]
    assert (tmp_path / "docs" / "nano.png").read_bytes()[:4] == b"\x89PNG"


def test_a_folder_without_logs_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no metrics\.csv"):
        read_metrics(tmp_path)
