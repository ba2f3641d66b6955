from __future__ import annotations

import pytest

from centertrack.bench.evaluation import EvaluationTiming
from centertrack.cli import main
from tests.centertrack.commands.test_cli import error_of


def test_trackers_are_timed(capsys):
    assert main(["bench", "trackers", "--only", "bytetrack,fairmot", "--crowds", "3,5"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[2] == ["library", "tracker", "uses", "3", "boxes", "5", "boxes"]
    assert [row[:3] for row in rows[4:]] == [["ours", "bytetrack", "boxes"], ["ours", "fairmot", "appearance"]]


def test_evaluation_is_timed(capsys, monkeypatch):
    timing = EvaluationTiming("like MOT17", 137_720, 91_027, 0.5, 120.4)
    monkeypatch.setattr("centertrack.bench.evaluation.bench_evaluation", lambda workers: [timing] * workers)
    assert main(["bench", "evaluate", "--workers", "2"]) == 0
    header, _, *rows = capsys.readouterr().out.splitlines()
    assert header.split() == ["set", "truth", "rows", "result", "rows", "seconds", "peak", "MB"]
    assert [row.split() for row in rows] == [["like", "MOT17", "137,720", "91,027", "0.50", "120"]] * 2


def test_a_network_is_timed_with_every_runtime(capsys, monkeypatch):
    monkeypatch.setattr("centertrack.bench.model.bench_model", lambda *arguments: repr(arguments))
    assert main(["bench", "model", "--weights", "some", "--image-size", "320x192", "--device", "cpu"]) == 0
    assert capsys.readouterr().out == "('some', (320, 192), 'cpu', False)\n"


def test_every_stage_of_the_pipeline_is_timed(clip, weights, capsys):
    options = ["--weights", str(weights), "--device", "cpu", "--runtime", "torch", "--max-frames", "6"]
    assert main(["bench", "pipeline", str(clip), *options]) == 0
    title, _, header, _, *rows = capsys.readouterr().out.splitlines()
    assert title == "still: 6 frames, network at 160x96, torch on cpu"
    assert header.split() == ["stage", "frames/s", "ms/frame"]
    assert [row.split()[0] for row in rows] == ["decode", "prepare", "network", "associate", "end"]
    assert all(float(row.split()[-2]) > 0 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trackers", "--only", "bitetrack"], "did you mean bytetrack"),
        (["model", "--weights", "none"], "no weights 'none'"),
        (["pipeline", "none.mp4", "--tracker", "fairmott"], "did you mean fairmot"),
        (["pipeline", "none.mp4", "--weights", "none"], "no weights 'none'"),
    ],
)
def test_what_cannot_be_measured(capsys, arguments, message):
    assert main(["bench", *arguments]) == 2
    assert message in error_of(capsys)


@pytest.mark.parametrize("arguments", [[], ["trackers", "--crowds", "20,many"], ["evaluate", "--workers", "0"]])
def test_what_the_parser_refuses(arguments):
    with pytest.raises(SystemExit) as end:
        main(["bench", *arguments])
    assert end.value.code == 2
