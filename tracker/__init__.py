"""Detections to tracks, and tracks to scores.

The order to read in, each file needing only those before it:

1. `detections`: what goes into a tracker and what comes out. `boxes`: formats and overlaps.
2. `motion_models`, `kalman` (`kalman_full` for moving cameras): where a box will be.
3. `candidates`, `trackset`: the detections and the tracks of one update. `assignment`, `matching`: who is who. `costs`.
4. `base`: options, clock, ids, state. `steps`: what trackers share: predict, update, start, end, show.
5. `sort`, then `bytetrack`, `botsort`, `scene` (the default), `ocsort`, `deepsort`, `fairmot`: one algorithm a file.
6. `factory`: trackers by name. `associate`, `postprocess`, `draw`: what is done with them.
7. `io`: videos, images, files of tracks. `evaluation`: the metrics. `report`: the HTML page about them.
   `counting`: lines, zones, and how many. `editing`: corrections by hand.
8. `testing`: what every tracker keeps to. `search_space`: which values of its options are worth trying.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tracker.errors import InputError

if TYPE_CHECKING:
    from tracker.base import Tracker, TrackerOptions
    from tracker.botsort import BoTSortOptions, BoTSortTracker
    from tracker.bytetrack import ByteTracker, ByteTrackOptions
    from tracker.deepsort import DeepSortOptions, DeepSortTracker
    from tracker.detections import Detections, Tracks
    from tracker.evaluation import evaluate
    from tracker.factory import DEFAULT_TRACKER, TRACKERS, make_tracker, tracker_options
    from tracker.fairmot import FairMOTOptions, FairMOTTracker
    from tracker.ocsort import OCSortOptions, OCSortTracker
    from tracker.scene import SceneOptions, SceneTracker
    from tracker.sort import SortOptions, SortTracker

# Imported when first asked for, so that `import tracker` loads nothing, not even numpy.
_HOMES = {
    "DEFAULT_TRACKER": "tracker.factory",
    "TRACKERS": "tracker.factory",
    "BoTSortOptions": "tracker.botsort",
    "BoTSortTracker": "tracker.botsort",
    "ByteTrackOptions": "tracker.bytetrack",
    "ByteTracker": "tracker.bytetrack",
    "DeepSortOptions": "tracker.deepsort",
    "DeepSortTracker": "tracker.deepsort",
    "Detections": "tracker.detections",
    "FairMOTOptions": "tracker.fairmot",
    "FairMOTTracker": "tracker.fairmot",
    "OCSortOptions": "tracker.ocsort",
    "OCSortTracker": "tracker.ocsort",
    "SceneOptions": "tracker.scene",
    "SceneTracker": "tracker.scene",
    "SortOptions": "tracker.sort",
    "SortTracker": "tracker.sort",
    "Tracker": "tracker.base",
    "TrackerOptions": "tracker.base",
    "Tracks": "tracker.detections",
    "evaluate": "tracker.evaluation",
    "make_tracker": "tracker.factory",
    "tracker_options": "tracker.factory",
}

__all__ = [
    "DEFAULT_TRACKER",
    "TRACKERS",
    "BoTSortOptions",
    "BoTSortTracker",
    "ByteTrackOptions",
    "ByteTracker",
    "DeepSortOptions",
    "DeepSortTracker",
    "Detections",
    "FairMOTOptions",
    "FairMOTTracker",
    "InputError",
    "OCSortOptions",
    "OCSortTracker",
    "SceneOptions",
    "SceneTracker",
    "SortOptions",
    "SortTracker",
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
