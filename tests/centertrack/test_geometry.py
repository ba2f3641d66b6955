"""Source pixels to input pixels and exactly back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from centertrack.geometry import RESIZES, InputFormat, Placement, parse_size
from tracker.errors import InputError

SIDES = st.integers(min_value=17, max_value=4000)


@given(width=SIDES, height=SIDES, resize=st.sampled_from(RESIZES), origin=st.sampled_from([0.0, 1.0]))
def test_there_and_back_is_the_same_box(width: int, height: int, resize: str, origin: float) -> None:
    place = Placement.of((width, height), InputFormat(size=(640, 384), resize=resize, box_origin=origin))
    boxes = np.array([[0.0, 0.0, width, height], [-7.25, 3.5, 11.0, 2.0 * height]])
    np.testing.assert_allclose(place.to_source(place.to_input(boxes)), boxes, rtol=0, atol=1e-9 * max(width, height))


@given(width=SIDES, height=SIDES)
def test_a_letterbox_holds_the_whole_source_and_touches_two_sides(width: int, height: int) -> None:
    place = Placement.letterbox((width, height), (640, 384))
    x1, y1, x2, y2 = place.to_input(np.array([0.0, 0.0, width, height]))
    assert x1 >= -1e-9
    assert y1 >= -1e-9
    assert x2 <= 640 + 1e-6
    assert y2 <= 384 + 1e-6
    assert x2 - x1 == pytest.approx(640) or y2 - y1 == pytest.approx(384)
    assert abs(place.scale[0] / place.scale[1] - 1) < 1 / min(x2 - x1, y2 - y1)  # sides are rounded to whole pixels


def test_pixels_land_where_boxes_do() -> None:
    image = np.zeros((200, 100, 3), np.uint8)
    image[40:80, 20:60] = 255
    place = Placement.letterbox((100, 200), (96, 64))
    drawn = place.draw(image, padding=0)
    x1, y1, x2, y2 = place.to_input(np.array([20.0, 40.0, 60.0, 80.0]))
    rows, columns = np.nonzero(drawn[..., 0] > 127)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == pytest.approx((x1, y1, x2, y2), abs=0.75)


def test_boxes_of_a_network_that_counts_from_one_move_back_by_a_source_pixel() -> None:
    zero, one = (Placement.of((200, 100), InputFormat(size=(96, 64), box_origin=origin)) for origin in (0.0, 1.0))
    box = np.array([10.0, 20.0, 30.0, 40.0])
    np.testing.assert_allclose(one.to_source(box), zero.to_source(box) - 1)


@given(width=SIDES, height=SIDES)
def test_keeping_the_resolution_pads_to_multiples_of_32(width: int, height: int) -> None:
    place = Placement.of((width, height), InputFormat(resize="keep"))
    for side, new, shift in zip((width, height), place.input_size, place.shift, strict=True):
        assert new % 32 == 0
        assert side < new <= side + 32  # always adds, as the published program does
        assert 0 <= shift <= new - side
        assert abs(2 * shift + side - new) <= 1


def test_a_kept_image_is_not_resampled() -> None:
    image = np.random.default_rng(0).integers(0, 255, (50, 41, 3), np.uint8)
    drawn = Placement.keep((41, 50)).draw(image, padding=0)
    assert drawn.shape == (64, 64, 3)
    assert np.array_equal(drawn[7:57, 12:53], image)
    assert drawn.sum() == image.sum()


def test_padding_has_the_grey_asked_for() -> None:
    drawn = Placement.letterbox((64, 64), (96, 64)).draw(np.zeros((64, 64, 3), np.uint8), padding=100.0)
    assert drawn[:, :16].min() == drawn[:, 80:].max() == 100
    assert drawn[:, 16:80].max() == 0


def test_an_image_of_the_right_size_is_not_touched() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    assert np.array_equal(Placement.letterbox((96, 64), (96, 64)).draw(image), image)


@pytest.mark.parametrize(
    "options", [{"size": (100, 64)}, {"channel_order": "grb"}, {"resize": "crop"}, {"size": (0, 32)}]
)
def test_a_wrong_input_format_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        InputFormat(**options)


@pytest.mark.parametrize("text", ["640", "axb", "640x384x3", ""])
def test_a_wrong_size_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="WIDTHxHEIGHT"):
        parse_size(text)
