"""Options about what is counted: lines, zones, and the pictures of all tracks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from centertrack.app.outputs import OutputKind
from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.app.answers import Questions

PICTURE = (".png",)


def add_counting_options(parser: argparse.ArgumentParser) -> None:
    """Add what is counted, and where the answers go."""
    group = parser.add_argument_group("counting")
    group.add_argument(
        "--line",
        action="append",
        default=[],
        metavar="NAME=x1,y1,x2,y2",
        help="count who crosses this line: in from its left-hand to its right-hand side as one looks along it, out on "
        "the way back; numbers are pixels, with %% shares of the image; may be given several times",
    )
    group.add_argument(
        "--zone",
        action="append",
        default=[],
        metavar="NAME=x1,y1,x2,y2,x3,y3,...",
        help="count who enters, leaves and stays in this polygon; may be given several times",
    )
    group.add_argument("--places", metavar="FILE.yaml", help="a file with many lines: and zones:, by name")
    group.add_argument(
        "--anchor",
        choices=("bottom", "centre"),
        default="bottom",
        help="the point of a box that counts: the middle of its lower side, or its centre (default: %(default)s)",
    )
    group.add_argument(
        "--events",
        metavar="FILE|FOLDER",
        help="a row for every event (.csv; by default under runs/ with lines or zones)",
    )
    group.add_argument(
        "--counts", metavar="FILE|FOLDER", help="all numbers (.json; by default under runs/ with lines or zones)"
    )
    group.add_argument(
        "--audit", metavar="FOLDER", help="a picture of every event, to check it by; new or empty, with lines or zones"
    )
    group.add_argument("--heatmap", metavar="FILE|FOLDER", help="a picture of where objects stood for how long (.png)")
    group.add_argument("--trails", metavar="FILE|FOLDER", help="a picture of all ways (.png)")
    group.add_argument("--plot", metavar="FILE|FOLDER", help="how many there were in the image over time (.png)")


def read_questions(options: argparse.Namespace, looks: bool = False) -> Questions:
    """Read what is asked, before any source is opened.

    Args:
        options: Of `add_counting_options`, and `sources`.
        looks: Whether ids may be compared by their looks for links.

    Raises:
        InputError: A line or zone is none, two have the same name, or a file is asked for that needs one.
    """
    from centertrack.app.answers import Questions
    from tracker.counting.audit import check_empty
    from tracker.counting.places import KINDS, parse_place, read_places

    places = [parse_place(kind, text) for kind in KINDS for text in getattr(options, kind)]
    if options.places:
        places += read_places(options.places)
    names = [place.name for place in places]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two lines or zones are called {name}; give each a name of its own")
    for option in ("events", "audit"):
        if getattr(options, option) and not places:
            raise InputError(f"--{option} is about lines and zones; give --line, --zone or --places")
    audit = Path(options.audit) if options.audit else None
    if audit is not None:
        check_empty(audit)
        if len(options.sources) > 1:
            raise InputError(
                f"--audit takes the pictures of one source, got {len(options.sources)} sources; give one at a time"
            )
    return Questions(places, options.anchor, audit, looks)


def answer_kinds(options: argparse.Namespace, questions: Questions) -> list[OutputKind]:
    """Return the outputs that are asked for; events and counts always where there are lines or zones."""
    asked = bool(questions.places)
    kinds = [
        OutputKind("events", "-events.csv", options.events, (".csv",), always=asked),
        OutputKind("counts", "-counts.json", options.counts, (".json",), always=asked),
        OutputKind("heatmap", "-heatmap.png", options.heatmap, PICTURE),
        OutputKind("trails", "-trails.png", options.trails, PICTURE),
        OutputKind("plot", "-plot.png", options.plot, PICTURE),
    ]
    given = [kind.given for kind in kinds[:2] if kind.given is not None]
    return [kind for kind in kinds if kind.given is not None or (kind.always and not given)]
