"""Small hand-made sequences: lists of (frame, id, left, top, width, height) written as MOTChallenge files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

Box = tuple[float, ...]


def write_ground_truth(path: Path, boxes: Iterable[Box]) -> None:
    """Rows of six numbers become pedestrians that count; rows of eight bring their own flag and class."""
    rows = [(*box, 1, 1) if len(box) == 6 else box for box in boxes]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, row)) + ",1\n" for row in rows))


def write_results(path: Path, boxes: Iterable[Box]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(map(str, box)) + ",1,-1,-1,-1\n" for box in boxes))


@pytest.fixture
def benchmark_folder(tmp_path) -> Callable[..., tuple[Path, Path]]:
    """Write {name: (length, ground truth, results)} as MOT17 writes it; returns the two folders."""

    def write(sequences: dict[str, tuple[int, Sequence[Box], Sequence[Box]]]) -> tuple[Path, Path]:
        for name, (length, ground_truth, results) in sequences.items():
            folder = tmp_path / "gt" / name
            write_ground_truth(folder / "gt" / "gt.txt", ground_truth)
            (folder / "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nseqLength={length}\n")
            write_results(tmp_path / "results" / f"{name}.txt", results)
        return tmp_path / "gt", tmp_path / "results"

    return write
