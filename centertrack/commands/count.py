"""`centertrack count`: answers about tracks that are there already."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from centertrack.app.outputs import OutputKind, OutputPlan
from centertrack.commands.shared.counting_options import add_counting_options, answer_kinds, read_questions
from centertrack.commands.shared.options import read_size_option
from centertrack.commands.shared.terminal import progress_bar, say
from tracker.errors import InputError
from tracker.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from centertrack.app.answers import Questions
    from centertrack.app.file_sink import FileSink
    from tracker.io.frame import FrameSource
    from tracker.io.tracked import TrackedSequence

_log = logging.getLogger(__name__)
SUMMARY = "count who crosses lines and stays in zones, in files of tracks"
DESCRIPTION = """Count in files of tracks: who crosses lines, who enters, leaves and stays in zones, and how many
different objects there were. Reads what `track` and `associate` write and every format of `centertrack evaluate`; a
MOTChallenge sequence folder gives the true numbers. No network runs. Times are those of the frames of --source, or
of the file where it has some; otherwise frames last 1 / --frame-rate seconds."""
EPILOG = """examples:
  centertrack count street.txt --source street.mp4 --line gate=50%,40%,50%,95%
  centertrack count street.txt --frame-rate 25 --zone queue=100,200,400,200,400,600,100,600
  centertrack count street.txt --source street.mp4 --places places.yaml --video counted.mp4 --audit checked
  centertrack count results --frame-rate 30 --places places.yaml --counts counts/"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "sources",
        nargs="+",
        metavar="TRACKS",
        help="file of tracks, folder of SEQUENCE.txt, file of another format, or MOTChallenge sequence folder",
    )
    parser.add_argument(
        "--source",
        metavar="SOURCE",
        help="what was tracked: a video, a folder of images, a sequence folder; brings times, size and pictures",
    )
    parser.add_argument(
        "--frame-rate",
        type=_rate,
        metavar="F",
        help="frames a second, unless --source is a video (default: as the file says, or 30 with a warning)",
    )
    parser.add_argument("--image-size", metavar="WxH", help="of the images, for coordinates with %%, without --source")
    add_counting_options(parser)
    parser.add_argument("--video", metavar="FILE|FOLDER", help="video with boxes, lines and zones (.mp4)")
    parser.add_argument("--quiet", action="store_true", help="write nothing but errors to the terminal")


def run(options: argparse.Namespace) -> int:
    """Count in all sequences."""
    from tracker.io.tracked import read_tracked
    from tracker.io.writer import VIDEO_SUFFIXES

    if options.source and options.image_size:
        raise InputError("--source brings the size of its images; leave out --image-size, or --source")
    questions = read_questions(options)
    sequences = [sequence for path in options.sources for sequence in read_tracked(path)]
    if len(sequences) > 1 and (options.source or questions.audit):
        option = "source" if options.source else "audit"
        raise InputError(f"--{option} belongs to one sequence, got {len(sequences)} sequences; give one at a time")
    kinds = answer_kinds(options, questions)
    if options.video:
        kinds.append(OutputKind("video", ".mp4", options.video, VIDEO_SUFFIXES))
    plan = OutputPlan(kinds, [str(one.rows.path) for one in sequences], [options.source] if options.source else ())
    for sequence in sequences:
        _count(sequence, options, questions, plan)
    return 0


def _count(sequence: TrackedSequence, options: argparse.Namespace, questions: Questions, plan: OutputPlan) -> None:
    from centertrack.app.answers import Answers, answer_sinks, overlay_of
    from centertrack.app.replay import PlainFrames, extent, replay
    from centertrack.app.sinks import VideoSink
    from tracker.io.video import open_source

    size = read_size_option(options.image_size) or sequence.size
    frames: FrameSource
    if options.source:
        frames = open_source(options.source, frame_rate=options.frame_rate)
        size, clock = frames.size, f"the frames of {Path(options.source).name}"
        if frames.is_rate_guessed:
            _warn_of_guess(options.source, frames.frame_rate)
            clock += f" at {frames.frame_rate:g} a second, a guess"
    else:
        rate, clock = _clock(sequence, options)
        times = {} if options.frame_rate else sequence.times
        frames = PlainFrames(sequence.name, size or extent(sequence), rate, sequence.length, times)
    with frames:
        answers = Answers(questions, sequence.name, size, sequence.class_name, "objects", clock)
        paths = plan.paths_for(sequence.name)

        def open_sinks() -> Iterator[FileSink]:
            yield from answer_sinks(paths, frames, answers)
            if "video" in paths:
                yield VideoSink(paths["video"], frames, overlay=overlay_of(answers))

        try:
            with progress_bar(sequence.name, frames.frame_count, options.quiet) as advance:
                sinks = replay(sequence.by_frame(), sequence.place, frames, open_sinks(), advance)
        finally:
            plan.release(paths.values())
    if not options.quiet:
        boxes = counted(len(sequence.rows), "box", "boxes")
        say(f"{sequence.name}: {counted(answers.counter.frames, 'frame')}, {boxes}")
        for remark in (remark for sink in sinks for remark in sink.remarks):
            say(f"  {remark}")
        for kind, path in paths.items():
            say(f"  {kind}: {path}")


def _clock(sequence: TrackedSequence, options: argparse.Namespace) -> tuple[float, str]:
    """Return frames a second, and where times are from, where there is no source."""
    from tracker.io.mot import DEFAULT_FRAME_RATE

    rate = options.frame_rate or sequence.frame_rate
    if sequence.times and not options.frame_rate:
        return rate or _rate_of(sequence.times), f"the seconds of {sequence.rows.path.name}"
    if rate is not None:
        return rate, f"(frame - 1) / {rate:g}"
    _warn_of_guess(sequence.rows.path, DEFAULT_FRAME_RATE)
    return DEFAULT_FRAME_RATE, f"(frame - 1) / {DEFAULT_FRAME_RATE:g}, a guess"


def _warn_of_guess(path: str | Path, rate: float) -> None:
    _log.warning(
        "%s does not say how long a frame lasts; times are for %g frames a second: give --frame-rate, or the video as "
        "--source",
        path,
        rate,
    )


def _rate_of(times: Mapping[int, float]) -> float:
    """Return frames a second between the first and the last frame whose times are known."""
    from tracker.io.mot import DEFAULT_FRAME_RATE

    first, last = min(times), max(times)
    elapsed = times[last] - times[first]
    return (last - first) / elapsed if elapsed > 0 else DEFAULT_FRAME_RATE


def _rate(text: str) -> float:
    """Read a frame rate, for argparse."""
    from tracker.io.mot import FRAME_RATES

    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not FRAME_RATES[0] <= value <= FRAME_RATES[1]:
        raise argparse.ArgumentTypeError(f"expected frames a second, got {text!r}")
    return value
