"""Trackers by name, for configurations and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracker.arguments import near
from tracker.base import Tracker, TrackerOptions
from tracker.botsort import BoTSortTracker
from tracker.bytetrack import ByteTracker
from tracker.deepsort import DeepSortTracker
from tracker.errors import InputError
from tracker.fairmot import FairMOTTracker
from tracker.ocsort import OCSortTracker
from tracker.scene import SceneTracker
from tracker.sort import SortTracker

TRACKERS: Mapping[str, tuple[type[Tracker[Any]], Mapping[str, Any]]] = {
    "scene": (SceneTracker, {}),
    "scene-reid": (SceneTracker, {"use_embeddings": True}),
    "fairmot": (FairMOTTracker, {}),
    "botsort": (BoTSortTracker, {}),
    "botsort-reid": (BoTSortTracker, {"use_embeddings": True}),
    "jde": (FairMOTTracker, {"embedding_distance": "euclidean", "embedding_limit": 0.7}),
    "sort": (SortTracker, {}),
    "deepsort": (DeepSortTracker, {}),
    "ocsort": (OCSortTracker, {}),
    "bytetrack": (ByteTracker, {}),
}
"""Name -> class, and the options in which it differs from the class's defaults."""

DEFAULT_TRACKER = "scene"
"""The tracker of every command that is not told another; boxes are enough for it."""


def make_tracker(name: str, **options: Any) -> Tracker[Any]:
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


def _find(name: str) -> tuple[type[Tracker[Any]], Mapping[str, Any]]:
    spellings = {_spelling(known): known for known in TRACKERS}
    if _spelling(name) not in spellings:
        raise InputError(f"there is no tracker {name!r}; {near(name.lower(), TRACKERS, cutoff=0.5)}")
    return TRACKERS[spellings[_spelling(name)]]


def _spelling(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
