"""Break valid label files in many small ways, and see whether every reader still answers in one sentence.

    python tools/fuzz.py --rows 500000 --seed 7
    python tools/fuzz.py --seconds 20

Each round takes the files of one format, changes bytes, numbers, names or structure of one of them, and reads them. A
reader may succeed or raise InputError with one line; anything else, more than `SECONDS` for one file, or more memory
than `--memory` is a fault: it is printed with its seed, and its files are kept in `--keep`. Some rounds go through the
command line. The same seed gives the same rounds.
"""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
import os
import random
import re
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jsonargparse import auto_cli

from centertrack.average_precision.detection_metrics import read_labels_and_detections
from centertrack.cli import INTERRUPTED, main
from centertrack.data.check import check_data
from centertrack.data.formats.registry import open_labels
from centertrack.data.plan import DataPlan
from tracker import InputError
from tracker.associate import associate
from tracker.evaluation import evaluate
from tracker.evaluation.format_check import validate
from tracker.io.images import read_image, write_image
from tracker.io.mot import read_detections, read_ground_truth, read_results, read_sequence_info
from tracker.wording import counted

SECONDS = 5.0  # for one file of a few rows
NUMBERS = (
    *("nan", "inf", "-inf", "1e39", "-1e39", "1e308", "1e5000", "1e-320", "1e9", "-1", "0", "-0.0", "2147483648"),
    *("9" * 20, "18446744073709551616", "9" * 400, "9" * 4400, "0x10", "1_000", "1e", ".", "", "null"),
    *("true", "\u0663"),
)
TEXTS = (
    *("\x00", "\x1b[31m", "../../x", "....//....//x", "/etc/x", "a" * 3000, "\ud7ff", "\u202e", "<script>", "%s{0}"),
    *("C:\\x", "*", ",", ";", '"', "'", "\r", "\x85", "\u2028", "&amp;", "&a;", "<!--", "]]>", "*a", "&a", "!!int"),
    *("- ", ": "),
)
BYTES = (
    *(b"\xff", b"\xe9", b"\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\n\n"),
    *(b"[" * 300, b"{" * 300, b"<a>" * 300),
)
SEPARATORS = ((",", " "), (" ", ","), (",", ",,"), (".", "_"), ("\n", "\r"), (">", "<"), (":", ""))
VALUES = (None, True, [], {}, "", "x", -1, 0, 1e39, float("nan"), float("inf"), 10**30, [[]], {"id": 1})
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORD = re.compile(r"[A-Za-z_]{2,}")
_LABELS = ["S/gt/gt.txt", "S/det/det.txt", "S/seqinfo.ini", "R/S.txt"]


class Format(NamedTuple):
    """Files of one format and what reads them.

    Attributes:
        files: Name -> content.
        broken: Those that are changed.
        read: Readers of the folder.
    """

    files: dict[str, bytes]
    broken: list[str]
    read: list[Callable[[Path], Any]]


class Fault(NamedTuple):
    """What went wrong."""

    format: str
    round: int
    problem: str


class TooSlowError(Exception):
    """One file took longer than `SECONDS`."""


