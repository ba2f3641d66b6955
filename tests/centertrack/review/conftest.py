from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from centertrack.review.media import open_media
from centertrack.review.server import ReviewServer
from centertrack.review.session import ReviewSession
from tracker.editing.edit_list import edits_beside
from tracker.io.video import VideoWriter

FRAMES, SIZE = 40, (320, 180)


def rows_text() -> str:
    """Two people who cross, one whose track ends and goes on under another id, and a short one."""
    rows = []
    for frame in range(1, FRAMES + 1):
        rows.append((frame, 1, 20 + 5 * frame, 60))
        rows.append((frame, 2, 250 - 5 * frame, 64))
        if not 18 <= frame <= 21:
            rows.append((frame, 3 if frame < 18 else 4, 40 + 2 * frame, 120))
    return "".join(f"{frame},{one},{left}.00,{top}.00,20.00,48.00,0.9000,-1,-1,-1\n" for frame, one, left, top in rows)


def write_clip(path: Path) -> Path:
    """A video whose frames tell their number by their brightness: frame n is 5 n bright."""
    with VideoWriter(path, SIZE, 25.0) as writer:
        for number in range(1, FRAMES + 1):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 5 * number, np.uint8))
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "street.txt"
    path.write_text(rows_text())
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "street.mp4")


@pytest.fixture
def session(clip: Path, results: Path) -> ReviewSession:
    return ReviewSession(open_media(clip), results, edits_beside(results))


@contextmanager
def serving(session: ReviewSession) -> Iterator[ReviewServer]:
    """A server that answers until the block ends."""
    with ReviewServer(session) as running:
        thread = Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def server(session: ReviewSession) -> Iterator[ReviewServer]:
    with serving(session) as running:
        yield running
