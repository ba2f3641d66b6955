"""All answers about one video as plain values, as counts.json holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from tracker.counting.certainty import estimate_count
from tracker.counting.counter import Counter
from tracker.counting.events import LINE_DIRECTIONS, ZONE_DIRECTIONS, Event, Visit
from tracker.counting.identities import IdentityCount
from tracker.counting.line import LineCounter
from tracker.counting.zone import ZoneCounter

ClassName = Callable[[int], str]


def tally_places(counter: Counter, class_name: ClassName) -> dict[str, Any]:
    """Return what was counted at every line and zone.

    Args:
        counter: Which has seen all frames.
        class_name: Names a label.
    """
    return {
        "hidden_share": round(counter.hidden_share, 4) if counter.lines or counter.zones else None,
        "lines": {one.place.name: _tally_line(one, counter, class_name) for one in counter.lines},
        "zones": {one.place.name: _tally_zone(one, counter, class_name) for one in counter.zones},
    }


def tally_identities(count: IdentityCount) -> dict[str, Any]:
    """Return how many different objects there were."""
    return {
        "different": count.different,
        "low": count.low,
        "high": count.high,
        "lasting": count.lasting,
        "brief": count.brief,
        "breaks": count.breaks,
        "links": count.links,
    }


def _tally_line(one: LineCounter, counter: Counter, class_name: ClassName) -> dict[str, Any]:
    own = [event for event in counter.events if event.name == one.place.name]
    possible = [*one.possible, *one.pending()]
    return {
        "points": _listed(one.place.points),
        **_numbers(own, LINE_DIRECTIONS, class_name, counter.hidden_share, possible),
        "possible": {way: sum(event.direction == way for event in possible) for way in LINE_DIRECTIONS},
    }


def _tally_zone(one: ZoneCounter, counter: Counter, class_name: ClassName) -> dict[str, Any]:
    own = [event for event in counter.events if event.name == one.place.name]
    visits = [*one.visits, *one.open_visits(counter.time)]
    whole = [visit.seconds for visit in visits if visit.is_whole]
    return {
        "points": _listed(one.place.points),
        **_numbers(own, ZONE_DIRECTIONS, class_name, counter.hidden_share),
        "occupancy": {"now": one.now, "mean": round(one.mean, 4), "max": one.highest},
        "dwell": {
            "whole_visits": len(whole),
            "mean": round(float(np.mean(whole)), 3) if whole else None,
            "median": round(float(np.median(whole)), 3) if whole else None,
            "max": round(max(whole), 3) if whole else None,
        },
        "visits": [_tally_visit(visit, class_name) for visit in sorted(visits, key=lambda visit: visit.start)],
    }


def _tally_visit(visit: Visit, class_name: ClassName) -> dict[str, Any]:
    return {
        "id": visit.identity,
        "class": class_name(visit.label),
        "start": round(visit.start, 3),
        "end": round(visit.end, 3),
        "seconds": round(visit.seconds, 3),
        "began": visit.began,
        "ended": visit.ended,
    }


def _numbers(
    events: Sequence[Event],
    directions: Sequence[str],
    class_name: ClassName,
    hidden_share: float,
    possible: Sequence[Event] = (),
) -> dict[str, Any]:
    """Return how many events went each way, in all and by class, and what each number says about the truth."""
    by_way = {way: [event for event in events if event.direction == way] for way in directions}
    classes = sorted({class_name(event.label) for event in events})
    return {
        **{way: len(found) for way, found in by_way.items()},
        "estimate": {way: _estimate([*events, *possible], way, hidden_share) for way in directions},
        "by_class": {
            name: {way: sum(class_name(event.label) == name for event in found) for way, found in by_way.items()}
            for name in classes
        },
    }


def _estimate(events: Sequence[Event], way: str, hidden_share: float) -> dict[str, Any]:
    found = estimate_count([event.probability for event in events if event.direction == way], hidden_share)
    return {"low": found.low, "expected": round(found.expected, 2), "high": found.high}


def _listed(points: Iterable[tuple[float, float]]) -> list[list[float]]:
    return [[round(x, 3), round(y, 3)] for x, y in points]
