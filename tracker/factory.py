"""Trackers by name, for configurations and the command line."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from tracker.errors import InputError, near

if TYPE_CHECKING:
    from tracker.base import Tracker, TrackerOptions


class Entry(NamedTuple):
    """A tracker of `TRACKERS`; its class is imported when it is asked for.

    Attributes:
        module, kind: Where its class is, and the name of that.
        preset: The options in which it differs from the class's defaults.
    """

    module: str
    kind: str
    preset: Mapping[str, Any]

    def load(self) -> type[Tracker[Any]]:
        """Return the class."""
        found: type[Tracker[Any]] = getattr(import_module(self.module), self.kind)
        return found


TRACKERS: Mapping[str, Entry] = {
    "scene": Entry("tracker.scene", "SceneTracker", {}),
    "scene-reid": Entry("tracker.scene", "SceneTracker", {"use_embeddings": True}),
    "fairmot": Entry("tracker.fairmot", "FairMOTTracker", {}),
    "botsort": Entry("tracker.botsort", "BoTSortTracker", {}),
    "botsort-reid": Entry("tracker.botsort", "BoTSortTracker", {"use_embeddings": True}),
    "jde": Entry("tracker.fairmot", "FairMOTTracker", {"embedding_distance": "euclidean", "embedding_limit": 0.7}),
    "sort": Entry("tracker.sort", "SortTracker", {}),
    "deepsort": Entry("tracker.deepsort", "DeepSortTracker", {}),
    "ocsort": Entry("tracker.ocsort", "OCSortTracker", {}),
    "bytetrack": Entry("tracker.bytetrack", "ByteTracker", {}),
}
"""By name."""

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
    entry = _find(name)
    return entry.load()(**{**entry.preset, **options})


def tracker_options(name: str) -> TrackerOptions:
    """Return the options that a tracker has if none are given, as its dataclass.

    >>> tracker_options("fairmot").max_lost_seconds
    1.0
    """
    entry = _find(name)
    return entry.load().Options(**entry.preset)


def _find(name: str) -> Entry:
    spellings = {_spelling(known): known for known in TRACKERS}
    if _spelling(name) not in spellings:
        raise InputError(f"there is no tracker {name!r}; {near(name.lower(), TRACKERS, cutoff=0.5)}")
    return TRACKERS[spellings[_spelling(name)]]


def _spelling(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
