"""Charts as HTML and SVG text: curves, bars and timelines that need nothing but a browser."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np

from tracker.arrays import Floats
from tracker.evaluation.events import SequenceEvents, Span
from tracker.report.style import TRACK_COLOURS

_LANE = 8  # pixels of one tracker in the row of an identity
_ROW_GAP = 4  # between identities; twice that where a row has several lanes
_ERROR_BINS = 400


def series_colour(index: int) -> str:
    """Return the colour of a curve or bar; the style sheet knows six."""
    return f"var(--series-{index % 6})"


def legend(names: Iterable[str]) -> str:
    """Return coloured keys, in the order of `series_colour`."""
    keys = (f'<span><i style="background:{series_colour(i)}"></i>{escape(name)}</span>' for i, name in enumerate(names))
    return f'<div class="legend">{"".join(keys)}</div>'


def curve_chart(title: str, x: Floats, curves: Mapping[str, Floats]) -> str:
    """Return lines over alpha.

    Args:
        title: Above the chart.
        x: (A,) in [0, 1].
        curves: By name, each (A,) in [0, 1].
    """
    left, top, width, height = 34, 8, 330, 200

    def at(alpha: float, value: float) -> str:
        return f"{left + alpha * width:.1f} {top + (1 - value) * height:.1f}"

    parts = [f'<svg viewBox="0 0 {left + width + 8} {top + height + 34}" role="img" aria-label="{escape(title)}">']
    for value in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<path class="grid" d="M{at(0, value)}h{width}"/>')
        parts.append(
            f'<text x="{left - 6}" y="{top + (1 - value) * height + 4:.0f}" text-anchor="end">{100 * value:.0f}</text>'
        )
    for alpha in (0.1, 0.3, 0.5, 0.7, 0.9):
        x_tick = f"{left + alpha * width:.0f}"
        parts.append(f'<text x="{x_tick}" y="{top + height + 15}" text-anchor="middle">{alpha:.1f}</text>')
    parts.append(
        f'<text x="{left + width / 2}" y="{top + height + 30}" text-anchor="middle">IoU threshold alpha</text>'
    )
    for i, (name, values) in enumerate(curves.items()):
        line = "L".join(at(alpha, value) for alpha, value in zip(x, values, strict=True))
        title_text = f"{escape(name)}: {100 * values.mean():.2f} on average"
        parts.append(
            f'<path d="M{line}" fill="none" stroke="{series_colour(i)}" stroke-width="2.2" stroke-linejoin="round">'
            f"<title>{title_text}</title></path>"
        )
    return f"<div><h3>{escape(title)}</h3>{''.join(parts)}</svg></div>"


def bar_groups(groups: Mapping[str, Sequence[float]]) -> str:
    """Return horizontal bars: for each label one bar a series, values in [0, 1] (negative ones are empty bars)."""
    rows = []
    for label, values in groups.items():
        bars = "".join(
            f'<div class="bar"><span style="background:{series_colour(i)};width:{max(0, min(1, value)):.1%}"></span>'
            f"<em>{100 * value:.1f}</em></div>"
            for i, value in enumerate(values)
        )
        rows.append(f"<div>{escape(label)}</div><div>{bars}</div>")
    return f'<div class="bars">{"".join(rows)}</div>'


def legend_of_lanes(names: Sequence[str]) -> str:
    """Return which lane is whose, nothing for a single tracker."""
    return f"Lanes from top to bottom: {escape(', '.join(names))}." if len(names) > 1 else ""


def timeline(number: int, events: Sequence[SequenceEvents]) -> str:
    """Return the place of a timeline that the page's script draws, and the errors of every frame above.

    Args:
        number: Of this timeline in the page's data (see `timeline_data`).
        events: Of one sequence, from each tracker.
    """
    highest = max(1, *(max(story.misses.max(), story.false_positives.max()) for story in events))
    errors = "".join(_error_chart(story, highest) for story in events)
    return f'<div class="timeline"><div class="head">{errors}</div><div data-timeline="{number}"></div></div>'


def strip(events: Sequence[SequenceEvents], identity: int) -> str:
    """Return the lanes of one identity alone."""
    length, height = len(events[0].frames), _row_height(len(events))
    return (
        f'<svg class="lanes" height="{height}" width="100%" viewBox="0 0 {length} {height}" preserveAspectRatio="none">'
        f"{_lanes(events, [identity])}</svg>"
    )


def timeline_data(
    events: Sequence[SequenceEvents], names: Sequence[str], identities: Sequence[int]
) -> dict[str, object]:
    """Return what the page's script draws: a row an identity, with a lane for each tracker.

    Args:
        events: Of one sequence, from each tracker.
        names: Of the trackers.
        identities: The rows, from top to bottom.

    Returns:
        `first` and `length` in frames, `trackers`, and `rows`: identity, then for each lane the matched spans (track,
        first frame, last frame, ...), the spans in which it is there (first, last, ...) and the frames of its switches.
    """
    lanes = []
    for story in events:
        matched: dict[int, list[int]] = {}
        there: dict[int, list[int]] = {}
        marks: dict[int, list[int]] = {}
        for span in story.matched:
            matched.setdefault(span.identity, []).extend((span.track, span.first, span.last))
        for span in story.present:
            there.setdefault(span.identity, []).extend((span.first, span.last))
        for switch in story.switches:
            marks.setdefault(switch.identity, []).append(switch.frame)
        lanes.append((matched, there, marks))
    rows = [
        [identity, *([lane[kind].get(identity, []) for lane in lanes] for kind in range(3))] for identity in identities
    ]
    first, length = events[0].frames.start, len(events[0].frames)
    return {"first": first, "length": length, "trackers": list(names), "rows": rows}


def _row_gap(trackers: int) -> int:
    return _ROW_GAP if trackers == 1 else 2 * _ROW_GAP


def _row_height(trackers: int) -> int:
    return trackers * _LANE + _row_gap(trackers)


def _lanes(events: Sequence[SequenceEvents], identities: Sequence[int]) -> str:
    row_height, length = _row_height(len(events)), len(events[0].frames)
    stripes = "".join(f"M0 {row * row_height}h{length}" for row in range(1, len(identities)))
    parts = [f'<path class="stripe" d="{stripes}"/>']
    for lane, story in enumerate(events):
        middle = _row_gap(len(events)) / 2 + (lane + 0.5) * _LANE
        parts.append(_lane(story, {identity: row * row_height + middle for row, identity in enumerate(identities)}))
    return "".join(parts)


def _lane(story: SequenceEvents, y: Mapping[int, float]) -> str:
    """Draw one tracker's lane in every row; y is the middle of the lane of each identity."""
    start = story.frames.start

    def path(spans: Iterable[Span]) -> str:
        return "".join(f"M{span.first - start} {y[span.identity]:g}h{span.last - span.first + 1}" for span in spans)

    parts = [f'<path class="there" d="{path(span for span in story.present if span.identity in y)}"/>']
    by_colour: dict[str, list[Span]] = {}
    for span in story.matched:
        if span.identity in y:
            by_colour.setdefault(TRACK_COLOURS[span.track % len(TRACK_COLOURS)], []).append(span)
    for colour, spans in by_colour.items():
        parts.append(f'<path d="{path(spans)}" fill="none" stroke="{colour}" stroke-width="{_LANE - 2}"/>')
    marks = "".join(
        f"M{switch.frame - start} {y[switch.identity] - _LANE / 2:g}v{_LANE}"
        for switch in story.switches
        if switch.identity in y
    )
    parts.append(f'<path class="halo" d="{marks}"/><path class="switch" d="{marks}"/>')
    return "".join(parts)


def _error_chart(story: SequenceEvents, highest: float) -> str:
    """Misses upwards, false positives downwards, as means over up to 400 stretches of frames."""
    edges = np.linspace(0, len(story.frames), min(_ERROR_BINS, len(story.frames)) + 1).astype(int)
    parts = []
    for kind, counts, sign in (("fn", story.misses, -1), ("fp", story.false_positives, 1)):
        means = np.add.reduceat(counts, edges[:-1]) / np.diff(edges)
        steps = "".join(f"L{i} {sign * mean / highest:.3f}h1" for i, mean in enumerate(means))
        parts.append(f'<path class="{kind}" d="M0 0{steps}L{len(means)} 0Z"/>')
    title = f"misses (upwards) and false positives (downwards) of every frame, at most {highest}"
    return (
        f'<svg class="errors" viewBox="0 -1.05 {len(edges) - 1} 2.1" preserveAspectRatio="none">'
        f"<title>{title}</title>{''.join(parts)}</svg>"
    )
