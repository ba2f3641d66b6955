"""What works without the extras, in an interpreter that cannot import their packages; and the wheel of it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.conftest import PROJECT
from tracker.extras import EXTRAS

ABSENT = (*EXTRAS, "scipy", "rich", "hypothesis", "pytest")
# Run as a program: an interpreter in which nothing of ABSENT is installed, then MODULE as `python -m` runs it.
WITHOUT = f"""
import runpy, sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {ABSENT!r} else super().find_spec(name, path, target)

sys.meta_path[:] = [Without if finder is PathFinder else finder for finder in sys.meta_path]
"""
COMMAND_LINE = WITHOUT + 'runpy.run_module("centertrack", run_name="__main__", alter_sys=True)'
LABELS = {
    "images": [{"id": 1, "file_name": "1.jpg", "width": 100, "height": 80}],
    "categories": [{"id": 1, "name": "person"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [10, 10, 20, 40], "area": 800, "iscrowd": 0}],
}


def run(folder: Path, *arguments: str, program: str = COMMAND_LINE) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )


def succeed(folder: Path, *arguments: str, program: str = COMMAND_LINE) -> str:
    done = run(folder, *arguments, program=program)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `centertrack demo` writes: a drawn scene, its tracks and their scores."""
    folder = tmp_path_factory.mktemp("street")
    assert "HOTA" in succeed(folder, "demo", "--output", "out")
    return folder / "out"


def test_the_optional_packages_are_out_of_reach(tmp_path: Path) -> None:
    for package in ("torch", "onnxruntime", "motmetrics"):
        done = run(tmp_path, program=f"{WITHOUT}\nimport {package}")
        assert f"No module named '{package}'" in done.stderr


def test_videos_are_tracked_and_scored(street: Path, tmp_path: Path) -> None:
    video, gt = str(street / "street.mp4"), str(street / "gt")
    tracking = ("--max-frames", "20", "--results", "results/street.txt")
    assert "20 frames" in succeed(tmp_path, "track", video, "--video", "out.mp4", *tracking)
    assert "COMBINED" in succeed(tmp_path, "evaluate", "--gt", gt, "--results", "results", "--report", "report.html")
    counting = ("--source", video, "--line", "gate=50%,0,50%,100%", "--audit", "audit", "--heatmap", "heatmap.png")
    assert "gate: " in succeed(tmp_path, "count", "results/street.txt", *counting)
    succeed(tmp_path, "validate", "results/street.txt")
    assert "20 frames" in succeed(tmp_path, "track", video, "--image-size", "448x256", *tracking)  # not as converted
    assert "20 frames" in succeed(tmp_path, "track", video, "--tracker", "scene-reid", *tracking)


def test_pictures_are_searched_and_scored(street: Path, tmp_path: Path) -> None:
    sequence = street / "gt/street"
    succeed(tmp_path, "detect", str(street / "street.mp4"), "--max-frames", "20", "--results", "street.json")
    assert "AP50" in succeed(tmp_path, "evaluate-detections", "--gt", str(sequence), "--results", "street.json")
    rows = [line.split(",") for line in (sequence / "gt/gt.txt").read_text().splitlines()]
    (sequence / "det").mkdir()
    (sequence / "det/det.txt").write_text("".join(",".join([row[0], "-1", *row[2:6], "1\n"]) for row in rows))
    succeed(tmp_path, "associate", str(sequence), "--results", "associated")
    assert (tmp_path / "associated/street.txt").stat().st_size > 0


def test_detectors_of_other_projects_are_tracked(street: Path, tmp_path: Path) -> None:
    from tests.centertrack.runtime.detectors.graphs import write_crop_network, write_detector

    rows = np.zeros((1, 5, 84))
    rows[0, :, 5] = (20, 30, 8, 16, 0.9)
    write_detector(tmp_path / "yolo.onnx", {"output0": rows}, metadata={"names": "{0: 'person'}"})
    write_crop_network(tmp_path / "reid.onnx")
    for embeddings in ("reid.onnx", "fairmot-small"):
        network = ("--weights", "yolo.onnx", "--embeddings", embeddings, "--tracker", "fairmot")
        said = succeed(
            tmp_path, "track", str(street / "street.mp4"), "--max-frames", "5", *network, "--results", "a.txt"
        )
        assert "5 frames, 1 id," in said
    (tmp_path / "broken.onnx").write_text("no graph")
    done = run(tmp_path, "track", "street.mp4", "--weights", "broken.onnx")
    assert done.returncode == 2
    assert done.stderr.startswith("error: broken.onnx: cannot be read (")
    assert done.stderr.count("\n") == 1


def test_labels_are_converted(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps(LABELS))
    cv2.imwrite(str(tmp_path / "1.jpg"), np.zeros((80, 100, 3), np.uint8))
    said = succeed(tmp_path, "data", "convert", "labels.json", "--to", "yolo", "--output", "yolo")
    assert "1 image, 1 box" in said