def fuzz(
    rows: int = 20_000, seed: int = 0, seconds: float | None = None, memory: float = 4.0, keep: Path = Path("runs/fuzz")
) -> list[Fault]:
    """Run rounds until so many changed rows were read, or so much time went by.

    Args:
        rows: Lines of changed files to read.
        seed: Of all choices.
        seconds: Stop after this time at the latest.
        memory: Gigabytes that the process may add to what it has.
        keep: Folder for the files of every fault; made when there is one.

    Returns:
        The faults, at most one of a kind.
    """
    formats = make_formats()
    start, done, number = time.monotonic(), 0, 0
    faults: dict[str, Fault] = {}
    counts: Counter[str] = Counter()
    keep = keep.absolute()
    with silence(), memory_limit(memory):
        while done < rows and (seconds is None or time.monotonic() - start < seconds):
            name = list(formats)[number % len(formats)]
            choice = random.Random(f"{seed} {number}")
            with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary, inside(temporary) as folder:
                done += _write_changed(formats[name], folder, choice)
                problem = problem_of(choice.choice(formats[name].read), folder)
                is_fault = problem not in ("", "refused")
                counts[f"{name}: {'fault' if is_fault else problem or 'read'}"] += 1
                kind = f"{name}: {problem.splitlines()[-1][:80]}" if is_fault else ""
                if is_fault and kind not in faults:
                    faults[kind] = Fault(name, number, problem)
                    shutil.copytree(folder, keep / f"{name}-{seed}-{number}", dirs_exist_ok=True)
            number += 1
    for kind, count in sorted(counts.items()):
        print(f"{kind} {count}")
    print(
        f"{counted(done, 'row')}, {counted(number, 'file')}, {counted(len(faults), 'kind')} of "
        f"fault, {time.monotonic() - start:.0f} s, seed {seed}"
    )
    for fault in faults.values():
        print(f"\n{fault.format}, round {fault.round}:\n{fault.problem}")
    return list(faults.values())


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keep warnings, and what libraries write to standard error, off the terminal."""
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


@contextlib.contextmanager
def memory_limit(gigabytes: float) -> Iterator[None]:
    """Let the process take only so much more memory."""
    status = Path("/proc/self/status")
    if not status.exists():  # only Linux limits what a process writes to
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    used = int(re.findall(r"VmData:\s+(\d+)", status.read_text(encoding="utf-8"))[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (used + int(gigabytes * 2**30), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


@contextlib.contextmanager
def inside(folder: str) -> Iterator[Path]:
    """Work in a folder."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield Path(folder)
    finally:
        os.chdir(before)


def problem_of(reader: Callable[[Path], Any], folder: Path) -> str:
    """Return nothing, "refused", or what is wrong with the answer of a reader."""
    with _time_limit():
        try:
            reader(folder)
        except InputError as error:
            return "refused" if str(error) and "\n" not in str(error).strip("\n") else f"not one sentence: {error!r}"
        except TooSlowError:
            return f"longer than {SECONDS:g} s\n{traceback.format_exc(limit=-3)}\nTooSlowError"
        except Exception:
            return traceback.format_exc()
    return ""


@contextlib.contextmanager
def _time_limit() -> Iterator[None]:
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def stop(*_: Any) -> None:
        raise TooSlowError

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _write_changed(form: Format, folder: Path, choice: random.Random) -> int:
    """Write the files of a format with one of them changed; return its lines."""
    changed = choice.choice(form.broken)
    lines = 0
    for name, content in form.files.items():
        if name == changed:
            content = change(content, choice)
            lines = content.count(b"\n") + 1
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return lines


def change(content: bytes, choice: random.Random) -> bytes:
    """Change a file in one to four places."""
    for _ in range(choice.randint(1, 4)):
        content = choice.choice([_number, _number, _number, _word, _bytes, _cut, _lines, _structure])(content, choice)
    return content


def _number(content: bytes, choice: random.Random) -> bytes:
    return _replace_one(_NUMBER, content, choice.choice(NUMBERS), choice)


def _word(content: bytes, choice: random.Random) -> bytes:
    return _replace_one(_WORD, content, choice.choice((*TEXTS, *NUMBERS)), choice)


def _replace_one(pattern: re.Pattern[str], content: bytes, new: str, choice: random.Random) -> bytes:
    text = content.decode("latin-1")
    found = list(pattern.finditer(text))
    if not found:
        return content
    place = choice.choice(found)
    return text[: place.start()].encode("latin-1") + new.encode() + text[place.end() :].encode("latin-1")


def _bytes(content: bytes, choice: random.Random) -> bytes:
    place = choice.randint(0, len(content))
    return content[:place] + choice.choice(BYTES) + content[place + choice.randint(0, 3) :]


