"""Damage videos, and end runs at random moments: see whether anything hangs, is lost, or shows a traceback.

    python tools/fuzz_runs.py videos --count 200 --seed 7
    python tools/fuzz_runs.py kills --count 40 --seed 7
    python tools/fuzz_runs.py kills --count 4 --commands '[train]'
    python tools/fuzz_runs.py pairs --count 3

`videos` changes bytes of small clips, cuts pieces out or shortens them, and reads each; every fourth is tracked. A
reader may give frames with rising numbers and times, or raise InputError with one line. `kills` starts commands and
sends each a signal at a random moment. The command must end, with the exit code of the signal and without a traceback;
what was there under the names of its results is as before or complete; what SIGKILL left is named by the next run.
`pairs` tracks one video twice at once, and both results must be there. The same seed gives the same choices.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
import yaml
from fuzz import Fault, inside, memory_limit, problem_of, silence
from jsonargparse import auto_cli

from centertrack.app.session import track
from centertrack.predictor import Predictor
from centertrack.synthetic import SceneConfig, StreetScene
from centertrack.training.checkpoints import from_pretrained
from tracker import InputError
from tracker.arrays import Image
from tracker.io.atomic import partial_path
from tracker.io.mot import read_results
from tracker.io.video import VideoWriter, open_source
from tracker.wording import counted

PROJECT = Path(__file__).parents[1]
SIZE, RATE, FRAMES = (160, 96), 25, 30
ENDINGS = (".mp4", ".mkv", ".ts", ".flv", ".avi")
TRACKED = 4  # every so many-th damaged video is tracked
EARLIER = b"what an earlier run has written\n"
GUARD = 30.0  # seconds from a signal to the end on a busy machine
LONGEST = 300.0  # seconds of a run that nobody disturbs
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGINT SIGINT", "SIGKILL")
COMMANDS = ("track", "detect", "associate", "train")
LONG_CLIP, LONG_SEQUENCE = 120, 4000  # frames: some seconds
_OURS = re.compile(r'File ".*/(centertrack|tracker)/')  # not where Python itself starts or ends
TRAINING = {
    "trainer": {
        "max_epochs": 3,
        "accelerator": "cpu",
        "devices": 1,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        "callbacks": [
            {
                "class_path": "pytorch_lightning.callbacks.ModelCheckpoint",
                "init_args": {"save_last": True, "save_top_k": 1, "every_n_epochs": 1},
            }
        ],
        "logger": {"class_path": "pytorch_lightning.loggers.CSVLogger", "init_args": {"save_dir": "logs"}},
    },
    "model": {
        "backbone": {"name": "shufflenet_v2_x0.5", "pretrained": False},
        "neck": {"name": "FPNNeck", "upsample_channels": [16, 16, 16], "conv_type": "separable"},
        "output_heads": {
            "heatmap": {"num_classes": 1, "width": 16},
            "box_2d": {"width": 16, "box_multiplier": 16.0},
            "reid": {"embedding_dim": 8, "width": 16},
        },
    },
    "data": {
        "size": [160, 96],
        "batch_size": 2,
        "samples_per_epoch": 8,
        "workers": 0,
        "train": [{"format": "synthetic", "options": {"scenes": 1, "frames": 2, "size": [160, 96], "seconds": 1.0}}],
    },
}


def videos(
    count: int = 200, seed: int = 0, tracked: int = TRACKED, memory: float = 4.0, keep: Path = Path("runs/fuzz")
) -> list[Fault]:
    """Damage videos and read them.

    Args:
        count: Damaged files.
        seed: Of all choices.
        tracked: Every so many-th is tracked instead; 0 tracks none.
        memory: Gigabytes that the process may add to what it has.
        keep: Folder for the file of every fault; made when there is one.

    Returns:
        The faults, at most one of a kind.
    """
    start, keep = time.monotonic(), keep.absolute()
    faults: dict[str, Fault] = {}
    counts: Counter[str] = Counter()
    follow = _follower() if tracked else _read_frames
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        clips = make_clips(Path(temporary))
        with silence(), memory_limit(memory):
            for number in range(count):
                ending = ENDINGS[number % len(ENDINGS)]
                read = follow if tracked and number // len(ENDINGS) % tracked == tracked - 1 else _read_frames
                with tempfile.TemporaryDirectory(prefix="fuzz-") as folder, inside(folder):
                    path = Path(f"damaged{ending}")
                    path.write_bytes(damage(clips[ending], random.Random(f"{seed} {number}")))
                    problem = problem_of(read, path)
                    is_fault = problem not in ("", "refused")
                    counts[f"{ending}: {'fault' if is_fault else problem or 'read'}"] += 1
                    kind = f"{ending}: {problem.splitlines()[-1][:80]}" if is_fault else ""
                    if is_fault and kind not in faults:
                        faults[kind] = Fault(ending, number, problem)
                        keep.mkdir(parents=True, exist_ok=True)
                        shutil.copy(path, keep / f"video-{seed}-{number}{ending}")
    return _tell(counted(count, "damaged video"), seed, start, counts, faults)


def make_clips(folder: Path) -> dict[str, bytes]:
    """Return a small valid video of each of `ENDINGS`."""
    for ending in (".mp4", ".mkv"):
        with VideoWriter(folder / f"clip{ending}", SIZE, RATE) as writer:
            for number in range(FRAMES):
                writer.write(_picture(number))
    for ending, codec in ((".ts", "libx264"), (".flv", "libx264"), (".avi", "mpeg4")):
        with av.open(str(folder / f"clip{ending}"), "w") as container:
            stream: Any = container.add_stream(codec, rate=RATE, options={"g": "8"})
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            for number in range(FRAMES):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(_picture(number), format="rgb24")))
            container.mux(stream.encode(None))
    return {ending: (folder / f"clip{ending}").read_bytes() for ending in ENDINGS}


def _picture(number: int) -> Image:
    """Return two bright boxes that move over noise."""
    image = np.random.default_rng(number).integers(60, 100, (SIZE[1], SIZE[0], 3), np.uint8)
    for top, left in ((10, number % 120), (50, 120 - number % 120)):
        image[top : top + 40, left : left + 20] = 220
    return image


def damage(content: bytes, choice: random.Random) -> bytes:
    """Damage a file in one to four places."""
    changed = bytearray(content)
    for _ in range(choice.randint(1, 4)):
        choice.choice([_flip, _flip, _overwrite, _cut_out, _shorten, _damage_header])(changed, choice)
    return bytes(changed) or b"\0"


def _flip(content: bytearray, choice: random.Random) -> None:
    for _ in range(choice.choice([1, 3, 30, 300]) if content else 0):
        content[choice.randrange(len(content))] ^= 1 << choice.randrange(8)


def _overwrite(content: bytearray, choice: random.Random) -> None:
    """Put equal bytes in place of some, so that sizes and times become huge or 0."""
    length = choice.choice([1, 2, 4, 8, 188, 2000])
    first = choice.randint(0, len(content))
    last = min(first + length, len(content))
    content[first:last] = bytes([choice.choice([0, 0x7F, 0x80, 0xFF])]) * (last - first)


def _cut_out(content: bytearray, choice: random.Random) -> None:
    first = choice.randint(0, len(content))
    del content[first : first + choice.choice([1, 188, 1000, len(content) // 3])]


def _shorten(content: bytearray, choice: random.Random) -> None:
    del content[choice.randint(0, len(content)) :]


def _damage_header(content: bytearray, choice: random.Random) -> None:
    for _ in range(choice.choice([1, 4, 20])):
        if content:
            content[choice.randrange(min(len(content), 1500))] = choice.choice([0, 0xFF, choice.randrange(256)])


def _read_frames(path: Path) -> None:
    """Read a video as everything does that takes one."""
    number, seconds = 0, -1.0
    with open_source(path) as source:
        for frame in source:
            if frame.number <= number or frame.time <= seconds:
                raise AssertionError(f"frame {frame.number}, {frame.time} s after {number}, {seconds} s")
            number, seconds = frame.number, frame.time
            if frame.image.shape != (source.size[1], source.size[0], 3) or frame.image.dtype != np.uint8:
                raise AssertionError(f"{frame.image.shape} {frame.image.dtype} in a video of {source.size}")


def _follower() -> Callable[[Path], None]:
    """Return a function that tracks a video."""
    predictor = Predictor(image_size=SIZE)
    predictor.warm_up(SIZE)

    def follow(path: Path) -> None:
        results = Path("rows.txt")
        results.write_bytes(EARLIER)
        try:
            report = track(path, predictor, results=results).run()
        except InputError:
            if results.read_bytes() != EARLIER:
                raise AssertionError("an earlier result was replaced by one that is not complete") from None
            raise
        rows = read_results(results)
        if len(rows.frames) and rows.frames.max() < report.frames and len(set(rows.frames)) > report.frames:
            raise AssertionError(
                f"{counted(len(set(rows.frames)), 'frame has', 'frames have')} rows, {report.frames} were tracked"
            )

    return follow


class Command(NamedTuple):
    """A command that is ended at random moments.

    Attributes:
        arguments: After `centertrack`.
        prepare: Puts its input into a folder.
        results: Names of its files, for which earlier ones are put there first.
        begun: Pattern of files that show that it has begun to write.
    """

    arguments: list[str]
    prepare: Callable[[Path], None]
    results: list[str]
    begun: str


class Reference(NamedTuple):
    """A run that nobody disturbed.

    Attributes:
        until_begun: Seconds from its start to its first output.
        until_end: Seconds from there to its end.
        results: Name -> content.
    """

    until_begun: float
    until_end: float
    results: dict[str, bytes]


def make_commands() -> dict[str, Command]:
    """Return the commands by name."""
    to = ["--results", "rows.txt", "--video", "drawn.mp4"]
    return {
        "track": Command(["track", "clip.mp4", *to], _prepare_clip, ["rows.txt", "drawn.mp4"], ".*.part.*"),
        "detect": Command(
            ["detect", "clip.mp4", "--results", "found.json"], _prepare_clip, ["found.json"], ".*.part.*"
        ),
        "associate": Command(
            ["associate", "S", "--tracker", "sort", "--results", "out"],
            _prepare_sequence,
            ["out/S.txt"],
            "out/.*.part.*",
        ),
        "train": Command(
            ["train", "fit", "--config", "training.yaml"],
            lambda folder: _write(folder / "training.yaml", yaml.safe_dump(TRAINING)),
            [],
            "logs/**/config.yaml",
        ),
    }


def kills(
    count: int = 40, seed: int = 0, commands: list[str] | None = None, keep: Path = Path("runs/fuzz")
) -> list[Fault]:
    """Start commands, and send each a signal at a random moment.

    Args:
        count: Runs.
        seed: Of all choices.
        commands: Some of `COMMANDS`; by default all.
        keep: Folder for the folder of every fault; made when there is one.

    Returns:
        The faults, at most one of a kind.
    """
    start, keep = time.monotonic(), keep.absolute()
    faults: dict[str, Fault] = {}
    counts: Counter[str] = Counter()
    known = make_commands()
    names = commands or list(COMMANDS)
    for number in map(int, (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)):
        if signal.getsignal(number) == signal.SIG_IGN:  # a shell's background jobs, and `nohup`: children inherit it
            signal.signal(number, signal.SIG_DFL)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
        references = {name: _undisturbed(known[name], Path(temporary, name)) for name in names}
        for number in range(count):
            choice = random.Random(f"{seed} {number}")
            name, sent = names[number % len(names)], choice.choice(SIGNALS)
            folder = Path(temporary, str(number))
            problem, code = _kill_one(known[name], references[name], sent, folder, choice)
            counts[f"{name}, {sent}: {'fault' if problem else f'exit code {code}'}"] += 1
            if problem and (kind := f"{name} {sent} {problem.splitlines()[0]}") not in faults:
                faults[kind] = Fault(name, number, f"{sent}: {problem}")
                print(f"{name}, round {number}: {sent}: {problem}", flush=True)
                shutil.copytree(folder, keep / f"kill-{seed}-{number}", dirs_exist_ok=True)
            shutil.rmtree(folder)
    return _tell(counted(count, "kill"), seed, start, counts, faults)


def pairs(count: int = 3, keep: Path = Path("runs/fuzz")) -> list[Fault]:
    """Track one video twice at once, without naming the outputs.

    Args:
        count: Pairs.
        keep: Folder for the folder of every fault; made when there is one.

    Returns:
        The faults.
    """
    start, keep = time.monotonic(), keep.absolute()
    faults: dict[str, Fault] = {}
    expected = {f"clip{number}{ending}" for number in ("", "-2") for ending in (".mp4", ".txt")}
    for number in range(count):
        with tempfile.TemporaryDirectory(prefix="fuzz-") as temporary:
            folder = Path(temporary)
            _prepare_clip(folder)
            runs = [_start(["track", "clip.mp4"], folder, f"said-{which}.txt") for which in (1, 2)]
            codes = [run.wait(LONGEST) for run in runs]
            made = {path.name: path.read_bytes() for path in Path(folder, "runs").iterdir()}
            rows = {content for name, content in made.items() if name.endswith(".txt")}
            said = "".join(Path(folder, f"said-{which}.txt").read_text(encoding="utf-8") for which in (1, 2))
            if codes != [0, 0] or made.keys() != expected or len(rows) != 1:
                problem = f"exit codes {codes}, {sorted(made)}, {counted(len(rows), 'different row')}\n{said}"
                faults[problem] = Fault("pair", number, problem)
                shutil.copytree(folder, keep / f"pair-{number}", dirs_exist_ok=True)
    return _tell(counted(count, "pair"), 0, start, Counter(), faults)


def _prepare_clip(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    scene = StreetScene(SceneConfig(size=(320, 192), seconds=0.2, people=6, seed=3))
    images = [scene.frame(index).frame.image for index in range(4)]
    with VideoWriter(folder / "clip.mp4", (320, 192), RATE) as writer:
        for number in range(LONG_CLIP):
            writer.write(images[number % len(images)])


def _prepare_sequence(folder: Path) -> None:
    boxes = [(n, f"{10 + 40 * i + n % 30},{20 + i}.5,30,40") for n in range(1, LONG_SEQUENCE + 1) for i in range(20)]
    _write(folder / "S/det/det.txt", "".join(f"{n},-1,{box},0.9\n" for n, box in boxes))
    size = "imDir=img1\nimWidth=960\nimHeight=540\nimExt=.jpg"
    _write(folder / "S/seqinfo.ini", f"[Sequence]\nname=S\nframeRate=25\nseqLength={LONG_SEQUENCE}\n{size}\n")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _start(arguments: list[str], folder: Path, said: str = "said.txt") -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with (folder / said).open("wb") as output:
        command = [sys.executable, "-m", "centertrack", *arguments]
        return subprocess.Popen(command, cwd=folder, env=environment, stdout=output, stderr=output)


def _undisturbed(command: Command, folder: Path) -> Reference:
    command.prepare(folder)
    start = time.monotonic()
    run = _start(command.arguments, folder)
    _wait_until_begun(run, command, folder, LONGEST)
    begun = time.monotonic()
    code, end = run.wait(LONGEST), time.monotonic()
    if code:
        raise InputError(f"centertrack {' '.join(command.arguments)} fails: {(folder / 'said.txt').read_text()}")
    return Reference(begun - start, end - begun, {name: (folder / name).read_bytes() for name in command.results})


def _wait_until_begun(run: subprocess.Popen[bytes], command: Command, folder: Path, seconds: float) -> bool:
    """Wait for the first output; return whether it came before the run ended and so many seconds had passed."""
    last = time.monotonic() + seconds
    while time.monotonic() < last and run.poll() is None:
        if any(path.stat().st_size for path in folder.glob(command.begun) if path.exists()):
            return True
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(0.02)
    return False


def _kill_one(
    command: Command, reference: Reference, sent: str, folder: Path, choice: random.Random
) -> tuple[str, int]:
    """Return what is wrong, if anything, and the exit code."""
    command.prepare(folder)
    for name in command.results:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(EARLIER)
    run = _start(command.arguments, folder)
    has_begun = choice.random() < 0.7 and _wait_until_begun(run, command, folder, LONGEST)
    with contextlib.suppress(subprocess.TimeoutExpired):
        run.wait(choice.uniform(0, reference.until_end if has_begun else reference.until_begun))
    for name in sent.split():
        run.send_signal(getattr(signal, name))  # does nothing where it has ended
        if name != sent:
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.wait(choice.uniform(0, 0.5))
    try:
        code = run.wait(GUARD)
    except subprocess.TimeoutExpired:
        run.kill()
        return f"does not end within {GUARD:g} s after the signal\n{_said(folder)}", run.wait()
    number = int(getattr(signal, sent.split()[0]))
    # before the command has taken the signals, and once it is done, they end the process as they end any other
    starts = code == 1 and "Fatal Python error: init_import_site" in _said(folder)  # Python itself
    if code not in (0, -number, 128 + number) and not starts:
        return f"exit code {code}\n{_said(folder)}", code
    was_done = code == -number and has_begun and sent in ("SIGINT", "SIGTERM", "SIGHUP")
    problem = _loss(reference, folder, is_whole=code == 0 or was_done)
    if not problem and number == signal.SIGKILL:
        problem = _next_run(command, reference, folder)
    return problem or (_partial(folder) if number != signal.SIGKILL else ""), code


def _loss(reference: Reference, folder: Path, is_whole: bool) -> str:
    """Return what is wrong with what a run has said, and left under the names of its results, if anything."""
    if "Traceback" in _said(folder) and _OURS.search(_said(folder)):
        return f"a traceback\n{_said(folder)}"
    for name, complete in reference.results.items():
        content = (folder / name).read_bytes()
        is_complete = content == complete if not name.endswith(".mp4") else _frames(folder / name) == LONG_CLIP
        if not is_complete and (content != EARLIER or is_whole):
            return f"{name} is neither as before nor complete ({counted(len(content), 'byte')})\n{_said(folder)}"
    for path in folder.rglob("*.ckpt"):
        from_pretrained(path)
    return ""


def _frames(video: Path) -> int:
    """Return how many frames a video has; the encoder's threads make its bytes differ from run to run."""
    try:
        return sum(1 for _ in open_source(video))
    except InputError:
        return 0


