"""The snippets of the documents, and the process that runs them: `python -m tests.snippets FOLDER`.

Every fenced block of Python, sh and bash counts. The snippets of a document run in their order, in one folder and with
one set of names, as a reader would run them. Bash itself reads the shell's lines: for every program there is a function
that notes its arguments, so that quotes, patterns and loops mean what they say, and nothing is executed by it. The
commands are then called here. What would need other data or minutes is in `PARSED_ONLY`, with the reason.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from centertrack.cli import build_parser, main
from centertrack.synthetic import SceneConfig, StreetScene
from tests.conftest import PROJECT
from tests.stand_ins import install
from tracker.io.video import VideoWriter

DOCUMENTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]
LANGUAGES = ("python", "sh", "bash")
SIZE, FRAME_RATE = (160, 96), 25.0
SEQUENCES = ("MOT17-02-FRCNN", "MOT17-02-SDP")
OUTCOMES = "outcomes.jsonl"

PARSED_ONLY = {  # how a command begins -> why it is parsed and not run
    "make ": "sets up a virtual environment",
    "python -m pytest": "is this test run",
    "python tools/": "makes or measures weights from public data, for hours",
    "python -c from centertrack.synthetic": "draws 260 frames; test_train_your_own.py runs the guide",
    "centertrack train": "trains for minutes; test_train_your_own.py runs the guide",
    "centertrack data": "needs the frames drawn before; test_train_your_own.py runs the guide",
    "centertrack track mine/test": "needs trained weights; test_train_your_own.py runs the guide",
    "centertrack evaluate --gt mine/test": "needs the tracks of these; test_train_your_own.py runs the guide",
    "centertrack tune": "searches for minutes; test_tune.py runs it",
    "centertrack bench": "measures for minutes; test_bench.py runs it",
    "centertrack export": "compares for half a minute; test_export.py runs it",
    "centertrack track street.mp4 --weights fairmot_dla34.pth": "takes a minute without a GPU",
    "centertrack track street.mp4 --weights nano.onnx": "needs the exported file; test_export.py runs it",
    "centertrack track shop.mp4": "needs a clip of a shop; test_review.py corrects one",
    "centertrack edit shop.txt": "needs corrections; test_review.py exports some",
    "centertrack app": "serves a page until Ctrl-C; test_page.py uses it",
    "centertrack demo": "draws and tracks 250 frames; test_demo.py runs it",
    "centertrack evaluate --gt runs/demo": "needs what the demonstration writes; test_demo.py scores it",
    "centertrack track runs/demo": "needs the video of the demonstration; test_count.py counts",
    "centertrack review": "serves a page until Ctrl-C; test_review.py runs it",
    "centertrack track rtsp:": "needs cameras; test_sources.py watches streams",
    "centertrack track street.mp4 --show": "needs a display; test_sources.py shows a window",
    "centertrack track street.mp4 --results street.parquet": "needs the extra [parquet]; test_outputs.py writes it",
    "centertrack submit": "needs results of a whole test set; test_submission.py packs them",
    "centertrack track 0": "needs a camera; test_live.py has one of its own",
}
COMPILED_ONLY = {  # document -> why its Python is compiled and not run
    "docs/onnx.md": "needs an exported file; test_onnx_guide.py runs it",
}
PREAMBLE = """
import cv2, numpy, torch
image = cv2.cvtColor(cv2.imread("photos/1.jpg"), cv2.COLOR_BGR2RGB)
another_image = image[:80, :120].copy()
images = torch.zeros(1, 3, 64, 64)
"""
"""What every Python snippet may take for granted."""

PROGRAMS = ("make", "python", "centertrack")
STUBS = "".join(f'{name}() {{ printf "%s\\0" {name} "$@" >&3; printf "\\n\\0" >&3; }}\n' for name in PROGRAMS)


@dataclass(frozen=True)
class Snippet:
    """A fenced block; `line` is the first one within the fence, from 1."""

    document: str
    line: int
    language: str
    code: str

    @property
    def name(self) -> str:
        return f"{self.document}:{self.line}"


def find_snippets() -> list[Snippet]:
    found = []
    for path in DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        for block in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
            if block[1] in LANGUAGES:
                line = text.count("\n", 0, block.start(2)) + 1
                found.append(Snippet(path.relative_to(PROJECT).as_posix(), line, block[1], block[2]))
    return found


def make_folder(folder: Path) -> None:
    """Write what the documents talk about: street.mp4, frames, photos, a benchmark, results, a published checkpoint."""
    scene = StreetScene(SceneConfig(size=SIZE, seconds=0.5, frame_rate=FRAME_RATE, seed=3, people=4))
    first = folder / "MOT17" / "train" / SEQUENCES[0]
    scene.write_mot(first, images=True)
    rows = [line.split(",") for line in (first / "gt" / "gt.txt").read_text(encoding="utf-8").splitlines()]
    results = "".join(f"{','.join(row[:6])},0.9,-1,-1,-1\n" for row in rows)
    (first / "det").mkdir()
    (first / "det" / "det.txt").write_text(re.sub(r"^(\d+),\d+", r"\1,-1", results, flags=re.MULTILINE))
    second = shutil.copytree(first, first.with_name(SEQUENCES[1]))
    info = second / "seqinfo.ini"
    info.write_text(info.read_text(encoding="utf-8").replace(*SEQUENCES), encoding="utf-8")
    shutil.copy(first / "gt" / "gt.txt", folder / "gt.txt")
    for tracker in ("results", "theirs", "others"):
        (folder / tracker).mkdir()
        for name in SEQUENCES:
            (folder / tracker / f"{name}.txt").write_text(results)
    with VideoWriter(folder / "street.mp4", SIZE, FRAME_RATE) as writer:
        for path in sorted((first / "img1").glob("*.jpg")):
            writer.write(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))
    for name in ("frames", "photos"):
        (folder / name).mkdir()
        for number in range(1, 5):
            shutil.copy(first / "img1" / f"{number:06d}.jpg", folder / name / f"{number}.jpg")
    box = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [90, 30, 10, 20], "area": 200, "iscrowd": 0}
    labels = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": SIZE[0], "height": SIZE[1]}],
        "annotations": [box],
        "categories": [{"id": 1, "name": "person"}],
    }
    (folder / "labels.json").write_text(json.dumps(labels))
    found = [{"image_id": 1, "category_id": 1, "bbox": [90, 31, 10, 20], "score": 0.9}]
    (folder / "found.json").write_text(json.dumps(found))
    write_detectors(folder)
    (folder / "tuned.yaml").write_text("tracker: bytetrack\noptions: {max_lost_seconds: 2}\n")
    (folder / "taught.yaml").write_text("model: {loss: {distillation_weight: 2.0}}\n")
    for name in ("configs", "docs", "tests", "tools"):
        (folder / name).symlink_to(PROJECT / name)


def write_detectors(folder: Path) -> None:
    """Write a detector and a network of crops of other projects, and YOLO labels."""
    from tests.centertrack.runtime.detectors.graphs import write_crop_network, write_detector

    rows = np.zeros((1, 6, 315))
    rows[0, :, 5] = (100, 45, 20, 40, 0.9, 0)
    names = {"names": "{0: 'person', 1: 'car'}"}
    write_detector(folder / "yolo.onnx", {"output0": rows}, image=(1, 3, SIZE[1], SIZE[0]), metadata=names)
    write_crop_network(folder / "osnet.onnx")
    labels = folder / "walk" / "labels"
    labels.mkdir(parents=True)
    for frame in range(1, 6):
        (labels / f"street_{frame}.txt").write_text(f"0 {0.4 + frame / 100} 0.5 0.1 0.4 0.9\n")


def write_published(path: Path) -> None:
    from tests.centertrack.models.published_layout import fairmot_dla34, random_state, write_checkpoint

    write_checkpoint(path, random_state(fairmot_dla34()))


def run_all(folder: Path) -> None:
    """Run the snippets and append a line to `OUTCOMES` after each: its name, and what went wrong."""
    install()
    template = folder / "template"
    template.mkdir()
    make_folder(template)
    names: dict[str, Any] = {}
    document = ""
    for snippet in find_snippets():
        if snippet.document != document:
            document, names = snippet.document, {"__name__": "snippet"}
            work = folder / re.sub(r"\W", "-", document)
            shutil.copytree(template, work, symlinks=True)
            os.chdir(work)
            if any("fairmot_dla34.pth" in one.code for one in find_snippets() if one.document == document):
                write_published(work / "fairmot_dla34.pth")
            exec(PREAMBLE, names)
        said, error = io.StringIO(), ""
        try:
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                if snippet.language == "python":
                    code = compile(snippet.code, snippet.name, "exec")
                    if document not in COMPILED_ONLY:
                        exec(code, names)
                else:
                    for command in read_commands(snippet.code, work):
                        call(command)
        except BaseException:
            error = f"{traceback.format_exc()}\n{said.getvalue()}"
        with (folder / OUTCOMES).open("a", encoding="utf-8") as outcomes:
            outcomes.write(json.dumps([snippet.name, error]) + "\n")


def read_commands(code: str, folder: Path) -> list[list[str]]:
    """Return the commands of a shell snippet, each a list of words, as bash makes them of it.

    Raises:
        RuntimeError: Bash does not take it, or a program is called that has no function here.
    """
    script = f"exec 3>&1 1>&2\nPATH=\n{STUBS}\n{code}"
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run([bash, "-eu", "-c", script], cwd=folder, capture_output=True, text=True, timeout=20)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return [command.strip("\0").split("\0") for command in done.stdout.split("\n\0") if command]


def call(command: list[str]) -> None:
    """Check a command's words, and run it unless it is in `PARSED_ONLY`."""
    program, *words = command
    text = f"{' '.join(command)} "
    runs = not any(text.startswith(beginning) for beginning in PARSED_ONLY)
    if program == "centertrack" and words[0] == "train":
        with pytest.raises(SystemExit, match="0"):
            main([*words, "--print_config"])
    elif program == "centertrack":
        build_parser().parse_args(words)
        if runs and main(words):
            raise RuntimeError(f"{text}does not end with 0")
    elif program == "python" and words[0] == "-c":
        check_python(words[1])
        if runs:
            exec(words[1], {"__name__": "__main__"})
    elif program == "python":
        paths = [word for word in words if word.endswith(".py") or "/" in word]
        missing = [path for path in paths if path.startswith(("tools/", "tests/")) and not Path(path).exists()]
        if missing:
            raise RuntimeError(f"{text}names what is not there: {', '.join(missing)}")
    elif program == "make":
        targets = re.findall(r"^(\w+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        unknown = [word for word in words if "=" not in word and word not in targets]
        if unknown:
            raise RuntimeError(f"the Makefile has no {', '.join(unknown)}")


def check_python(code: str) -> None:
    """Compile code, and import what it imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module:
            module = importlib.import_module(node.module)
            for name in node.names:
                getattr(module, name.name)


if __name__ == "__main__":
    run_all(Path(sys.argv[1]))
