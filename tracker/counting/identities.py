"""How many different objects there were, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tracker.arrays import Array
from tracker.detections import Detections, Tracks
from tracker.postprocess import Trajectories, link

BRIEF_SECONDS = 1.0
LINK_SECONDS = 10.0  # between the end of one track and the beginning of the other, as `postprocess` has it


@dataclass(frozen=True, slots=True)
class IdentityCount:
    """How many different objects there were, as far as ids tell.

    Attributes:
        lasting: Ids that were followed for a second or longer: the number to go by.
        brief: Ids that were followed for less: false alarms, and pieces of others.
        links: Lasting ids that look like the continuation of another one, so that they would be joined; None where no
            embeddings tell.
    """

    lasting: int
    brief: int
    links: int | None = None

    @property
    def ids(self) -> int:
        """All of them."""
        return self.lasting + self.brief

    @property
    def low(self) -> int:
        """The number if all links are right."""
        return self.lasting - (self.links or 0)

    @property
    def high(self) -> int:
        """The number if every brief id is somebody else."""
        return self.ids

    def __str__(self) -> str:
        """Say it in one sentence.

        >>> str(IdentityCount(lasting=14, brief=3, links=2))
        '14 followed for 1 s or longer, 3 for less; 2 of the 14 look like a continuation: 12 to 17 different ones'
        """
        said = f"{self.lasting} followed for 1 s or longer, {self.brief} for less"
        if self.links:
            said += f"; {self.links} of the {self.lasting} look like a continuation"
        return f"{said}: {self.low} to {self.high} different ones" if self.low < self.high else said


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
    >>> box = np.zeros((1, 4), np.float32)
    >>> for number in range(1, 31):
    ...     ids = np.array([1 if number > 5 else 2])
    ...     tracks = Tracks(ids, box, np.ones(1), np.zeros(1, np.int64), np.zeros(1, np.int64))
    ...     identities.add(number, (number - 1) / 25, tracks)
    >>> str(identities.count())
    '1 followed for 1 s or longer, 1 for less: 1 to 2 different ones'
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
        result = IdentityCount(len(lasting), len(self._lives) - len(lasting))
        if not self._embeddings:
            return result
        joined = link(self._ends(lasting), max_gap=round(LINK_SECONDS * self._frame_rate()))
        return replace(result, links=len(lasting) - len(np.unique(joined.ids)))

    def _ends(self, identities: list[int]) -> Trajectories:
        """Return the first and the last box of some tracks."""
        ends = [
            (identity, life.frames[end], life.boxes[end], life.label)
            for identity in sorted(identities)
            for life in (self._lives[identity],)
            for end in (0, 1)
        ]
        return Trajectories(
            frames=np.array([frame for _, frame, _, _ in ends], np.int64),
            ids=np.array([identity for identity, _, _, _ in ends], np.int64),
            boxes=np.array([box for _, _, box, _ in ends], np.float64).reshape(-1, 4),
            scores=np.ones(len(ends)),
            labels=np.array([label for _, _, _, label in ends], np.int64),
            embeddings={
                identity: self._embeddings[identity] for identity in identities if identity in self._embeddings
            },
        )

    def _frame_rate(self) -> float:
        """Return frames per second, of the longest life."""
        lives = [life for life in self._lives.values() if life.times[1] > life.times[0]]
        longest = max(lives, key=lambda life: life.times[1] - life.times[0], default=None)
        return (longest.frames[1] - longest.frames[0]) / (longest.times[1] - longest.times[0]) if longest else 1.0
