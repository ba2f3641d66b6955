"""How many of the places that the review page offers are identity switches, and how many switches it offers.

    python tools/measure_suspicions.py GROUND_TRUTH RESULTS [--sequences [MOT17-02-SDP]] [--first 50]

A place is real if one of its tracks takes part in a switch within 1.5 seconds. A switch is offered if a place
names both of its tracks, or is a jump of one, within that time.
"""

from __future__ import annotations

from pathlib import Path

from jsonargparse import auto_cli

from tracker.editing.suspicions import Suspicion, find_suspicions
from tracker.evaluation.evaluator import Protocol
from tracker.evaluation.events import Switch
from tracker.evaluation.sequences import find_sequences
from tracker.io.mot import DEFAULT_FRAME_RATE, read_results
from tracker.report.runs import load_run
from tracker.wording import counted

WITHIN = 1.5  # seconds


def measure_suspicions(gt: Path, results: Path, sequences: list[str] | None = None, first: int = 50) -> None:
    """Print both shares of every sequence, for the first places and for all.

    Args:
        gt: Ground truth, as of `evaluate`.
        results: A folder of SEQUENCE.txt.
        sequences: Only these.
        first: How many places a person looks at.
    """
    run = load_run("tracker", gt, results, find_sequences(gt, results, sequences), Protocol())
    for story in run.events:
        places = find_suspicions(read_results(results / f"{story.name}.txt"), DEFAULT_FRAME_RATE)
        for count in dict.fromkeys((min(first, len(places)), len(places))):
            shown = places[:count]
            real = sum(any(_near(place, switch, 1) for switch in story.switches) for place in shown)
            offered = sum(any(_near(place, switch, len(place.ids)) for place in shown) for switch in story.switches)
            switches = len(story.switches)
            print(
                f"{story.name}: {real} of {counted(count, 'place is', 'places are')} real, "
                f"{offered} of {counted(switches, 'switch is', 'switches are')} offered"
            )


def _near(place: Suspicion, switch: Switch, shared: int) -> bool:
    both = {switch.track, switch.previous_track} & set(place.ids)
    return len(both) >= shared and abs(place.frame - switch.frame) < WITHIN * DEFAULT_FRAME_RATE


if __name__ == "__main__":
    auto_cli(measure_suspicions)
