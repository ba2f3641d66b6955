from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest

from centertrack.cli import COMMANDS, main
from centertrack.commands.shared.options import score_changes
from centertrack.models import save_weights
from centertrack.version import __version__
from tests.centertrack.conftest import small_network
from tracker.io.mot import read_results
from tracker.io.video import VideoWriter

HEAVY = ("numpy", "torch", "cv2", "av", "scipy", "openvino", "tqdm", "pytorch_lightning", "jsonargparse")


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def network(weights: Path) -> list[str]:
    """The options that make commands use the small network on the CPU."""
    return ["--weights", str(weights), "--device", "cpu"]


def count_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def error_of(capsys: pytest.CaptureFixture[str]) -> str:
    """Standard error, which must be one line without a traceback."""
    error = capsys.readouterr().err
    assert error.count("\n") == 1, error
    assert error.startswith("error: ")
    return error


def write_torn_video(path: Path, frames: int = 12) -> None:
    """Write a video of which the last third is missing; its index, which promises all frames, comes first."""
    noise = np.random.default_rng(0).integers(0, 255, (frames, 96, 160, 3), dtype=np.uint8)
    with VideoWriter(path, (160, 96), 25) as writer:
        for image in noise:  # equally hard to compress, so that the bytes are spread over the frames
            writer.write(image)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


