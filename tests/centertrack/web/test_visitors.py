from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from centertrack.web.offer import Limits
from centertrack.web.visitors import Visitors
from tracker.errors import InputError


@pytest.fixture
def uploads(tmp_path: Path, clip: Path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    shutil.copy(clip, folder / "street.mp4")
    return folder


def test_an_upload_moves_to_its_visitor_and_goes_with_the_next_one(tmp_path: Path, uploads: Path, clip: Path) -> None:
    visitor = Visitors(tmp_path).of("one")
    visitor.take_upload(uploads / "street.mp4", Limits())
    first = Path(visitor.source or "")
    assert first.is_relative_to(visitor.folder)
    assert list(uploads.iterdir()) == []
    assert visitor.sketch is not None
    shutil.copy(clip, uploads / "other.mp4")
    visitor.take_upload(uploads / "other.mp4", Limits())
    assert not first.exists()


def test_two_visitors_of_the_same_upload(tmp_path: Path, uploads: Path) -> None:
    visitors = Visitors(tmp_path)
    visitors.of("one").take_upload(uploads / "street.mp4", Limits())
    with pytest.raises(InputError, match="did not arrive; drop it again"):
        visitors.of("other").take_upload(uploads / "street.mp4", Limits())


def test_who_leaves_while_a_run_goes_on_is_deleted_at_its_end(tmp_path: Path) -> None:
    visitors = Visitors(tmp_path)
    visitor = visitors.of("one")
    with visitor.running() as folder:
        folder.mkdir()
        (folder / "rows.txt").write_text("1")
        with pytest.raises(InputError, match="tracking already"), visitor.running():
            pass
        visitors.leave("one")
        assert visitor.stop.is_set()
        assert (folder / "rows.txt").exists()
    assert list(tmp_path.iterdir()) == []


def test_results_go_when_the_next_run_begins(tmp_path: Path) -> None:
    visitor = Visitors(tmp_path).of("one")
    with visitor.running() as first:
        first.mkdir()
    assert first.exists()
    with visitor.running() as second:
        assert not first.exists()
        assert second != first


def test_what_is_too_large_is_refused_and_deleted(tmp_path: Path, uploads: Path) -> None:
    visitor = Visitors(tmp_path).of("one")
    with pytest.raises(InputError, match=r"street\.mp4 has .* MB, and at most 0\.001 MB are taken"):
        visitor.take_upload(uploads / "street.mp4", Limits(megabytes=0.001))
    assert visitor.source is None
    assert list(visitor.folder.iterdir()) == []
