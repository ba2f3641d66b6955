"""Heatmap, trails, numbers over time, overlay, identities and the audit, on tracks worked out by hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.tracker.counting.test_line import tracks
from tracker.counting import Counter, Line, Zone
from tracker.counting.audit import Audit
from tracker.counting.heatmap import Heatmap
from tracker.counting.identities import Identities
from tracker.counting.overlay import LINE_COLOUR, ZONE_COLOUR, draw_counts
from tracker.counting.timeline import Timeline
from tracker.counting.trails import TrailsPicture
from tracker.detections import Detections, Tracks
from tracker.draw import id_colour
from tracker.errors import InputError


@pytest.fixture
def grey() -> np.ndarray:
    return np.full((100, 200, 3), 120, np.uint8)


def test_the_heatmap_adds_up_seconds_within_its_radius():
    heatmap = Heatmap((200, 100))
    assert heatmap.radius == 3
    for time, feet in ((0.0, {1: (50, 60)}), (0.25, {1: (50, 60), 2: (52, 60)}), (1.0, {2: (150, 60)}), (1.5, {})):
        heatmap.add(tracks(feet), time)
    seconds = heatmap.seconds()
    assert seconds[60, 50] == pytest.approx(0.25 + 2 * 0.75)
    assert seconds[60, 48] == pytest.approx(0.25 + 0.75)  # 4 pixels from the second one
    assert seconds[60, 150] == pytest.approx(0.5)
    assert seconds[60, 100] == 0
    assert seconds.max() == pytest.approx(1.75)


def test_feet_on_the_lower_edge_count_and_those_outside_do_not():
    heatmap = Heatmap((200, 100))
    heatmap.add(tracks({1: (50, 100), 2: (50, 130), 3: (-4, 50)}), 0.0)
    heatmap.add(Tracks.empty(), 0.5)
    seconds = heatmap.seconds()
    assert seconds[99, 50] == pytest.approx(0.5)
    assert seconds[50].max() == 0


def test_a_pause_of_the_stream_is_not_stood_through():
    heatmap = Heatmap((200, 100))
    heatmap.add(tracks({1: (50, 60)}), 0.0)
    heatmap.add(Tracks.empty(), 60.0)
    assert heatmap.seconds().max() == pytest.approx(1.0)


def test_the_picture_of_the_heatmap_has_a_legend_and_leaves_the_image_alone(grey):
    heatmap = Heatmap((200, 100))
    assert heatmap.picture(grey).shape == (160, 200, 3)  # of nothing
    heatmap.add(tracks({1: (50, 60)}), 0.0)
    heatmap.add(Tracks.empty(), 0.5)
    picture = heatmap.picture(grey)
    assert (grey == 120).all()
    red, green, blue = picture[60, 50].astype(int)
    assert red > green + 40  # the most is red
    assert red > blue + 40
    assert np.ptp(picture[20, 150]) == 0  # grey where nobody stood


def test_trails_go_where_ids_went_in_their_colours(grey):
    trails = TrailsPicture(grey)
    for x in (20, 60, 100):
        trails.add(tracks({7: (x, 60)}))
    colour = 0.8 * np.array(id_colour(7))
    assert abs(trails.image[58:62, 80].astype(int) - colour).sum(axis=1).min() < 60  # between two rows of pixels
    assert abs(trails.image[60, 20].astype(int) - colour).sum() < 10  # the dot
    assert (trails.image[30] == trails.image[30, 0]).all()


def test_numbers_over_time_hold_until_the_next_frame():
    timeline = Timeline(["people"])
    for time, count in ((0.0, 4), (5.0, 0), (10.0, 0)):
        timeline.add(time, count)
    curve = (timeline.picture().astype(int)[:, :, 2] - timeline.picture()[:, :, 0] > 100)[
        28:
    ]  # the blue one, below its name
    rows = [np.flatnonzero(curve[:, x]).mean() for x in (150, 400, 600, 850)]
    assert rows[0] == rows[1] < rows[2] == rows[3]
    assert Timeline(["people"]).picture().shape == (320, 960, 3)  # of nothing


def test_lines_and_zones_are_drawn_with_an_arrow_to_the_in_side(grey):
    line, zone = Line("d", (20, 80), (80, 80)), Zone("z", ((120, 40), (180, 40), (180, 90), (120, 90)))
    draw_counts(grey, Counter([line, zone]))
    yellow = (abs(grey.astype(int) - LINE_COLOUR).sum(axis=2) < 60).nonzero()
    assert yellow[0].max() > 88  # below the line, and above it only its label
    row = (abs(grey[78:82, 30:45].astype(int) - LINE_COLOUR).sum(axis=2) < 150).any(axis=0)
    assert row.all()
    inside = grey[65, 150].astype(float)
    assert inside == pytest.approx(0.78 * 120 + 0.22 * np.array(ZONE_COLOUR), abs=2)


def test_places_far_outside_of_the_image_are_drawn_without_harm(grey):
    far = Zone("z", ((-1e7, 10), (1e7, 10), (1e7, 90), (-1e7, 90)))
    draw_counts(grey, Counter([far, Line("d", (-1e7, 50), (1e7, 50))]))
    assert not (grey[50, 100] == 120).all()


def followed(
    *spans: tuple[int, int, tuple[float, float]], embeddings: dict[int, list[float]] | None = None
) -> Identities:
    """Ids 1, 2, ... from a frame to another one at 25 frames a second, on a spot each."""
    identities = Identities(with_embeddings=embeddings is not None)
    for number in range(1, max(last for _, last, _ in spans) + 1):
        feet = {i: spot for i, (first, last, spot) in enumerate(spans, start=1) if first <= number <= last}
        found = tracks(feet)
        looks = None if embeddings is None else [embeddings[i] for i in feet] or np.zeros((0, 2))
        identities.add(number, (number - 1) / 25, found, Detections(found.boxes, found.scores, None, looks))
    return identities


def test_ids_of_less_than_a_second_are_counted_apart():
    count = followed((1, 25, (20, 50)), (1, 24, (90, 50)), (9, 9, (150, 50))).count()
    assert (count.different, count.lasting, count.brief, count.low, count.high) == (1, 1, 2, 1, 1)


def test_a_track_that_begins_where_another_one_ended_may_be_the_same():
    near = followed((1, 30, (20, 50)), (40, 80, (24, 50)), (40, 80, (900, 50))).count()
    assert (near.different, near.breaks, near.low, near.high) == (3, 1, 2, 3)
    late = followed((1, 30, (20, 50)), (120, 160, (24, 50))).count()
    assert late.breaks == 0


def test_links_are_those_of_the_postprocessing():
    looks = {1: [1.0, 0.0], 2: [0.99, 0.1], 3: [0.0, 1.0]}
    count = followed((1, 30, (20, 50)), (140, 180, (90, 50)), (140, 180, (30, 50)), embeddings=looks).count()
    assert (count.links, count.breaks, count.different, count.low, count.high) == (1, 0, 2, 2, 3)


def test_every_event_gets_a_picture(tmp_path: Path, grey):
    line = Line("d/oor", (0, 80), (150, 80))
    counter, audit = Counter([line]), Audit(tmp_path / "new" / "audit", [line], lambda label: f"class {label}", 4.0)
    for number, y in enumerate((60, 70, 79, 82, 95, 60), start=1):
        found = tracks({3: (50, y)})
        events = counter.update(found, number / 25, number)
        audit.add(number, number / 25, grey, found, events)
    files = sorted(path.name for path in (tmp_path / "new" / "audit").iterdir())
    assert files == ["0001-d_oor-in-id3.jpg", "0002-d_oor-out-id3.jpg"]
    assert audit.written == len(counter.events) == 2
    assert cv2.imread(str(tmp_path / "new" / "audit" / files[0])).shape == (24 + 360 + 24, 3 * 360, 3)


def test_pictures_of_two_runs_do_not_mix(tmp_path: Path):
    (tmp_path / "0001-old.jpg").touch()
    with pytest.raises(InputError, match="expected a new or empty folder"):
        Audit(tmp_path, [], str, 4.0)
    with pytest.raises(InputError, match="expected a folder, this is a file"):
        Audit(tmp_path / "0001-old.jpg", [], str, 4.0)
