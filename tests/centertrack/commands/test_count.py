"""Counting as a user calls it: in files of tracks, and while tracking."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack.cli import main
from centertrack.runtime.weights import DEFAULT_WEIGHTS, list_weights
from centertrack.synthetic import DEMO_SCENE, SceneConfig, StreetScene
from tests.centertrack.commands.test_cli import count_frames, error_of
from tracker.io.video import VideoWriter, open_source

SIZE = (160, 96)
GATE = ["--line", "gate=80,0,80,96"]
YARD = ["--zone", "yard=60,20,120,20,120,90,60,90"]


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write_rows(path: str, frames: int = 41, classes: dict[int, int] | None = None) -> str:
    """Id 1 walks to the right by 4 pixels a frame, from x = 2; id 2 stands. Boxes are 10 x 40, feet at y = 60."""
    rows = []
    for frame in range(1, frames + 1):
        for identity, x in ((1, 2 + 4 * (frame - 1)), (2, 100)):
            number = (classes or {}).get(identity, -1)
            rows.append(f"{frame},{identity},{x - 5 + 1},{20 + 1},10,40,0.9,{number},-1,-1\n")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text("".join(rows))
    return path


@pytest.fixture
def rows() -> str:
    return write_rows("walk.txt")


@pytest.fixture
def slow_video() -> str:
    """41 grey frames, a second each."""
    with VideoWriter("walk.mp4", SIZE, 25) as writer:
        for number in range(41):
            writer.write(np.full((SIZE[1], SIZE[0], 3), 120, np.uint8), float(number))
    return "walk.mp4"


def events(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))


def test_crossings_visits_and_ids_of_a_file_of_rows(rows, capsys):
    assert main(["count", rows, "--frame-rate", "10", *GATE, *YARD]) == 0
    out = capsys.readouterr().out
    assert out.startswith("walk: 41 frames, 82 boxes\n  objects: 2 different\n  gate: 0 in, 1 out\n  yard: 1 entry, ")
    assert "  events: runs/walk-events.csv\n  counts: runs/walk-counts.json\n" in out
    found = events("runs/walk-events.csv")
    told = [
        (row["time"], row["frame"], row["id"], row["class"], row["what"], row["name"], row["direction"])
        for row in found
    ]
    assert told == [
        ("0.000", "1", "2", "object", "zone", "yard", "appeared"),
        ("1.450", "16", "1", "object", "zone", "yard", "entry"),
        ("1.950", "21", "1", "object", "line", "gate", "out"),
        ("2.950", "31", "1", "object", "zone", "yard", "exit"),
    ]
    counts = json.loads(Path("runs/walk-counts.json").read_text())
    assert counts["objects"] == {
        "different": 2, "low": 2, "high": 2, "lasting": 2, "brief": 0, "breaks": 0, "links": None,
    }  # fmt: skip
    assert counts["clock"] == "(frame - 1) / 10"
    gate, yard = counts["lines"]["gate"], counts["zones"]["yard"]
    assert (gate["in"], gate["out"], gate["by_class"]) == (0, 1, {"object": {"in": 0, "out": 1}})
    assert (yard["entry"], yard["exit"], yard["appeared"], yard["vanished"]) == (1, 1, 1, 0)
    # inside by frame: entered for certain at x = 66 (frame 17), left at x = 126 (frame 32)
    assert yard["occupancy"] == {"now": 1, "mean": pytest.approx(1 + 1.5 / 4.0), "max": 2}
    assert yard["dwell"] == {"whole_visits": 1, "mean": 1.5, "median": 1.5, "max": 1.5}
    assert [(one["id"], one["began"], one["ended"], one["seconds"]) for one in yard["visits"]] == [
        (2, "appeared", "open", 4.0),
        (1, "entry", "exit", 1.5),
    ]


def test_the_source_brings_true_times_size_and_pictures(rows, slow_video, capsys):
    line = ["--line", "gate=50%,0,50%,100%"]
    pictures = ["--heatmap", "h.png", "--trails", "t.png", "--plot", "p.png", "--video", "out.mp4", "--audit", "audit"]
    assert main(["count", rows, "--source", slow_video, *line, *YARD, *pictures, "--events", "e.csv"]) == 0
    assert [(row["time"], row["direction"]) for row in events("e.csv")][2] == ("19.500", "out")
    assert "  audit: 4 pictures in audit\n" in capsys.readouterr().out
    assert sorted(path.name for path in Path("audit").iterdir()) == [
        "0001-yard-appeared-id2.jpg",
        "0002-yard-entry-id1.jpg",
        "0003-gate-out-id1.jpg",
        "0004-yard-exit-id1.jpg",
    ]
    assert not Path("runs").exists()  # --events alone is asked for, not the counts
    assert cv2.imread("h.png").shape == (SIZE[1] + 60, SIZE[0], 3)
    assert cv2.imread("t.png").shape == (SIZE[1], SIZE[0], 3)
    assert cv2.imread("p.png").shape == (320, 960, 3)
    assert count_frames(Path("out.mp4")) == 41
    with open_source("out.mp4") as frames:
        image = list(frames)[30].image.astype(int)
    assert image[85, 90, 2] > image[85, 90, 0] + 25  # blue in the zone
    assert abs(image[80, 130] - 120).max() < 12  # grey beside it


def test_a_frame_rate_that_is_a_guess_is_said(rows, caplog):
    assert main(["count", rows, *GATE, "--counts", "c.json"]) == 0
    assert "walk.txt does not say how long a frame lasts; times are for 30 frames a second" in caplog.text
    assert json.loads(Path("c.json").read_text())["clock"] == "(frame - 1) / 30, a guess"


def test_a_folder_of_images_has_no_rate(rows, caplog):
    Path("frames").mkdir()
    for number in range(1, 42):
        cv2.imwrite(f"frames/{number}.png", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    asked = ["count", rows, "--source", "frames", *GATE, "--events", "e.csv", "--counts", "c.json"]
    assert main(asked) == 0
    assert "frames does not say how long a frame lasts; times are for 30 frames a second" in caplog.text
    assert json.loads(Path("c.json").read_text())["clock"] == "the frames of frames at 30 a second, a guess"
    assert main([*asked, "--frame-rate", "10"]) == 0
    assert events("e.csv")[0]["time"] == "1.950"
    assert json.loads(Path("c.json").read_text())["clock"] == "the frames of frames"


def test_a_file_with_seconds_and_classes_needs_nothing_else():
    lines = ["frame,seconds,id,class,class_number,x1,y1,x2,y2"]
    lines += [f"{n},{1.2 * n},7,dog,3,{4 * n},20,{4 * n + 10},60" for n in range(1, 31) if n != 18]
    Path("walk.csv").write_text("\n".join(lines))
    assert main(["count", "walk.csv", *GATE, "--events", "e.csv", "--counts", "c.json"]) == 0
    (event,) = events("e.csv")  # at x = 80 between frames 17 and 19
    assert (event["time"], event["class"], event["direction"]) == ("22.500", "dog", "out")
    counts = json.loads(Path("c.json").read_text())
    assert (counts["clock"], counts["frames"], counts["seconds"]) == ("the seconds of walk.csv", 30, 34.8)


def test_classes_are_counted_apart(capsys):
    write_rows("walk.txt", classes={1: 3, 2: 1})
    assert (
        main(["count", "walk.txt", "--frame-rate", "10", *GATE, *YARD, "--counts", "c.json", "--anchor", "centre"]) == 0
    )
    counts = json.loads(Path("c.json").read_text())
    assert counts["lines"]["gate"]["by_class"] == {"class 3": {"in": 0, "out": 1}}
    assert counts["zones"]["yard"]["by_class"] == {
        "class 1": {"entry": 0, "exit": 0, "appeared": 1, "vanished": 0},
        "class 3": {"entry": 1, "exit": 1, "appeared": 0, "vanished": 0},
    }


def test_places_come_from_a_file_as_well(rows, capsys):
    Path("places.yaml").write_text("lines: {gate: [50%, 0, 50%, 96]}\nzones:\n  yard: 60,20,120,20,120,90,60,90\n")
    again = ["--line", "far=140,0,140,96"]
    assert main(["count", rows, "--frame-rate", "10", "--image-size", "160x96", "--places", "places.yaml", *again]) == 0
    assert {row["name"] for row in events("runs/walk-events.csv")} == {"gate", "yard", "far"}


def test_a_sequence_folder_gives_the_true_numbers(capsys):
    write_rows("SEQ/gt/gt.txt")
    truth = Path("SEQ/gt/gt.txt")
    flagged = "".join(f"{frame},3,{140 - 4 * frame},21,10,40,0,1,1\n" for frame in range(1, 31))
    truth.write_text(truth.read_text().replace(",0.9,-1,-1,-1", ",1,1,1") + flagged)
    Path("SEQ/seqinfo.ini").write_text("[Sequence]\nname=SEQ\nframeRate=10\nseqLength=50\nimWidth=160\nimHeight=96\n")
    assert main(["count", "SEQ", "--line", "gate=50%,0,50%,100%"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("SEQ: 50 frames, 82 boxes\n  objects: 2 different\n  gate: 0 in, 1 out")  # flag 0 is left out
    assert events("runs/SEQ-events.csv")[0]["time"] == "1.950"


def test_a_folder_of_results_is_counted_file_by_file(capsys):
    for name in ("A", "B"):
        write_rows(f"results/{name}.txt")
    assert main(["count", "results", "--frame-rate", "10", *GATE, "--counts", "out/"]) == 0
    assert sorted(path.name for path in Path("out").iterdir()) == ["A-counts.json", "B-counts.json"]
    assert main(["count", "results", "--frame-rate", "10", *GATE, "--counts", "one.json"]) == 2
    assert "2 sources need a folder for --counts" in error_of(capsys)


def test_a_second_run_replaces_nothing_under_runs(rows):
    for _ in range(2):
        assert main(["count", rows, "--frame-rate", "10", *GATE, "--video", "v.mp4"]) == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == [
        "walk-2-counts.json", "walk-2-events.csv", "walk-counts.json", "walk-events.csv",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--line", "gate=80,0,80"], "--line gate: expected x1,y1,x2,y2, got 3 numbers"),
        (["--line", "gate=50%,0,50%,100%"], "--line gate: a share of the image (%) needs the size"),
        ([*GATE, *GATE], "two lines or zones are called gate"),
        (["--places", "none.yaml"], "cannot read none.yaml"),
        (["--events", "e.csv"], "--events is about lines and zones; give --line, --zone or --places"),
        (["--audit", "a"], "--audit is about lines and zones"),
        ([*GATE, "--audit", "."], "--audit .: expected a new or empty folder"),
        ([*GATE, "--events", "e.json"], "--events e.json: expected a file name ending in .csv"),
        ([*GATE, "--counts", "walk.txt"], "--counts walk.txt: expected a file name ending in .json"),
        (["--heatmap", "h.jpg"], "--heatmap h.jpg: expected a file name ending in .png"),
        ([*GATE, "--source", "walk.mp4", "--image-size", "9x9"], "--source brings the size of its images"),
        (["--frame-rate", "0"], "expected frames a second, got '0'"),
        (["--image-size", "160x96", "--line", "g=200,0,200,50"], "--line g: the line lies outside of the image"),
    ],
)
def test_mistakes_are_one_sentence(rows, capsys, arguments, says):
    try:
        code = main(["count", rows, "--frame-rate", "10", *arguments])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert says in error_of(capsys)
    assert not Path("runs").exists() or not any(Path("runs").iterdir())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("1,-1,5,5,10,40,0.9,-1,-1,-1\n", "tracks.txt:1: expected tracks, this box has no id"),
        ("1,4,5,5,10,40,1\n1,4,5,5,10,40,1\n", "tracks.txt:2: id 4 occurs twice in frame 1"),
        ("1,4,5,5,10\n", "expected at least 6 columns"),
    ],
)
def test_rows_that_are_no_tracks(content, says, capsys):
    Path("tracks.txt").write_text(content)
    assert main(["count", "tracks.txt", "--frame-rate", "10", *GATE]) == 2
    assert says in error_of(capsys)


def test_tracks_of_another_video_are_refused_and_what_was_counted_is_kept(slow_video, capsys):
    write_rows("long.txt", frames=60)
    Path("e.csv").write_text("earlier\n")
    assert main(["count", "long.txt", "--source", slow_video, *GATE, "--events", "e.csv"]) == 2
    err = capsys.readouterr().err
    assert "error: long.txt:83: frame 42 is not in walk, which ends with frame 41; is it the right source?" in err
    assert Path("e.csv").read_text() == "earlier\n"
    assert len(events("e.partial.csv")) == 1


def test_a_source_is_not_overwritten(rows, slow_video, capsys):
    assert main(["count", rows, "--source", slow_video, *GATE, "--video", slow_video]) == 2
    assert "walk.mp4 is a source and would be overwritten" in error_of(capsys)


# While tracking


@pytest.fixture
def network(weights: Path) -> list[str]:
    return ["--weights", str(weights), "--device", "cpu", "--min-score", "0.3"]


def test_tracking_counts_on_the_way(clip, network, capsys):
    zone = ["--zone", "all=0,0,100%,0,100%,100%,0,100%"]
    assert main(["track", str(clip), *network, *zone, "--anchor", "centre"]) == 0
    out = capsys.readouterr().out
    assert "\n  people: " in out
    assert "\n  all: 0 entries, 0 exits, " in out
    for kind, name in (("results", "still.txt"), ("events", "still-events.csv"), ("counts", "still-counts.json")):
        assert f"  {kind}: runs/{name}\n" in out
    counts = json.loads(Path("runs/still-counts.json").read_text())
    appeared = [row for row in events("runs/still-events.csv") if row["direction"] == "appeared"]
    assert counts["zones"]["all"]["appeared"] == len(appeared) > 3
    assert {row["class"] for row in appeared} == {"person"}
    assert counts["source"] == "still"
    assert counts["frames"] == 12
    assert counts["people"]["brief"] > 3  # the clip lasts for half a second


def test_without_lines_nothing_is_written_that_was_not_before(clip, network, capsys):
    assert main(["track", str(clip), *network]) == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == ["still.mp4", "still.txt"]
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0].strip() for line in lines] == ["still", "people", "results", "video"]


def test_a_picture_alone_may_be_asked_for(clip, network):
    assert main(["track", str(clip), *network, "--heatmap", "heat/"]) == 0
    assert Path("heat/still-heatmap.png").is_file()
    assert not Path("runs").exists()


def test_lines_are_drawn_in_the_video_of_a_track(clip, network):
    for name, places in (("with", ["--line", "g=0,90,160,90"]), ("without", [])):
        assert main(["track", str(clip), *network, *places, "--video", f"{name}.mp4"]) == 0
    images = []
    for name in ("with", "without"):
        with open_source(f"{name}.mp4") as frames:
            images.append(next(iter(frames)).image.astype(int))
    difference = abs(images[0] - images[1]).sum(axis=2)
    assert difference[88:92].mean() > 60
    assert difference[:60].mean() < 3


def test_a_line_outside_of_one_source_leaves_the_others_alone(clip, tmp_path, network, capsys):
    with VideoWriter("large.mp4", (640, 360), 25) as writer:
        writer.write(np.zeros((360, 640, 3), np.uint8))
    assert main(["track", str(clip), "large.mp4", *network, "--line", "g=300,0,300,300", "--results", "r/"]) == 2
    assert "--line g: the line lies outside of the image of 160 x 96 pixels" in capsys.readouterr().err
    assert [path.name for path in Path("r").iterdir()] == ["large.txt"]


def test_links_are_considered_where_they_are_asked_for(clip, network):
    for steps in ([], ["--postprocess", "link"]):
        assert main(["track", str(clip), *network, *steps, "--counts", "c.json"]) == 0
        links = json.loads(Path("c.json").read_text())["people"]["links"]
        assert (links is None) == (not steps)


@pytest.mark.slow
@pytest.mark.skipif(DEFAULT_WEIGHTS not in list_weights(), reason="the weights are not bundled")
def test_the_bundled_weights_count_the_drawn_street(capsys):
    config = {name: getattr(DEMO_SCENE, name) for name in DEMO_SCENE.__dataclass_fields__}
    scene = StreetScene(SceneConfig(**{**config, "pan": 0.0}))
    with VideoWriter("street.mp4", scene.config.size, 25) as writer:
        for shot in scene:
            writer.write(shot.frame.image, shot.frame.time)
    scene.write_mot("gt")
    line = ["--line", "gate=50%,40%,50%,110%"]
    assert main(["track", "street.mp4", *line, "--counts", "found.json"]) == 0
    assert main(["count", "gt", *line, "--counts", "true.json"]) == 0
    found, true = (json.loads(Path(name).read_text())["lines"]["gate"] for name in ("found.json", "true.json"))
    assert (true["in"], true["out"]) == (found["in"], found["out"]) == (2, 4)
