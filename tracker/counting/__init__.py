"""What people ask of tracks: who crossed a line, who is in a zone and for how long, how many they were.

    counter = Counter([Line("door", (100, 400), (500, 400))])
    for frame in track("street.mp4"):
        for event in counter.update(frame.tracks, frame.time):
            print(event.time, event.name, event.direction)

The order to read in: `line` and `zone` (where, and what a track does there), `counter` (all tracks at all places),
`certainty` (how sure a count is), `places` (options and files), `identities`, then the pictures: `overlay`, `heatmap`,
`trails`, `timeline`, `audit`.
"""

from tracker.counting.counter import Counter
from tracker.counting.events import Event, Visit
from tracker.counting.line import Line
from tracker.counting.zone import Zone

__all__ = ["Counter", "Event", "Line", "Visit", "Zone"]
