"""Lines and zones that are drawn by clicks on the first frame."""

from __future__ import annotations

import cv2
import numpy as np

from tracker.arrays import Image
from tracker.counting.counter import Counter
from tracker.counting.overlay import draw_counts
from tracker.counting.places import WrittenPlace, parse_place
from tracker.errors import InputError

_LEAST = {"line": 2, "zone": 3}
_COLOUR = (217, 125, 16)
_MIN_WIDTH = 640  # pixels of the picture: browsers show a smaller one small


class Sketch:
    """The first frame of a source with the places that are drawn on it.

    Args:
        image: (H, W, 3) uint8 RGB.

    Attributes:
        image: As given.
        places: The finished lines and zones, in pixels.
        points: (x, y) in pixels of the one that is being drawn.
    """

    def __init__(self, image: Image) -> None:
        self.image = image
        self.places: list[WrittenPlace] = []
        self.points: list[tuple[int, int]] = []
        self._zoom = -(-_MIN_WIDTH // image.shape[1])

    def click(self, x: int, y: int, kind: str, name: str) -> str:
        """Add a point; the second one of a line finishes it.

        Args:
            x: In pixels of `picture`, from the left.
            y: In pixels of `picture`, from the top.
            kind: `line` or `zone`, of what is being drawn.
            name: Of it; empty takes the next free number.

        Returns:
            What to do next, a sentence.

        Raises:
            InputError: It is finished, and is no line, or its name is taken.
        """
        self.points.append((x // self._zoom, y // self._zoom))
        if kind == "line" and len(self.points) == _LEAST[kind]:
            return self.finish(kind, name)
        missing = _LEAST[kind] - len(self.points)
        return "Click the other end of the line." if kind == "line" else _next_corner(missing)

    def finish(self, kind: str, name: str) -> str:
        """Make a place of the points, as `click`.

        Raises:
            InputError: There are too few points, it is no line or zone, or its name is taken.
        """
        points, self.points = self.points, []
        if len(points) < _LEAST[kind]:
            raise InputError(f"a {kind} needs {_LEAST[kind]} points, got {len(points)}; click on the picture first")
        taken = {place.name for place in self.places}
        name = name.strip() or next(one for i in range(1, len(taken) + 2) if (one := f"{kind} {i}") not in taken)
        if name in taken:
            raise InputError(f"two lines or zones are called {name}; give each a name of its own")
        place = parse_place(kind, f"{name}={','.join(f'{x},{y}' for x, y in points)}")
        height, width = self.image.shape[:2]
        place.in_image((width, height))
        self.places.append(place)
        return f"The {kind} {name} is drawn: {', '.join(f'{value:g}' for value in place.numbers)}."

    def undo(self) -> None:
        """Take back the last point, or the last place where none is begun."""
        if self.points:
            self.points.pop()
        elif self.places:
            self.places.pop()

    def picture(self) -> Image:
        """Return the image with all places and points, (H, W, 3) uint8 RGB; a small one enlarged by a whole number."""
        image = self.image.copy()
        height, width = image.shape[:2]
        draw_counts(image, Counter([place.in_image((width, height)) for place in self.places]))
        radius = max(3, round(min(width, height) / 120))
        if len(self.points) > 1:
            cv2.polylines(image, [np.array(self.points, np.int32)], False, _COLOUR, max(1, radius // 2), cv2.LINE_AA)
        for point in self.points:
            cv2.circle(image, point, radius, _COLOUR, -1, cv2.LINE_AA)
        return cv2.resize(image, None, fx=self._zoom, fy=self._zoom) if self._zoom > 1 else image


def _next_corner(missing: int) -> str:
    more = f"at least {missing} more" if missing > 0 else "more"
    return f"Click {more} corners of the zone" + ("." if missing > 0 else ", or close it.")
