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
import io
import json
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

from centertrack.cli import main
from centertrack.data.check import check_data
from centertrack.data.formats import open_labels
from centertrack.data.plan import DataPlan
from centertrack.detection_metrics import read_labels_and_detections
from tracker import InputError
from tracker.associate import associate
from tracker.evaluation import evaluate
from tracker.evaluation.validation import validate
from tracker.io.images import read_image, write_image
from tracker.io.mot import read_detections, read_ground_truth, read_results, read_sequence_info

SECONDS = 5.0  # for one file of a few rows
NUMBERS = ("nan", "inf", "-inf", "1e39", "-1e39", "1e308", "1e9", "-1", "0", "-0.0", "1e-320", "2147483648", "9" * 20,
           "18446744073709551616", "9" * 400, "9" * 4400, "0x10", "1_000", "1e", ".", "", "null", "true", "\u0663", "1e5000")  # fmt: skip
TEXTS = ("\x00", "\x1b[31m", "../../x", "....//....//x", "/etc/x", "a" * 3000, "\ud7ff", "\u202e", "<script>", "%s{0}", "C:\\x", "*",
         ",", ";", '"', "'", "\r", "\x85", "\u2028", "&amp;", "&a;", "<!--", "]]>", "*a", "&a", "!!int", "- ", ": ")  # fmt: skip
BYTES = (
    b"\xff",
    b"\xe9",
    b"\x00",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\r",
    b"\n",
    b"\n\n",
    b"[" * 300,
    b"{" * 300,
    b"<a>" * 300,
)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_WORD = re.compile(r"[A-Za-z_]{2,}")


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
    rows: int = 20_000, seed: int = 0, seconds: float | None = None, memory: float = 4.0, keep: Path = Path("fuzz")
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
    _limit_memory(memory)
    logging_off()
    formats = make_formats()
    start, done, number = time.monotonic(), 0, 0
    faults: dict[str, Fault] = {}
    counts: Counter[str] = Counter()
    while done < rows and (seconds is None or time.monotonic() - start < seconds):
        name = list(formats)[number % len(formats)]
        choice = random.Random(f"{seed} {number}")
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, contextlib.chdir(folder):
            done += _write_changed(formats[name], Path(folder), choice)
            reader = choice.choice(formats[name].read)
            problem = _problem_of(reader, Path(folder))
            counts[f"{name}: {'fault' if problem and problem != 'refused' else problem or 'read'}"] += 1
            if problem not in ("", "refused"):
                kind = f"{name}: {problem.splitlines()[-1][:80]}"
                if kind not in faults:
                    faults[kind] = Fault(name, number, problem)
                    target = keep.absolute() / f"{name}-{seed}-{number}"
                    shutil.copytree(folder, target, dirs_exist_ok=True, ignore_dangling_symlinks=True)
        number += 1
    for kind, count in sorted(counts.items()):
        print(f"{kind} {count}")
    print(f"{done} rows, {number} files, {len(faults)} kinds of fault, {time.monotonic() - start:.0f} s, seed {seed}")
    for fault in faults.values():
        print(f"\n{fault.format}, round {fault.round}:\n{fault.problem}")
    return list(faults.values())


def logging_off() -> None:
    """Warnings about data are what a user should see; here they are noise."""
    import logging

    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _limit_memory(gigabytes: float) -> None:
    with contextlib.suppress(ImportError):
        import resource  # not on Windows

        used = (
            int(re.search(r"VmData:\s+(\d+)", Path("/proc/self/status").read_text())[1]) * 1024
            if os.path.exists("/proc/self/status")
            else 0
        )  # type: ignore[index]
        limit = used + int(gigabytes * 2**30)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, resource.getrlimit(resource.RLIMIT_DATA)[1]))