# Help and version


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS if name != "train")]
)
def test_help_and_version_import_nothing_heavy(arguments):
    program = (
        "import sys\n"
        "from centertrack.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0, end.code\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert __version__ in done.stdout or "usage: centertrack" in done.stdout


def test_every_command_explains_itself(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert all(f"    {name} " in text or f"    {name}\n" in text for name in COMMANDS)


def test_python_m_centertrack():
    done = subprocess.run(
        [sys.executable, "-m", "centertrack", "--version"], capture_output=True, text=True, timeout=60
    )
    assert done.stdout == f"centertrack {__version__}\n"


def test_train_hands_its_arguments_on(monkeypatch):
    given = []
    monkeypatch.setattr("centertrack.training.cli.main", lambda arguments: given.extend(arguments))
    assert main(["train", "fit", "--help"]) == 0
    assert given == ["fit", "--help"]


def test_models_lists_what_is_bundled(capsys, monkeypatch, weights):
    monkeypatch.setattr("centertrack.runtime.weights.WEIGHTS_FOLDER", weights.parent)
    assert main(["models"]) == 0
    assert capsys.readouterr().out.startswith("small  tracking, input 160x96, ")


# Track


def test_track_writes_rows_and_video_under_runs_and_says_so(clip, network, capsys):
    assert main(["track", str(clip), *network]) == 0
    out = capsys.readouterr().out
    assert out.startswith("still: 12 frames, ")
    assert " ids, " in out
    assert all(f"{stage} " in out for stage in ("decode", "prepare", "network", "associate", "write"))
    assert "  results: runs/still.txt\n" in out
    assert "  video: runs/still.mp4\n" in out
    rows = read_results("runs/still.txt")
    assert len(np.unique(rows.ids)) > 3
    assert rows.frames.max() == 12
    assert len(Path("runs/still.txt").read_text(encoding="ascii").splitlines()[0].split(",")) == 10
    assert count_frames(Path("runs/still.mp4")) == 12


def test_track_again_keeps_the_first_results(clip, network):
    for _ in range(2):
        assert main(["track", str(clip), *network, "--quiet"]) == 0
    assert sorted(path.name for path in Path("runs").iterdir()) == [
        "still-2.mp4", "still-2.txt", "still.mp4", "still.txt",
    ]  # fmt: skip


def test_track_makes_missing_folders_and_writes_only_what_is_asked_for(clip, network, capsys):
    assert main(["track", str(clip), *network, "--results", "new/deep/rows.txt", "--quiet"]) == 0
    assert Path("new/deep/rows.txt").stat().st_size > 0
    assert not Path("runs").exists()
    assert capsys.readouterr().out == ""


def test_several_sources_of_one_name_get_a_file_each(clip, network, tmp_path):
    twin = tmp_path / "elsewhere" / clip.name
    twin.parent.mkdir()
    twin.write_bytes(clip.read_bytes())
    assert main(["track", str(clip), str(twin), *network, "--results", "rows"]) == 0
    assert sorted(path.name for path in Path("rows").iterdir()) == ["still-2.txt", "still.txt"]
    assert Path("rows/still.txt").read_bytes() == Path("rows/still-2.txt").read_bytes()


@pytest.mark.parametrize("form", ["{0}", "{0}/*.png"])
def test_track_images(image_folder, network, form):
    assert main(["track", form.format(image_folder), *network, "--results", "rows.txt"]) == 0
    assert read_results("rows.txt").frames.max() == 6


def test_track_a_mot_sequence(image_folder, network, tmp_path):
    sequence = tmp_path / "SEQ-01"
    sequence.mkdir()
    image_folder.rename(sequence / "img1")
    (sequence / "seqinfo.ini").write_text("[Sequence]\nname=SEQ-01\nframeRate=5\nseqLength=6\nimExt=.png\n")
    assert main(["track", str(sequence), *network, "--results", "res/"]) == 0
    assert read_results("res/SEQ-01.txt").frames.max() == 6


def test_tracker_options_and_frames_are_obeyed(clip, network):
    options = ["--tracker", "bytetrack", "--option", "max_lost_seconds=2", "--min-score", "0.6", "--max-frames", "5"]
    assert main(["track", str(clip), *network, "--results", "rows.txt", *options]) == 0
    rows = read_results("rows.txt")
    assert rows.frames.max() == 5


@pytest.mark.parametrize(
    ("options", "lowest"),
    [
        (["--min-score", "0"], 0.0),
        (["--min-score", "0.02", "--tracker", "bytetrack"], 0.02),
        (["--tracker", "bytetrack", "--option", "min_low_score=0.05"], 0.05),
        (["--option", "min_new_score=0.03"], 0.03),
        ([], 0.1),
    ],
)
def test_low_thresholds_reach_the_predictor(clip, network, monkeypatch, options, lowest):
    from centertrack import predictor

    given = []
    start = predictor.Predictor.__init__

    def remember(self: predictor.Predictor, *arguments: object, **keywords: object) -> None:
        given.append(keywords["min_score"])
        start(self, *arguments, **keywords)

    monkeypatch.setattr(predictor.Predictor, "__init__", remember)
    assert main(["track", str(clip), *network, "--results", "rows.txt", "--max-frames", "1", *options]) == 0
    assert given == [lowest]


def test_min_score_lowers_the_threshold_of_new_tracks_unless_given():
    assert score_changes("bytetrack", {}, 0.0) == {"min_score": 0, "min_low_score": 0, "min_new_score": 0}
    assert score_changes("bytetrack", {}, 0.8) == {"min_score": 0.8}
    assert score_changes("bytetrack", {"min_new_score": 0.7}, 0.3) == {"min_score": 0.3}
    assert score_changes("fairmot", {}, 0.1) == {"min_score": 0.1}
    assert score_changes("fairmot", {"min_score": 0.5}, 0.1) == {}


def test_no_ids_although_there_are_detections(clip, network, capsys):
    assert main(["track", str(clip), *network, "--results", "rows.txt", "--min-score", "1"]) == 0
    line = capsys.readouterr().out.splitlines()[0]
    assert re.match(r"still: 12 frames, 0 ids from \d+ detections, the best of which scores 0\.\d+ while", line)
    assert "tracks start from 1: lower --min-score, " in line


def test_results_are_the_same_every_time(clip, network):
    for name in ("a.txt", "b.txt"):
        assert main(["track", str(clip), *network, "--results", name]) == 0
    assert Path("a.txt").read_bytes() == Path("b.txt").read_bytes()


def test_ctrl_c_keeps_what_was_tracked(clip, network, monkeypatch, capsys):
    from centertrack.app.pipeline import Pipeline

    count = Pipeline._count

    def interrupt(self: Pipeline, result: object) -> None:
        count(self, result)
        if self.report.frames == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Pipeline, "_count", interrupt)
    assert main(["track", str(clip), *network]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert sorted(path.name for path in Path("runs").iterdir()) == ["still.partial.mp4", "still.partial.txt"]
    assert read_results("runs/still.partial.txt").frames.max() >= 4
    assert count_frames(Path("runs/still.partial.mp4")) >= 4


def test_sigterm_keeps_what_was_tracked(weights, picture, tmp_path):
    long = tmp_path / "long.mp4"
    with VideoWriter(long, (160, 96), 25) as writer:
        for _ in range(200):
            writer.write(picture)
    program = (  # stops itself at the fourth frame, twice as `timeout` does
        "import os, signal, sys\n"
        "from centertrack.cli import main\n"
        "from centertrack.app.pipeline import Pipeline\n"
        "count = Pipeline._count\n"
        "def stop(self, result):\n"
        "    count(self, result)\n"
        "    if self.report.frames == 4:\n"
        "        try:\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "        finally:\n"
        "            os.kill(os.getpid(), signal.SIGTERM)\n"
        "Pipeline._count = stop\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    arguments = ["track", str(long), "--weights", str(weights), "--device", "cpu"]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120, cwd=tmp_path
    )
    assert done.returncode == 143, done.stderr
    assert done.stderr.endswith("interrupted; what was done until then is kept\n")
    assert "Traceback" not in done.stderr
    assert "runs/long.txt is not complete; what was written is in " in done.stderr
    rows = read_results(tmp_path / "runs/long.partial.txt").frames
    assert 4 <= rows.max() < 200
    assert count_frames(tmp_path / "runs/long.partial.mp4") == rows.max()


# Detect


def test_detect_writes_coco(image_folder, network, capsys):
    assert main(["detect", str(image_folder), *network, "--results", "found.json", "--min-score", "0.5"]) == 0
    assert " detections, " in capsys.readouterr().out
    content = json.loads(Path("found.json").read_text(encoding="utf-8"))
    assert [image["file_name"] for image in content["images"]] == [f"{n}.png" for n in range(1, 7)]
    assert content["images"][0] == {"id": 1, "file_name": "1.png", "width": 160, "height": 96}
    assert content["categories"] == [{"id": 1, "name": "person"}]
    assert {row["image_id"] for row in content["annotations"]} == {1, 2, 3, 4, 5, 6}
    row = content["annotations"][0]
    assert row["score"] >= 0.5
    assert row["category_id"] == 1
    assert row["area"] == pytest.approx(row["bbox"][2] * row["bbox"][3], abs=1.0)
    assert [row["id"] for row in content["annotations"]] == list(range(1, len(content["annotations"]) + 1))


def test_detect_tells_equal_names_in_several_folders_apart(image_folder, network):
    for name in ("a", "b"):
        folder = Path("set", name, "img1")
        folder.mkdir(parents=True)
        (folder / "1.png").write_bytes((image_folder / "1.png").read_bytes())
    assert main(["detect", "set/*/img1/*.png", *network, "--results", "found.json"]) == 0
    content = json.loads(Path("found.json").read_text(encoding="utf-8"))
    assert [image["file_name"] for image in content["images"]] == ["a/img1/1.png", "b/img1/1.png"]


def test_detect_writes_both_by_default(clip, network):
    assert main(["detect", str(clip), *network]) == 0
    content = json.loads(Path("runs/still.json").read_text(encoding="utf-8"))
    assert content["images"][11]["file_name"] == "still/000012"
    assert count_frames(Path("runs/still.mp4")) == 12


# Evaluate


@pytest.fixture
def ground_truth(tmp_path: Path) -> Path:
    """One person that walks for 10 frames."""
    folder = tmp_path / "gt" / "SEQ-01" / "gt"
    folder.mkdir(parents=True)
    (folder / "gt.txt").write_text("".join(f"{n},1,{10 + n},20,30,60,1,1,1\n" for n in range(1, 11)))
    (folder.parent / "seqinfo.ini").write_text("[Sequence]\nname=SEQ-01\nframeRate=25\nseqLength=10\n")
    return tmp_path / "gt"


def test_evaluate_prints_a_table_and_writes_fractions(ground_truth, tmp_path, capsys):
    results = tmp_path / "res"
    results.mkdir()
    (results / "SEQ-01.txt").write_text("".join(f"{n},7,{10 + n},20,30,60,1,-1,-1,-1\n" for n in range(1, 10)))
    assert main(["evaluate", "--gt", str(ground_truth), "--results", str(results), "--json", "out/scores.json"]) == 0
    out = capsys.readouterr().out
    assert "HOTA" in out
    assert "SEQ-01" in out
    assert "90.00" in out
    content = json.loads(Path("out/scores.json").read_text(encoding="utf-8"))
    assert content["combined"]["MOTA"] == pytest.approx(0.9)


def test_evaluate_names_file_line_and_row_of_a_bad_row(ground_truth, tmp_path, capsys):
    (tmp_path / "SEQ-01.txt").write_text("1,7,11,20,30,60,1,-1,-1,-1\n2,seven,12,20,30,60,1,-1,-1,-1\n")
    assert main(["evaluate", "--gt", str(ground_truth), "--results", str(tmp_path / "SEQ-01.txt")]) == 2
    error = error_of(capsys)
    assert "SEQ-01.txt:2" in error
    assert "2,seven,12" in error


# Bad input


def test_a_missing_video(network, capsys):
    assert main(["track", "no.mp4", *network]) == 2
    assert "no.mp4: no such file" in error_of(capsys)
    assert not Path("runs").exists()


@pytest.mark.parametrize("content", [b"", b"this is no video " * 50])
def test_an_unreadable_video(network, capsys, content):
    Path("bad.mp4").write_bytes(content)
    assert main(["track", "bad.mp4", *network]) == 2
    assert "bad.mp4" in error_of(capsys)
    assert not Path("runs").exists()


def test_a_video_that_breaks_off_keeps_what_was_tracked(network, capsys, tmp_path):
    write_torn_video(tmp_path / "torn.mp4")
    assert main(["track", "torn.mp4", *network]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert "torn.mp4" in captured.err
    kept = read_results("runs/torn.partial.txt").frames.max()
    assert f"after frame {kept}" in captured.err
    assert f"torn: {kept} frames" in captured.out
    assert 0 < kept < 12
    assert count_frames(Path("runs/torn.partial.mp4")) == kept
    assert not list(Path("runs").glob(".*"))


def test_an_image_folder_with_a_broken_image_keeps_what_was_tracked(image_folder, network, capsys):
    (image_folder / "4.png").write_bytes((image_folder / "4.png").read_bytes()[:100])
    Path("rows.txt").write_text("an earlier result")
    assert main(["track", str(image_folder), *network, "--results", "rows.txt"]) == 2
    assert "4.png" in error_of(capsys)
    assert read_results("rows.partial.txt").frames.max() == 3
    assert Path("rows.txt").read_text() == "an earlier result"


def test_an_empty_folder(network, capsys):
    Path("empty").mkdir()
    assert main(["track", "empty", *network]) == 2
    assert "expected images" in error_of(capsys)


def test_a_source_that_fails_does_not_keep_the_others_back(clip, network, capsys):
    assert main(["track", "no.mp4", str(clip), *network, "--results", "rows/"]) == 2
    assert "no.mp4" in error_of(capsys)
    assert read_results("rows/still.txt").frames.max() == 12


def test_a_full_disk_does_not_keep_the_other_sources_back(clip, network, capsys, monkeypatch):
    from centertrack.app import session

    open_source = session.open_source

    def full(source: str, **options: object) -> object:
        if source == "first.mp4":
            raise OSError(28, "No space left on device", source)
        return open_source(source, **options)

    monkeypatch.setattr(session, "open_source", full)
    assert main(["track", "first.mp4", str(clip), *network, "--results", "rows/"]) == 2
    assert error_of(capsys) == "error: No space left on device: first.mp4\n"
    assert read_results("rows/still.txt").frames.max() == 12


@pytest.mark.parametrize(("option", "path"), [("--results", "file/out.txt"), ("--video", "file/out.mp4")])
def test_an_unwritable_output(clip, network, capsys, option, path):
    Path("file").touch()
    assert main(["track", str(clip), *network, option, path]) == 2
    error = error_of(capsys)
    assert "cannot write" in error
    assert path in error


def test_rows_never_replace_an_image_of_the_source(image_folder, network, capsys):
    image = image_folder / "1.png"
    before = image.read_bytes()
    assert main(["track", str(image_folder), *network, "--results", str(image)]) == 2
    assert "expected a file name ending in .txt, .csv" in error_of(capsys)
    assert image.read_bytes() == before


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere"
)
def test_a_folder_without_permission(clip, network, capsys):
    Path("locked").mkdir(mode=0o500)
    assert main(["track", str(clip), *network, "--results", "locked/rows.txt"]) == 2
    assert "locked/rows.txt" in error_of(capsys)


@pytest.mark.parametrize("video", ["out.gif", "file/out.mp4"])
def test_an_output_that_fails_leaves_the_earlier_others(clip, network, capsys, video):
    Path("file").touch()
    Path("rows.txt").write_text("earlier\n")
    assert main(["track", str(clip), *network, "--results", "rows.txt", "--video", video]) == 2
    assert video in error_of(capsys)
    assert Path("rows.txt").read_text() == "earlier\n"
    assert sorted(path.name for path in Path().iterdir()) == ["file", "rows.txt"]


def test_several_sources_into_one_file(clip, image_folder, network, capsys):
    assert main(["track", str(clip), str(image_folder), *network, "--results", "rows.txt"]) == 2
    assert "2 sources need a folder for --results" in error_of(capsys)


def test_an_output_never_overwrites_its_source(clip, network, capsys):
    before = clip.read_bytes()
    assert main(["track", str(clip), *network, "--video", str(clip)]) == 2
    assert "would be overwritten" in error_of(capsys)
    assert clip.read_bytes() == before


def test_an_earlier_result_survives_a_run_that_cannot_start(clip, network, capsys):
    Path("rows.txt").write_text("1,1,1,1,1,1,1,-1,-1,-1\n")
    assert main(["track", str(clip), "--weights", "none", "--results", "rows.txt"]) == 2
    assert "no weights 'none'" in error_of(capsys)
    assert Path("rows.txt").read_text() == "1,1,1,1,1,1,1,-1,-1,-1\n"


def test_weights_of_another_architecture(clip, capsys, tmp_path, weights):
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(str(weights), framework="np") as file:
        tensors = {key: file.get_tensor(key) for key in list(file.keys())[:-3]}
        save_file(tensors, str(tmp_path / "other.safetensors"), metadata=file.metadata())
    assert main(["track", str(clip), "--weights", "other.safetensors", "--results", "rows.txt"]) == 2
    assert "does not fit its network: lacks" in error_of(capsys)
    assert not Path("rows.txt").exists()


def test_weights_that_are_none(clip, capsys):
    Path("notes.safetensors").write_text("not tensors")
    assert main(["track", str(clip), "--weights", "notes.safetensors"]) == 2
    assert "notes.safetensors" in error_of(capsys)


def test_weights_that_would_run_code_do_not(clip, capsys, tmp_path):
    import pickle

    class Trap:
        def __reduce__(self) -> tuple:
            return (os.mkdir, (str(tmp_path / "sprung"),))

    Path("trap.ckpt").write_bytes(pickle.dumps(Trap(), protocol=2))
    assert main(["track", str(clip), "--weights", "trap.ckpt"]) == 2
    assert "trap.ckpt" in error_of(capsys)
    assert not Path("sprung").exists()


def test_a_tracker_that_needs_embeddings_and_a_network_without(clip, capsys, tmp_path):
    save_weights(small_network("detection"), tmp_path / "boxes.safetensors")
    arguments = ["track", str(clip), "--weights", "boxes.safetensors", "--device", "cpu"]
    assert main([*arguments, "--tracker", "fairmot"]) == 2
    assert "use --tracker scene" in error_of(capsys)
    assert not Path("runs").exists()
    assert main([*arguments, "--results", "rows.txt"]) == 0  # the default needs boxes only


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tracker", "fairmott"], "fairmot"),
        (["--option", "max_lost_second=2"], "max_lost_seconds"),
        (["--option", "max_lost_seconds"], "NAME=VALUE"),
        (["--image-size", "640"], "WIDTHxHEIGHT"),
        (["--image-size", "100x100"], "multiples of 32"),
        (["--device", "tpu"], "device must be one of"),
        (["--runtime", "abacus"], "runtime must be one of"),
    ],
)
def test_bad_options(clip, weights, capsys, options, message):
    assert main(["track", str(clip), "--weights", str(weights), *options]) == 2
    assert message in error_of(capsys)


@pytest.mark.parametrize(
    "options",
    [["--min-score", "2"], ["--max-frames", "0"], ["--unheard-of"], []],
    ids=["score", "frames", "flag", "none"],
)
def test_what_the_parser_refuses_exits_with_2(options, capsys):
    arguments = ["track", "clip.mp4", *options] if options else []
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert error_of(capsys).endswith(f"; see centertrack {'track ' if options else ''}--help\n")
