"""Where several trackers differ most on the same ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracker.evaluation.events import SequenceEvents


class IdentityDifference(NamedTuple):
    """One identity as several trackers saw it.

    Attributes:
        sequence: Its name.
        identity: Id in the ground truth.
        shares: Share of its boxes that each tracker matched.
        tracks: Number of tracks that each tracker needed for it.
        frames: How many boxes lie between the best and the worst tracker.
    """

    sequence: str
    identity: int
    shares: tuple[float, ...]
    tracks: tuple[int, ...]
    frames: int


def compare_identities(trackers: Sequence[Sequence[SequenceEvents]], count: int) -> list[IdentityDifference]:
    """Return the identities on which trackers differ by the most frames.

    Args:
        trackers: For each tracker the events of the same sequences, in the same order.
        count: At most so many.
    """
    differences = []
    for stories in zip(*trackers, strict=True):
        shares = [story.matched_share() for story in stories]
        tracks = [_tracks_by_identity(story) for story in stories]
        sizes = _sizes(stories[0])
        for identity, size in sizes.items():
            share = tuple(one[identity] for one in shares)
            track_counts = tuple(len(one.get(identity, ())) for one in tracks)
            frames = round(size * (max(share) - min(share)))
            differences.append(IdentityDifference(stories[0].name, identity, share, track_counts, frames))
    differences.sort(key=lambda found: (-found.frames, min(found.tracks) - max(found.tracks)))
    return [found for found in differences[:count] if found.frames or len(set(found.tracks)) > 1]


def _tracks_by_identity(story: SequenceEvents) -> dict[int, set[int]]:
    tracks: dict[int, set[int]] = {}
    for span in story.matched:
        tracks.setdefault(span.identity, set()).add(span.track)
    return tracks


def _sizes(story: SequenceEvents) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for span in story.present:
        sizes[span.identity] = sizes.get(span.identity, 0) + span.last - span.first + 1
    return sizes