def test_the_rest_of_the_command_line(tmp_path: Path) -> None:
    assert "fairmot-nano" in succeed(tmp_path, "models")
    assert "scene" in succeed(tmp_path, "bench", "trackers", "--only", "scene", "--crowds", "5")
    assert "train" in succeed(tmp_path, "--help")


def test_in_python(tmp_path: Path) -> None:
    program = f"""{WITHOUT}
import numpy as np
from centertrack import Predictor, track
from tracker import evaluate, make_tracker

tracks = make_tracker("scene").update(Predictor()(np.zeros((90, 160, 3), np.uint8))[0])
print(len(tracks))
import centertrack
try:
    centertrack.CenterNet
except ImportError as error:
    print(error)
"""
    said = succeed(tmp_path, program=program).splitlines()
    assert said[0] == "0"
    assert said[1].startswith("centertrack.CenterNet needs the package pytorch_lightning, which is not installed: ")
    assert "[train]" in said[1]


@pytest.mark.parametrize(
    ("arguments", "package", "extra"),
    [
        (["train", "fit", "--config", "own_data"], "torch", "train"),
        (["train", "--help"], "torch", "train"),
        (["export", "--output", "nano.onnx"], "torch", "train"),
        (["convert", "some.pth", "some.safetensors"], "torch", "train"),
        (["data", "check", "own_data"], "torch", "train"),
        (["track", "street.mp4", "--weights", "some.pth"], "torch", "train"),
        (["detect", "street.mp4", "--weights", "some.ckpt"], "torch", "train"),
        (["track", "street.mp4", "--runtime", "torch"], "torch", "train"),
        (["track", "street.mp4", "--runtime", "onnxruntime"], "torch", "train"),
        (["track", "street.mp4", "--weights", "some.torchscript"], "torch", "train"),
        (["evaluate", "--gt", "gt", "--results", "results", "--check", "motmetrics"], "motmetrics", "check"),
        (["track", "street.mp4", "--results", "out/street.parquet"], "pyarrow", "parquet"),
        (["associate", "results/street.txt", "--results", "out/street.parquet"], "pyarrow", "parquet"),
        (["app", "--no-browser"], "gradio", "app"),
        (["bench", "model"], "torch", "train"),
        (["bench", "training"], "pytorch_lightning", "train"),
    ],
    ids=lambda value: " ".join(value[:4]) if isinstance(value, list) else value,
)
def test_what_needs_more_says_so(arguments: list[str], package: str, extra: str, street: Path, tmp_path: Path) -> None:
    for name in ("street.mp4", "gt", "results"):
        (tmp_path / name).symlink_to(street / name)
    for name in ("some.pth", "some.ckpt", "some.torchscript"):
        (tmp_path / name).write_bytes(b"PK")
    done = run(tmp_path, *arguments)
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert f"needs the package {package}, which is not installed: " in line
    assert line.endswith(f'-m pip install -e "{PROJECT}[{extra}]"')


def test_extras_are_those_of_the_metadata() -> None:
    toml = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = toml.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = {
        extra: {re.split(r"[\[>]", one)[0].replace("-", "_") for one in packages}
        for extra, packages in project["optional-dependencies"].items()
    }
    for package, extra in EXTRAS.items():
        if package != "lightning_fabric":  # comes with pytorch_lightning
            assert package in names[extra] or (package, extra) == ("pandas", "check"), package


@pytest.mark.slow
def test_the_wheel_is_light_and_tracks_in_a_fresh_environment(tmp_path: Path) -> None:
    def call(*command: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    pip = ("-m", "pip", "--disable-pip-version-check", "--quiet")
    call(sys.executable, *pip, "wheel", "--no-deps", "--wheel-dir", "wheels", str(PROJECT))
    (wheel,) = map(str, (tmp_path / "wheels").iterdir())
    call(sys.executable, "-m", "venv", "fresh")
    python = str(tmp_path / "fresh" / ("Scripts" if os.name == "nt" else "bin") / "python")
    call(python, *pip, "install", wheel)
    megabytes = sum(path.lstat().st_size for path in (tmp_path / "fresh").rglob("*") if path.is_file()) / 1e6
    assert megabytes < 700, megabytes

    assert "HOTA" in call(python, "-m", "centertrack", "demo", "--output", "demo")
    assert call(python, "-c", "import centertrack; print(centertrack.__file__)").startswith(str(tmp_path))
    call(sys.executable, *pip, "install", "--no-deps", "--target", "beside", wheel)
    program = "import runpy, sys; sys.path.insert(0, 'beside'); runpy.run_module('centertrack', run_name='__main__')"
    config = call(sys.executable, "-c", program, "train", "fit", "--config", "fairmot_nano", "--print_config")
    assert "shufflenet" in config