def _read_partial(path: Path) -> None:
    if path.suffix == ".mp4":
        _read_frames(path)
    elif path.suffix == ".json":
        json.loads(path.read_bytes())
    else:
        read_results(path)


def _partial(folder: Path) -> str:
    """Return what is wrong with results that are kept because they are not complete, if anything."""
    parts = [path.name for path in folder.rglob(".*.part.*") if path.stat().st_size]
    if parts and "left at once" not in _said(folder):
        return f"left {parts}\n{_said(folder)}"
    for path in folder.rglob("*.partial*"):
        if problem := problem_of(_read_partial, path):
            return f"{path.name}: {problem}"
    return ""


def _next_run(command: Command, reference: Reference, folder: Path) -> str:
    """Return what is wrong with the run after SIGKILL, and what it says of the parts that are left, if anything."""
    parts = [path for path in folder.rglob(".*.part.*") if path.stat().st_size]
    run = _start(command.arguments, folder)
    if run.wait(LONGEST):
        return f"the next run has exit code {run.returncode}\n{_said(folder)}"
    for part in parts:
        name = partial_path(part.with_name(re.sub(r"^\.(.*)\.\d+\.part", r"\1", part.name))).name
        if part.exists() or name not in _said(folder):
            return f"the next run does not say what {part.name} held\n{_said(folder)}"
    return _loss(reference, folder, is_whole=True)


def _said(folder: Path) -> str:
    return (folder / "said.txt").read_text(encoding="utf-8", errors="replace")


def _tell(what: str, seed: int, start: float, counts: Counter[str], faults: dict[str, Fault]) -> list[Fault]:
    for kind, number in sorted(counts.items()):
        print(f"{kind} {number}")
    print(f"{what}, {counted(len(faults), 'kind')} of fault, {time.monotonic() - start:.0f} s, seed {seed}")
    for fault in faults.values():
        print(f"\n{fault.format}, round {fault.round}:\n{fault.problem}")
    return list(faults.values())


if __name__ == "__main__":
    raise SystemExit(bool(auto_cli([videos, kills, pairs])))
