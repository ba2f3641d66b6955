from __future__ import annotations

from pathlib import Path

import av
import pytest

from centertrack.cli import main
from centertrack.runtime.weights import DEFAULT_WEIGHTS, list_weights
from centertrack.synthetic import SceneConfig
from tracker.io.mot import read_ground_truth, read_results

SMALL = SceneConfig(size=(160, 96), seconds=0.4, frame_rate=25, people=5, seed=1)


def test_the_demo_writes_everything_and_prints_the_scores(tmp_path, monkeypatch, capsys, weights):
    monkeypatch.setattr("centertrack.app.demo.DEMO_SCENE", SMALL)
    folder = tmp_path / "new" / "demo"
    assert main(["demo", "--output", str(folder), "--weights", str(weights), "--device", "cpu"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "frames/s"]
    assert len(lines[1].split()) == 7
    named = [Path(line.split(": ")[1].strip()) for line in lines[4:]]
    assert len(named) == 5
    assert all(path.is_file() for path in named)
    for video in (folder / "street.mp4", folder / "street-tracked.mp4"):
        with av.open(str(video)) as container:
            stream = container.streams.video[0]
            assert (stream.codec.name, stream.width, stream.height) == ("h264", 160, 96)
            assert sum(1 for _ in container.decode(stream)) == 10
    assert read_ground_truth(folder / "gt" / "street" / "gt" / "gt.txt").frames.max() == 10
    assert read_results(folder / "results" / "street.txt").frames.max() == 10


def test_the_demo_is_the_same_every_time(tmp_path, monkeypatch, weights):
    monkeypatch.setattr("centertrack.app.demo.DEMO_SCENE", SMALL)
    for name in ("a", "b"):
        assert main(["demo", "--output", str(tmp_path / name), "--weights", str(weights), "--device", "cpu"]) == 0
    for file in ("street.mp4", "gt/street/gt/gt.txt", "results/street.txt", "scores.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_an_unwritable_folder_is_one_sentence(tmp_path, capsys, weights):
    (tmp_path / "file").touch()
    assert main(["demo", "--output", str(tmp_path / "file"), "--weights", str(weights), "--device", "cpu"]) == 2
    assert capsys.readouterr().err.startswith("error: cannot write")


@pytest.mark.slow
@pytest.mark.skipif(DEFAULT_WEIGHTS not in list_weights(), reason="the weights are not bundled")
def test_the_bundled_weights_track_the_demo(tmp_path, capsys):
    assert main(["demo", "--output", str(tmp_path)]) == 0
    header, values = (line.split() for line in capsys.readouterr().out.splitlines()[:2])
    assert float(dict(zip(header, values, strict=True))["MOTA"]) >= 80
