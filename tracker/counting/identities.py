"""How many different objects there were, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tracker.arrays import Array
from tracker.detections import Detections, Tracks
from tracker.postprocess import Trajectories, link, record
from tracker.wording import counted

BRIEF_SECONDS = 1.0
LINK_SECONDS = 10.0  # at most between the end of one track and the beginning of the other, as `postprocess` has it
BREAK_SECONDS = 3.0
BREAK_SPEED = 1.25  # heights of the box a second; who walks does 0.8


@dataclass(frozen=True, slots=True)
class IdentityCount:
    """How many different objects there were, as far as ids tell.

    Attributes:
        lasting: Ids that were followed for a second or longer.
        brief: Ids that were followed for less: false alarms, pieces of others, and who was hardly in the image.
        breaks: Lasting ids that begin at most 3 s after another one of their class has ended, and where that one can
            have got by then: pieces of one track, or not.
        links: Lasting ids that `link` of `tracker.postprocess` joins to others since they look alike; None where no
            embeddings tell.
    """

    lasting: int
    brief: int
    breaks: int = 0
    links: int | None = None

    @property
    def different(self) -> int:
        """The number to go by: lasting ids, less those that look alike."""
        return self.lasting - (self.links or 0)

    @property
    def low(self) -> int:
        """The number if all links, or all breaks, are right."""
        return self.lasting - max(self.links or 0, self.breaks)

    @property
    def high(self) -> int:
        """The number if no two lasting ids are the same."""
        return self.lasting

    def __str__(self) -> str:
        """Say it in one line.

        >>> str(IdentityCount(lasting=14, brief=3, breaks=2, links=1)), str(IdentityCount(lasting=1, brief=0))
        ('13 different (12 to 14); 3 ids were followed for less than 1 s', '1 different')
        """
        said = f"{self.different} different" + (f" ({self.low} to {self.high})" if self.low < self.high else "")
        if not self.brief:
            return said
        return f"{said}; {counted(self.brief, 'id was', 'ids were')} followed for less than 1 s"


@dataclass(slots=True)
class _Life:
    """The ends of one track: numbers, times and boxes (4,) of its first and last frame, and its class."""

    frames: list[int]
    times: list[float]
    boxes: list[Array]
    label: int

    @property
    def seconds(self) -> float:
        """How long it was followed: of one frame 0, of N frames N frame times."""
        count = self.frames[1] - self.frames[0] + 1
        return (self.times[1] - self.times[0]) * count / (count - 1) if count > 1 else 0.0


class Identities:
    """Collects how long each id was followed, and with embeddings what it looks like.

    It keeps the two ends of every track and the sum of its embeddings, whatever its length.

    Args:
        with_embeddings: Whether to collect them, for links.

    >>> identities = Identities()
    >>> box = np.array([[10, 10, 20, 40]], np.float32)
    >>> for number in range(1, 31):
    ...     ids = np.array([1 if number > 5 else 2])
    ...     tracks = Tracks(ids, box, np.ones(1), np.zeros(1, np.int64), np.zeros(1, np.int64))
    ...     identities.add(number, (number - 1) / 25, tracks)
    >>> str(identities.count())
    '1 different; 1 id was followed for less than 1 s'
    """

    def __init__(self, with_embeddings: bool = False) -> None:
        self._with_embeddings = with_embeddings
        self._lives: dict[int, _Life] = {}
        self._embeddings: dict[int, Array] = {}

    def add(self, number: int, time: float, tracks: Tracks, detections: Detections | None = None) -> None:
        """Take the tracks of frame `number` at `time` seconds, and the detections they were matched to."""
        for row, identity in enumerate(tracks.ids.tolist()):
            life = self._lives.get(identity)
            if life is None:
                box = tracks.boxes[row]
                self._lives[identity] = _Life([number] * 2, [time] * 2, [box, box], int(tracks.labels[row]))
            else:
                life.frames[1], life.times[1], life.boxes[1] = number, time, tracks.boxes[row]
        if not self._with_embeddings or detections is None or detections.embeddings is None:
            return
        for identity, row in zip(tracks.ids.tolist(), tracks.indices.tolist(), strict=True):
            if row >= 0:
                self._embeddings[identity] = self._embeddings.get(identity, 0.0) + detections.embeddings[row]

    def count(self) -> IdentityCount:
        """Return the number of ids until now, by how long they were followed."""
        lasting = [identity for identity, life in self._lives.items() if life.seconds >= BRIEF_SECONDS - 1e-6]
        ends, rate = self._ends(lasting), self._frame_rate()
        anybody = replace(ends, embeddings=dict.fromkeys(lasting, np.ones(1)))
        breaks = link(anybody, max_gap=round(BREAK_SECONDS * rate), max_speed=BREAK_SPEED / rate)
        result = IdentityCount(len(lasting), len(self._lives) - len(lasting), _fewer(ends, breaks))
        if not self._embeddings:
            return result
        joined = link(ends, max_gap=round(LINK_SECONDS * rate)) if ends.embeddings else ends
        return replace(result, links=_fewer(ends, joined))

    def _ends(self, identities: list[int]) -> Trajectories:
        """Return the first and the last box of some tracks, with the embeddings of the whole."""
        one, unknown = np.ones(1), np.full(1, -1)
        frames = [
            (
                life.frames[end],
                Tracks(np.array([identity]), life.boxes[end][None], one, np.array([life.label]), unknown),
            )
            for identity, life in ((identity, self._lives[identity]) for identity in identities)
            for end in (0, 1)
        ]
        embeddings = {one: self._embeddings[one] for one in identities if one in self._embeddings}
        return replace(record(frames), embeddings=embeddings)

    def _frame_rate(self) -> float:
        """Return frames per second, of the longest life."""
        lives = [life for life in self._lives.values() if life.times[1] > life.times[0]]
        longest = max(lives, key=lambda life: life.times[1] - life.times[0], default=None)
        return (longest.frames[1] - longest.frames[0]) / (longest.times[1] - longest.times[0]) if longest else 1.0


def _fewer(before: Trajectories, after: Trajectories) -> int:
    """Return how many ids were joined to others."""
    return len(np.unique(before.ids)) - len(np.unique(after.ids))