def _cut(content: bytes, choice: random.Random) -> bytes:
    first, last = sorted((choice.randint(0, len(content)), choice.randint(0, len(content))))
    return choice.choice([content[:first], content[last:], content[:first] + content[last:]])


def _lines(content: bytes, choice: random.Random) -> bytes:
    lines = content.split(b"\n")
    one, other = choice.randrange(len(lines)), choice.randrange(len(lines))
    if choice.random() < 0.5:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        lines.insert(one, lines[other])
    return b"\n".join(lines)


def _structure(content: bytes, choice: random.Random) -> bytes:
    """Change the values of JSON where it is some, otherwise a separator."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        old, new = choice.choice(SEPARATORS)
        return content.replace(old.encode(), new.encode(), choice.randint(1, 5))
    places = list(_places(value))
    if places:
        holder, key = choice.choice(places)
        new = copy.deepcopy(choice.choice(VALUES))
        if isinstance(holder, dict) and choice.random() < 0.3:
            del holder[key]
        else:
            holder[key] = new
    return json.dumps(value).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in pairs:
        yield value, key
        yield from _places(part)


def make_formats() -> dict[str, Format]:
    """Return valid files of every format."""
    return {
        **_image_formats(),
        **_video_formats(),
        "mot": Format(_sequence(), _LABELS, [*_readers("mot", "S"), *_sequence_readers()]),
        "cvat": Format(_sequence(), ["S/gt/gt.txt", "S/gt/labels.txt"], _readers("cvat", "S")),
        "command": Format(_sequence(), _LABELS, _commands()),
        "detections": _detections(),
        "image": Format({"a.jpg": _jpeg()}, ["a.jpg"], [lambda _: read_image(Path("a.jpg"))]),
    }


def _sequence() -> dict[str, bytes]:
    boxes = [(n, i, f"{10 * i + n},{20 + i}.5,30,40") for n in range(1, 5) for i in (1, 2, 3)]
    info = "[Sequence]\nname=S\nimDir=img1\nframeRate=25\nseqLength=4\nimWidth=64\nimHeight=48\nimExt=.jpg\n"
    return {
        "S/gt/gt.txt": "".join(f"{n},{i},{box},1,1,0.9\n" for n, i, box in boxes).encode(),
        "S/gt/labels.txt": b"person\ncar\n",
        "S/det/det.txt": "".join(f"{n},-1,{box},0.{9 - i}\n" for n, i, box in boxes).encode(),
        "S/seqinfo.ini": info.encode(),
        "R/S.txt": "".join(f"{n},{i},{box},1,-1,-1,-1\n" for n, i, box in boxes).encode(),
        **{f"S/img1/{n:06d}.jpg": _jpeg() for n in range(1, 5)},
    }


def _image_formats() -> dict[str, Format]:
    names = [f"{n}.jpg" for n in range(4)]
    images = {f"images/{name}": _jpeg() for name in names}
    fractions = b"".join(b"%d 0.5 0.5 0.2 0.25 %d\n" % (i % 2, i) for i in range(4))
    yolo = {
        **images,
        **{f"labels/{n}.txt": fractions for n in range(4)},
        "data.yaml": b"path: .\nnames:\n  0: person\n  1: car\n",
        "plan.yaml": b"data:\n  size: [64, 64]\n  train:\n    - format: yolo\n      path: .\n  validation: []\n",
    }
    ids = {f"labels_with_ids/{n}.txt": b"".join(b"0 %d 0.5 0.5 0.2 0.25\n" % i for i in range(4)) for n in range(4)}
    listing = "".join(f"images/{name}\n" for name in names).encode()
    person = {"tag": "person", "fbox": [1, 2, 20, 30], "vbox": [1, 2, 20, 30], "extra": {"ignore": 0}}
    boxes = [person, {**person, "tag": "mask"}]
    people = "".join(json.dumps({"ID": str(n), "gtboxes": boxes}) + "\n" for n in range(4))
    tail = "1.0 2.0 30.5 40 -1 -1 -1 -1000 -1000 -1000 -10"
    kitti = "".join(f"{n} {i} Car 0 0 -10 {tail}\n" for n in range(4) for i in (1, 2)).encode()
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30.5</xmax><ymax>40</ymax></bndbox>"
    objects = "".join(f" <object>\n<name>{name}</name>{box}</object>\n" for name in ("person", "car"))
    voc = f"<?xml version='1.0'?>\n<annotation>\n <filename>0.jpg</filename>\n{objects}</annotation>\n".encode()
    plans: list[Callable[[Path], Any]] = [lambda _: DataPlan.read(Path("plan.yaml")), lambda _: check_data("plan.yaml")]
    return {
        "coco": Format({**images, "a.json": _coco()}, ["a.json"], _readers("coco", "a.json")),
        "crowdhuman": Format(
            {**{f"Images/{n}.jpg": _jpeg() for n in range(4)}, "a.odgt": people.encode()},
            ["a.odgt"],
            _readers("crowdhuman", "a.odgt"),
        ),
        "jde": Format({**images, **ids, "train.txt": listing}, ["train.txt", *ids], _readers("jde", "train.txt")),
        "kitti": Format(
            {**{f"image_02/0000/{n:06d}.jpg": _jpeg() for n in range(4)}, "label_02/0000.txt": kitti},
            ["label_02/0000.txt"],
            _readers("kitti", "."),
        ),
        "voc": Format(
            {"JPEGImages/0.jpg": _jpeg(), "Annotations/0.xml": voc}, ["Annotations/0.xml"], _readers("voc", ".")
        ),
        "yolo": Format(yolo, ["data.yaml", "labels/0.txt", "labels/1.txt"], _readers("yolo", ".")),
        "plan": Format(yolo, ["plan.yaml"], plans),
    }


def _video_formats() -> dict[str, Format]:
    """Return what is read as ground truth and as results of tracking, and as training data."""
    frames = [
        {
            "name": f"{n}.jpg",
            "videoName": "v",
            "frameIndex": n,
            "labels": [
                {"id": str(i), "category": ("car", "rider")[i], "attributes": {"crowd": n == 3},
                 "box2d": {"x1": 1, "y1": 2, "x2": 20.5, "y2": 30}}
                for i in range(2)
            ],
        }
        for n in range(4)
    ]  # fmt: skip
    boxes = "".join(
        f'<box frame="{n}" outside="{int(n == 3)}" keyframe="1" xtl="1" ytl="2" xbr="20.5" ybr="30"/>\n'
        for n in (0, 2, 3)
    )
    task = "<size>4</size><stop_frame>3</stop_frame><frame_filter>step=1</frame_filter>"
    tracks = "".join(f'<track id="{i}" label="car">\n{boxes}</track>\n' for i in range(2))
    rows = "".join(f"{n},{i},1,2,20,30,1,{4 * i},0,0\n" for n in range(1, 5) for i in range(3)).encode()
    images = {f"images/{n}.jpg": _jpeg() for n in range(4)}
    xml = f"<annotations>\n<meta><task>{task}</task></meta>\n{tracks}</annotations>\n".encode()
    drone = {f"sequences/v/{n:07d}.jpg": _jpeg() for n in range(1, 5)} | {"annotations/v.txt": rows}

    def both(path: str) -> list[Callable[[Path], Any]]:
        return [lambda _: evaluate(path, path), lambda _: evaluate(path, path, benchmark="none", intervals=True)]

    return {
        "scalabel": Format(
            {**images, "a.json": json.dumps(frames, indent=1).encode()},
            ["a.json"],
            [*both("a.json"), *_readers("scalabel", "a.json")],
        ),
        "cvat-video": Format(
            {**images, "annotations.xml": xml}, ["annotations.xml"], [*both("."), *_readers("cvat-video", ".")]
        ),
        "visdrone": Format(drone, ["annotations/v.txt"], _readers("visdrone", ".")),
        "coco videos": Format({"a.json": _coco()}, ["a.json"], both("a.json")),
    }


def _coco(**more: Any) -> bytes:
    """COCO labels; `more` goes into each annotation, which makes detections of them."""
    place = {"width": 64, "height": 48, "video_id": 1}
    box = {"bbox": [1, 2, 20.5, 30], **more}
    content = {
        "images": [{"id": i, "file_name": f"{i}.jpg", "frame_id": i, **place} for i in range(4)],
        "annotations": [
            {"id": i, "image_id": i % 4, "category_id": 1 + i % 2, "iscrowd": int(i == 5), "track_id": i, **box}
            for i in range(8)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}],
        "videos": [{"id": 1, "name": "v", "fps": 25}],
    }
    return json.dumps(content, indent=1).encode()


def _detections() -> Format:
    found = [{"image_id": i % 4, "category_id": 1, "bbox": [1, 2, 20.5, 30], "score": 0.5} for i in range(6)]
    files = {"gt.json": _coco(), "found.json": json.dumps(found, indent=1).encode(), "our.json": _coco(score=0.5)}
    return Format(
        files,
        list(files),
        [
            lambda _: read_labels_and_detections(Path("gt.json"), Path("found.json"), None),
            lambda _: read_labels_and_detections(Path("gt.json"), Path("our.json"), None),
        ],
    )


def _readers(name: str, path: str) -> list[Callable[[Path], Any]]:
    return [lambda _: open_labels(name, Path(path)), lambda _: check_data(path, name).text()]


def _sequence_readers() -> list[Callable[[Path], Any]]:
    return [
        lambda _: read_ground_truth("S/gt/gt.txt"),
        lambda _: read_detections("S/det/det.txt"),
        lambda _: read_results("R/S.txt"),
        lambda _: read_sequence_info("S"),
        lambda _: evaluate("S", "R/S.txt"),
        lambda _: validate("S", fix=True),
        lambda _: validate("R/S.txt", fix=True),
        lambda _: associate(["S"], "bytetrack", "out", ["interpolate", "smooth"]),
        lambda _: read_labels_and_detections(Path("S"), Path("S/det/det.txt"), None),
    ]


def _commands() -> list[Callable[[Path], Any]]:
    commands = [
        ["evaluate", "--gt", "S", "--results", "R/S.txt", "--csv", "s.csv", "--report", "r.html"],
        ["evaluate", "--gt", "S", "--results", "R/S.txt", "--frames", "half-val"],
        ["associate", "S", "--tracker", "sort", "--results", "out", "--postprocess", "interpolate,smooth"],
        ["validate", "S", "--fix"],
        ["data", "check", "S", "--sheet", "sheet.png"],
        ["data", "convert", "S", "--to", "coco", "--output", "new"],
    ]
    return [lambda folder, command=command: _command(command, folder) for command in commands]


def _command(command: list[str], folder: Path) -> None:
    """Run a command as a user does; what it says must fit its exit code."""
    labels = {path: path.read_bytes() for path in folder.rglob("*.txt")}
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = main(command)
    if code in (INTERRUPTED, 128 + signal.SIGTERM):
        raise KeyboardInterrupt
    if code not in (0, 1, 2) or (code == 1 and command[0] != "validate"):
        raise AssertionError(f"exit code {code}")
    if code == 2 and command[0] != "data" and errors.getvalue().count("error: ") != 1:
        raise AssertionError(f"exit code 2 and {errors.getvalue()!r}")
    if lost := [path.name for path, content in labels.items() if path.read_bytes() != content]:
        raise AssertionError(f"changed {lost}")


def _jpeg() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.jpg")
        write_image(path, np.full((48, 64, 3), 90, np.uint8), 50)
        return path.read_bytes()


if __name__ == "__main__":
    raise SystemExit(bool(auto_cli(fuzz)))
