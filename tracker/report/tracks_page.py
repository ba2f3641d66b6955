"""One self-contained HTML page about the tracks of one source: a timeline of ids, and what was counted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from tracker.detections import Tracks
from tracker.report.style import STYLE, TRACK_COLOURS, script_json, timeline_script

_SCRIPT = """
const {first, length, ids, colours} = JSON.parse(document.getElementById("tracks").textContent);
const element = document.getElementById("timeline");
const timeline = new Timeline(element, {first, length,
  rows: ids.map(([id, kind, spans]) => ({name: String(id), kind,
    spans: spans.map(([from, to]) => [from, to, colours[id % colours.length]])})),
  describe: (row, frame) => {
    const there = row.spans.some(([from, to]) => from <= frame && frame <= to);
    return `id ${row.name}${row.kind ? ", " + row.kind : ""}, frame ${frame}${there ? "" : ": not there"}`;
  },
  onPick: (row, frame) => {
    timeline.setCursor(frame);
    parent.postMessage({centertrackFrame: frame}, "*");
  }});
element.style.height = Math.min(420, 24 + timeline.rowHeight * Math.max(1, ids.length)) + "px";
"""


class Lifetimes:
    """When each id is there, collected frame by frame.

    Attributes:
        frames: How many there were.
        first: Number of the first frame, 0 before.
        last: Number of the last one, 0 before.
        spans: Id -> [first frame, last frame] of every stretch without a gap.
        labels: Id -> its last label.

    >>> lifetimes = Lifetimes()
    >>> for number in (1, 2, 3):
    ...     lifetimes.add(number, Tracks.empty())
    >>> lifetimes.frames, lifetimes.spans
    (3, {})
    """

    def __init__(self) -> None:
        self.frames = self.first = self.last = 0
        self.spans: dict[int, list[list[int]]] = {}
        self.labels: dict[int, int] = {}

    def add(self, number: int, tracks: Tracks) -> None:
        """Take the next frame."""
        for one, label in zip(tracks.ids.tolist(), tracks.labels.tolist(), strict=True):
            spans = self.spans.setdefault(one, [])
            if spans and spans[-1][1] == self.last:
                spans[-1][1] = number
            else:
                spans.append([number, number])
            self.labels[one] = label
        self.first = self.first or number
        self.frames, self.last = self.frames + 1, number


def render_tracks_page(
    title: str,
    facts: Mapping[str, str],
    lifetimes: Lifetimes,
    kinds: Mapping[int, str],
    places: Mapping[str, Any],
) -> str:
    """Return the page's HTML; it needs nothing else, and opens offline.

    A click on the timeline tells the page that this one is framed in, if any: `{centertrackFrame: number}`.

    Args:
        title: Above all of it.
        facts: A tile each: what it is -> its number.
        lifetimes: When each id is there.
        kinds: Id -> name of its class; empty where there is a single one.
        places: `lines` and `zones`, as `tally_places` returns them.
    """
    ids = [[one, kinds.get(one, ""), lifetimes.spans[one]] for one in sorted(lifetimes.spans)]
    data = {
        "first": max(1, lifetimes.first),
        "length": max(1, lifetimes.last - lifetimes.first + 1),
        "ids": ids,
        "colours": TRACK_COLOURS,
    }
    tiles = "".join(f'<div class="card"><b>{escape(value)}</b>{escape(name)}</div>' for name, value in facts.items())
    hint = "A row an id, from left to right the frames of the source; with Ctrl the wheel zooms."
    shown = '<div class="timeline"><div id="timeline"></div></div>' if ids else "<p>Nobody was followed.</p>"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}: tracks</title><style>{STYLE}</style></head>\n<body><main>"
        f'<h1>{escape(title)}</h1><div class="tiles">{tiles}</div>\n'
        f"{_lines(places.get('lines', {}))}{_zones(places.get('zones', {}))}"
        f'<h2>Timeline</h2><p class="soft">{hint}</p>{shown}</main>'
        f'<script type="application/json" id="tracks">{script_json(data)}</script>'
        f"<script>{timeline_script()}{_SCRIPT if ids else ''}</script></body></html>\n"
    )


def _lines(lines: Mapping[str, Any]) -> str:
    if not lines:
        return ""
    rows = [
        [name, line["in"], _interval(line["estimate"]["in"]), line["out"], _interval(line["estimate"]["out"])]
        for name, line in lines.items()
    ]
    return _table("lines", ("line", "in", "in, 95 %", "out", "out, 95 %"), rows)


def _zones(zones: Mapping[str, Any]) -> str:
    if not zones:
        return ""
    rows = []
    for name, zone in zones.items():
        occupancy, dwell = zone["occupancy"], zone["dwell"]
        mean = f"{dwell['mean']:.1f} s" if dwell["whole_visits"] else "-"
        rows.append([name, zone["entry"], zone["exit"], f"{occupancy['mean']:.1f}", occupancy["max"], mean])
    return _table("zones", ("zone", "entries", "exits", "inside on average", "at most", "stay on average"), rows)


def _interval(estimate: Mapping[str, Any]) -> str:
    return f"{estimate['low']} to {estimate['high']}"


def _table(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    cells = "".join(f"<th>{escape(one)}</th>" for one in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    table = f'<table id="{name}"><tr>{cells}</tr>{body}</table>'
    return f'<h2>{name.capitalize()}</h2><div class="card scroll">{table}</div>\n'
