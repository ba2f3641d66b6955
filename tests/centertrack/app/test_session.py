from __future__ import annotations

import gc
from pathlib import Path

import numpy as np
import pytest

import centertrack
from centertrack import Predictor, detect, track
from centertrack.cli import main
from tests.centertrack.conftest import small_network
from tracker import make_tracker
from tracker.errors import InputError
from tracker.io.mot import read_results
from tracker.io.video import open_source


@pytest.fixture
def options(weights) -> dict[str, object]:
    return {"weights": weights, "device": "cpu"}


def test_a_video_is_an_iterable_of_frames_with_tracks(clip, options, tmp_path):
    session = track(clip, **options, results=tmp_path / "rows.txt", video=tmp_path / "out.mp4")
    frames = list(session)
    assert [frame.number for frame in frames] == list(range(1, 13))
    assert frames[0].image.shape == (96, 160, 3)
    assert frames[3].time == pytest.approx(3 / 25, abs=1e-3)
    rows = read_results(tmp_path / "rows.txt")
    assert [rows.ids[rows.frames == frame.number].tolist() for frame in frames] == [
        frame.tracks.ids.tolist() for frame in frames
    ]
    assert sum(1 for _ in open_source(tmp_path / "out.mp4")) == 12
    assert session.is_complete
    assert session.report.frames == 12
    with pytest.raises(RuntimeError, match="runs once"):
        session.run()


def test_the_front_door_and_the_command_write_the_same(clip, weights, options, tmp_path):
    track(clip, **options, results=tmp_path / "door.txt").run()
    command = ["track", str(clip), "--weights", str(weights), "--device", "cpu", "--results", str(tmp_path / "cli.txt")]
    assert main(command) == 0
    assert (tmp_path / "door.txt").read_bytes() == (tmp_path / "cli.txt").read_bytes()


def test_detections_without_ids(clip, options, tmp_path):
    seen = []
    report = detect(clip, **options, min_score=0.5, results=f"{tmp_path}/", on_frame=seen.append, max_frames=3).run()
    assert (report.frames, report.ids, len(seen)) == (3, None, 3)
    assert all(frame.tracks is None and (frame.detections.scores >= 0.5).all() for frame in seen)
    assert [path.name for path in tmp_path.iterdir()] == ["still.json"]


def test_who_has_seen_enough_keeps_the_outputs(clip, options, tmp_path):
    for frame in track(clip, **options, results=tmp_path / "rows.txt"):
        if frame.number == 5:
            break
    gc.collect()
    assert read_results(tmp_path / "rows.txt").frames.max() >= 5
    assert [path.name for path in tmp_path.iterdir()] == ["rows.txt"]


def test_a_mistake_of_the_caller_leaves_the_earlier_result(clip, options, tmp_path):
    (tmp_path / "rows.txt").write_text("an earlier result")

    def fail(frame: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        track(clip, **options, results=tmp_path / "rows.txt", on_frame=fail).run()
    assert (tmp_path / "rows.txt").read_text() == "an earlier result"


def test_a_network_a_predictor_and_a_tracker_of_ones_own(image_folder):
    predictor = Predictor(small_network(), device="cpu", runtime="torch", min_score=0.2)
    frames = list(track(image_folder, predictor, make_tracker("bytetrack", min_hits=1)))
    assert len(frames) == 6
    np.testing.assert_array_equal(frames[0].tracks.ids, frames[5].tracks.ids)


def test_a_session_that_never_ran_says_so(clip, options):
    session = track(clip, **options)
    with pytest.warns(UserWarning, match="still was opened and not processed"):
        del session
        gc.collect()


def test_an_output_never_replaces_the_source(clip, options, tmp_path):
    video = tmp_path / "street.mp4"
    video.write_bytes(clip.read_bytes())
    with pytest.raises(InputError, match=r"expected a file name ending in \.txt, \.csv"):
        track(video, **options, results=video)
    with pytest.raises(InputError, match="is a source and would be overwritten"):
        track(video, **options, video=video).run()
    assert video.read_bytes() == clip.read_bytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": 3}, "Predictor has no option 'colour'"),
        ({"max_frames": -1}, "max_frames must be a whole number from 1, got -1"),
        ({"max_frames": 2.5}, "max_frames must be"),
        ({"source": 7.5}, "a source is a file, .* got 7.5"),
        ({"source": None}, "got None"),
        ({"tracker": 3}, "a tracker is a name or a Tracker, got 3"),
        ({"tracker_options": {"min_scor": 1}}, "min_score"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(clip, options, change, message):
    with pytest.raises(InputError, match=message):
        track(**{"source": clip, **options, **change})


def test_options_of_a_predictor_that_is_given_already(clip, weights, caplog):
    predictor = Predictor(weights, device="cpu", min_score=0.2)
    with pytest.raises(InputError, match="belong to the Predictor"):
        track(clip, predictor, min_score=0.3)
    with pytest.raises(InputError, match="belongs to the Predictor"):
        detect(clip, predictor, min_score=0.3)
    track(clip, predictor, "bytetrack", max_frames=1).run()
    assert "leaves out scores below 0.2, and the tracker takes those from 0.1" in caplog.text


def test_the_door_imports_nothing_heavy(tmp_path: Path):
    import subprocess
    import sys

    program = (
        "import sys, centertrack\n"
        "heavy = {'torch', 'cv2', 'openvino', 'pytorch_lightning'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "from centertrack import Predictor, track\n"
        "assert 'torch' not in sys.modules and 'pytorch_lightning' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
    assert {"track", "detect", "Predictor", "CenterNet", "load_published", "build_centernet"} <= set(dir(centertrack))
