"""What is reviewed belongs together, or is refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack.review.media import copy_beside, open_media
from centertrack.review.session import ReviewSession
from tests.centertrack.review.conftest import FRAMES, SIZE, write_clip
from tracker.editing.edit_list import edits_beside
from tracker.errors import InputError
from tracker.io.frame_times import frame_times
from tracker.io.video import open_source


def session_of(clip: Path, results: Path) -> ReviewSession:
    return ReviewSession(open_media(clip), results, edits_beside(results))


def test_more_frames_than_the_video(clip: Path, results: Path) -> None:
    with results.open("a") as file:
        file.write(f"{FRAMES + 1},1,20,20,20,48,0.9,-1,-1,-1\n")
    with pytest.raises(InputError, match=f"has boxes up to frame {FRAMES + 1}, street ends with frame {FRAMES}"):
        session_of(clip, results)


def test_boxes_beyond_the_picture(clip: Path, results: Path) -> None:
    results.write_text("".join(f"{frame},1,{400 + frame},20,20,48,0.9,-1,-1,-1\n" for frame in range(1, 30)))
    with pytest.raises(InputError, match=r"has boxes up to \(449, 68\), street is 320x180: they do not belong"):
        session_of(clip, results)


def test_boxes_of_a_smaller_copy_are_told(clip: Path, results: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = [f"{frame},{one},{10 * one},20,20,48,0.9,-1,-1,-1\n" for frame in range(1, 30) for one in range(1, 6)]
    results.write_text("".join(rows))
    session_of(clip, results)
    assert "are they of a smaller copy?" in caplog.text


def test_an_id_that_is_twice_in_a_frame(clip: Path, results: Path) -> None:
    with results.open("a") as file:
        file.write("40,1,20,20,20,48,0.9,-1,-1,-1\n")
    with pytest.raises(InputError, match=r"street\.txt:\d+: id 1 is twice in frame 40; run centertrack validate"):
        session_of(clip, results)


def test_a_video_that_browsers_do_not_play(tmp_path: Path, results: Path) -> None:
    old = tmp_path / "old.avi"
    writer = cv2.VideoWriter(str(old), cv2.VideoWriter_fourcc(*"MJPG"), 25, SIZE)
    for number in range(1, FRAMES + 1):
        writer.write(np.full((SIZE[1], SIZE[0], 3), 5 * number, np.uint8))
    writer.release()
    with pytest.raises(InputError, match=r"old\.avi: browsers do not play \.avi files; add --reencode"):
        open_media(old)
    media = open_media(old, copy_beside(results))
    assert media.video == results.with_suffix(".review.mp4")
    assert media.numbers.tolist() == list(range(1, FRAMES + 1))
    with open_source(media.video) as frames:
        brightness = np.array([frame.image.mean() for frame in frames])
    assert len(brightness) == FRAMES
    assert np.abs(np.diff(brightness) - 5).max() < 2.5  # each frame once, in order


def test_images_have_the_numbers_of_their_names(tmp_path: Path) -> None:
    for number in (3, 4, 7):
        cv2.imwrite(str(tmp_path / f"{number:06d}.jpg"), np.zeros((20, 30, 3), np.uint8))
    media = open_media(tmp_path)
    assert (media.numbers.tolist(), media.size, media.video) == ([3, 4, 7], (30, 20), None)
    assert media.images[7].name == "000007.jpg"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov"])
def test_times_without_decoding_are_those_of_the_source(suffix: str, tmp_path: Path) -> None:
    path = write_clip(tmp_path / f"street{suffix}")
    numbers, times = frame_times(path)
    with open_source(path) as frames:
        expected = [(frame.number, frame.time) for frame in frames]
    assert numbers.tolist() == [number for number, _ in expected]
    assert np.allclose(times, [time for _, time in expected], atol=2e-3)


def test_what_is_no_video_has_no_times(tmp_path: Path) -> None:
    path = tmp_path / "street.mp4"
    path.write_text("no video")
    with pytest.raises(InputError, match="cannot be read as a video"):
        frame_times(path)
