"""Options about which frames of the sources are watched."""

from __future__ import annotations

import argparse
from typing import Any

from centertrack.commands.shared.options import positive_int, positive_number
from tracker.errors import InputError
from tracker.io.part import Part, Place, parse_place


def add_part_options(parser: argparse.ArgumentParser) -> None:
    """Add which part of each source is watched, at which rate, and for how long a lost stream is waited for."""
    group = parser.add_argument_group("part of the sources")
    group.add_argument(
        "--start", type=_place, metavar="T|Nf", help="begin at this time, as 12.5 or 1:30, or at this frame, as 300f"
    )
    group.add_argument("--end", type=_place, metavar="T|Nf", help="end before this time, or after this frame")
    group.add_argument(
        "--stride", type=positive_int, default=1, metavar="N", help="watch every Nth frame only (default: all)"
    )
    group.add_argument(
        "--fps",
        type=_rate,
        metavar="N",
        help="frames per second of images and raw MJPEG, which do not say it (default: 30 and 25, with a warning)",
    )
    group.add_argument(
        "--reconnect",
        type=_seconds_or_off,
        metavar="off|SECONDS",
        help="for how long a live stream that breaks off is tried again (default: 300)",
    )


def part_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return what `open_source` is told.

    Raises:
        InputError: The end is not behind the start.
    """
    Part(options.start, options.end)
    told = {"start": options.start, "end": options.end, "stride": options.stride, "frame_rate": options.fps}
    return told if options.reconnect is None else {**told, "reconnect": options.reconnect or None}


def _place(text: str) -> Place:
    try:
        return parse_place(text)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("place must be ").join(("expected ", ""))) from error


def _rate(text: str) -> float:
    return positive_number(text, "frames per second, a number above 0")


def _seconds_or_off(text: str) -> float:
    """Read seconds, of which off has none."""
    return 0.0 if text == "off" else positive_number(text, "off or a number of seconds above 0")
