from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
SHARED_DATA = Path(os.environ.get("CENTERTRACK_SHARED_DATA", PROJECT.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real frames and labels, which is not part of the project."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real data is not there: {SHARED_DATA} (set CENTERTRACK_SHARED_DATA to its folder)")
    return SHARED_DATA