def _problem_of(reader: Callable[[Path], Any], folder: Path) -> str:
    """Return nothing, "refused", or what is wrong with the answer of a reader."""
    with _time_limit():
        try:
            reader(folder)
        except InputError as error:
            return "refused" if str(error) and "\n" not in str(error).strip("\n") else f"not one sentence: {error!r}"
        except TooSlowError:
            return f"longer than {SECONDS:g} s\n{traceback.format_exc(limit=-3)}\nTooSlowError"
        except BaseException:
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
        old, new = choice.choice(
            [(b",", b" "), (b" ", b","), (b",", b",,"), (b".", b"_"), (b"\n", b"\r"), (b">", b"<"), (b":", b"")]
        )
        return content.replace(old, new, choice.randint(1, 5))
    places = list(_places(value))
    if places:
        holder, key = choice.choice(places)
        new = choice.choice(
            [None, True, [], {}, "", "x", -1, 0, 1e39, float("nan"), float("inf"), 10**30, [[]], {"id": 1}]
        )
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
    jpeg = _jpeg()
    frames = range(1, 5)
    gt = "".join(f"{n},{i},{10 * i + n},{20 + i}.5,30,40,1,1,0.9\n" for n in frames for i in (1, 2, 3)).encode()
    det = "".join(f"{n},-1,{10 * i + n},{20 + i}.5,30,40,0.{9 - i}\n" for n in frames for i in (1, 2, 3)).encode()
    rows = "".join(f"{n},{i},{10 * i + n},{20 + i}.5,30,40,1,-1,-1,-1\n" for n in frames for i in (1, 2, 3)).encode()
    info = b"[Sequence]\nname=S\nimDir=img1\nframeRate=25\nseqLength=4\nimWidth=64\nimHeight=48\nimExt=.jpg\n"
    pictures = {f"S/img1/{n:06d}.jpg": jpeg for n in frames}
    sequence = {"S/gt/gt.txt": gt, "S/det/det.txt": det, "S/seqinfo.ini": info, "R/S.txt": rows}
    names = [f"{n}.jpg" for n in range(4)]
    images = {f"images/{name}": jpeg for name in names}
    coco = {
        "images": [
            {"id": i, "file_name": name, "width": 64, "height": 48, "video_id": 1, "frame_id": i}
            for i, name in enumerate(names)
        ],
        "annotations": [
            {
                "id": i,
                "image_id": i % 4,
                "category_id": 1 + i % 2,
                "bbox": [1, 2, 20.5, 30],
                "iscrowd": int(i == 5),
                "track_id": i,
            }
            for i in range(8)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "car"}],
        "videos": [{"id": 1, "name": "v", "fps": 25}],
    }
    found = [{"image_id": i % 4, "category_id": 1, "bbox": [1, 2, 20.5, 30], "score": 0.5} for i in range(6)]
    person = {
        "tag": "person",
        "fbox": [1, 2, 20, 30],
        "vbox": [1, 2, 20, 30],
        "hbox": [1, 2, 5, 6],
        "extra": {"ignore": 0},
    }
    odgt = "".join(json.dumps({"ID": str(n), "gtboxes": [person, {**person, "tag": "mask"}]}) + "\n" for n in range(4))
    kitti = "".join(
        f"{n} {i} Car 0 0 -10 1.0 2.0 30.5 40 -1 -1 -1 -1000 -1000 -1000 -10\n" for n in range(4) for i in (1, 2)
    )
    voc = (
        "<?xml version='1.0'?>\n<annotation>\n <filename>0.jpg</filename>\n"
        + "".join(
            f" <object><name>{name}</name>\n  <difficult>0</difficult><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30.5</xmax><ymax>40</ymax></bndbox></object>\n"
            for name in ("person", "car")
        )
        + "</annotation>\n"
    )
    plan = (
        b"data:\n  size: [64, 64]\n  train:\n    - format: yolo\n      path: .\n      weight: 1.5\n  validation: []\n"
    )
    fractions = b"".join(b"%d 0.5 0.5 0.2 0.25 %d\n" % (i % 2, i) for i in range(4))
    jde = b"".join(b"0 %d 0.5 0.5 0.2 0.25\n" % i for i in range(4))
    labels = {f"labels/{n}.txt": fractions for n in range(4)}
    ids = {f"labels_with_ids/{n}.txt": jde for n in range(4)}
    kitti_images = {f"image_02/0000/{n:06d}.jpg": jpeg for n in range(4)}
    voc_images = {f"JPEGImages/{n}.jpg": jpeg for n in range(2)}
    text = sorted(sequence)
    return {
        "coco": Format({**images, "a.json": json.dumps(coco, indent=1).encode()}, ["a.json"], _readers("coco", "a.json")),
        "crowdhuman": Format({**{f"Images/{n}.jpg": jpeg for n in range(4)}, "a.odgt": odgt.encode()}, ["a.odgt"], _readers("crowdhuman", "a.odgt")),
        "cvat": Format({**pictures, "S/gt/gt.txt": gt, "S/gt/labels.txt": b"person\ncar\n"}, ["S/gt/gt.txt", "S/gt/gt.txt", "S/gt/labels.txt"], _readers("cvat", "S")),
        "jde": Format({**images, **ids, "train.txt": "".join(f"images/{n}\n" for n in names).encode()}, ["train.txt", *ids], _readers("jde", "train.txt")),
        "kitti": Format({**kitti_images, "label_02/0000.txt": kitti.encode()}, ["label_02/0000.txt"], _readers("kitti", ".")),
        "mot": Format({**pictures, **sequence}, text, [*_readers("mot", "S"), *_sequence_readers()]),
        "voc": Format({**voc_images, "Annotations/0.xml": voc.encode(), "Annotations/1.xml": voc.encode()}, ["Annotations/0.xml"], _readers("voc", ".")),
        "yolo": Format({**images, **labels, "data.yaml": b"path: .\nnames:\n  0: person\n  1: car\n"}, ["data.yaml", *labels], _readers("yolo", ".")),
        "plan": Format({**images, **labels, "plan.yaml": plan}, ["plan.yaml"], [lambda _: DataPlan.read(Path("plan.yaml")), lambda _: check_data("plan.yaml")]),
        "detections": Format(
            {"gt.json": json.dumps(coco).encode(), "found.json": json.dumps(found).encode(), "our.json": json.dumps({**coco, "annotations": [{**one, "score": 0.5} for one in coco["annotations"]]}).encode()},
            ["gt.json", "found.json", "our.json"],
            [lambda _: read_labels_and_detections(Path("gt.json"), Path("found.json"), None), lambda _: read_labels_and_detections(Path("gt.json"), Path("our.json"), None)],
        ),
        "image": Format({"a.jpg": jpeg}, ["a.jpg"], [lambda _: read_image(Path("a.jpg"))]),
        "command": Format({**pictures, **sequence}, text, _commands()),
    }  # fmt: skip


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
