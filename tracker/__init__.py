"""Detections to tracks, and tracks to scores."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tracker.detections import Detections, Tracks
from tracker.errors import InputError
from tracker.factory import TRACKERS, make_tracker, tracker_options

if TYPE_CHECKING:
    from tracker.base import Tracker, TrackerOptions
    from tracker.bytetrack import ByteTracker, ByteTrackOptions
    from tracker.evaluation import evaluate
    from tracker.fairmot import FairMOTOptions, FairMOTTracker

# Imported when first asked for, so that `import tracker` takes no longer than numpy.
_HOMES = {
    "ByteTrackOptions": "tracker.bytetrack",
    "ByteTracker": "tracker.bytetrack",
    "FairMOTOptions": "tracker.fairmot",
    "FairMOTTracker": "tracker.fairmot",
    "Tracker": "tracker.base",
    "TrackerOptions": "tracker.base",
    "evaluate": "tracker.evaluation",
}

__all__ = [
    "TRACKERS",
    "ByteTrackOptions",
    "ByteTracker",
    "Detections",
    "FairMOTOptions",
    "FairMOTTracker",
    "InputError",
    "Tracker",
    "TrackerOptions",
    "Tracks",
    "evaluate",
    "make_tracker",
    "tracker_options",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'tracker' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
