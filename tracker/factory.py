"""Trackers by name, for configurations and the command line."""

from __future__ import annotations

import difflib
import importlib
from typing import TYPE_CHECKING, Any

from tracker.errors import InputError

if TYPE_CHECKING:
    from tracker.base import Tracker, TrackerOptions

_JDE = {"embedding_distance": "euclidean", "embedding_limit": 0.7}

TRACKERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "scene": ("tracker.scene", "SceneTracker", {}),
    "scene-reid": ("tracker.scene", "SceneTracker", {"use_embeddings": True}),
    "fairmot": ("tracker.fairmot", "FairMOTTracker", {}),
    "botsort": ("tracker.botsort", "BoTSortTracker", {}),
    "botsort-reid": ("tracker.botsort", "BoTSortTracker", {"use_embeddings": True}),
    "jde": ("tracker.fairmot", "FairMOTTracker", _JDE),
    "sort": ("tracker.sort", "SortTracker", {}),
    "deepsort": ("tracker.deepsort", "DeepSortTracker", {}),
    "ocsort": ("tracker.ocsort", "OCSortTracker", {}),
    "bytetrack": ("tracker.bytetrack", "ByteTracker", {}),
}
"""Name -> module, class, and the options in which it differs from the class's defaults."""

DEFAULT_TRACKER = "scene"
"""The tracker of every command that is not told another; boxes are enough for it."""


def make_tracker(name: str, **options: Any) -> Tracker:
    """Build a tracker by name.

    Args:
        name: One of `TRACKERS`; upper case, "-" and "_" do not matter.
        options: Fields of the tracker's options, see `tracker_options`.

    Raises:
        InputError: The name or an option is unknown (close matches are named), or a value is out of range.

    >>> make_tracker("bytetrack", min_score=0.5, frame_rate=25).options.min_score
    0.5
    """
    tracker, preset = _find(name)
    return tracker(**{**preset, **options})


def tracker_options(name: str) -> TrackerOptions:
    """Return the options that a tracker has if none are given, as its dataclass.

    >>> tracker_options("fairmot").max_lost_seconds
    1.0
    """
    tracker, preset = _find(name)
    return tracker.Options(**preset)


def _find(name: str) -> tuple[type[Tracker], dict[str, Any]]:
    spellings = {_spelling(known): known for known in TRACKERS}
    if _spelling(name) not in spellings:
        close = difflib.get_close_matches(name.lower(), TRACKERS, cutoff=0.5)
        hint = f"did you mean {' or '.join(close)}?" if close else f"there are: {', '.join(TRACKERS)}"
        raise InputError(f"there is no tracker {name!r}; {hint}")
    module, tracker, preset = TRACKERS[spellings[_spelling(name)]]
    return getattr(importlib.import_module(module), tracker), preset


def _spelling(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
