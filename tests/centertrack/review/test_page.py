"""The review page in a real browser: what is shown, and every edit by keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from centertrack.review.media import open_media
from centertrack.review.server import ReviewServer
from centertrack.review.session import ReviewSession
from tests.browser import needs_browser, open_browser
from tests.centertrack.review.conftest import FRAMES
from tracker.editing.edit_list import EditList, edits_beside
from tracker.editing.edits import Delete, DrawBoxes, Merge, Rename, SetClass, Split, Swap

needs_browser()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as running:
        yield running


@pytest.fixture
def page(browser: Any, server: ReviewServer) -> Iterator[Any]:
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, bypass_csp=True)
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url) if not request.url.startswith(server.url) else None)
    page.goto(server.url)
    page.wait_for_selector("body[data-ready=yes]")
    page.wait_for_function("document.getElementById('place-count').textContent")
    yield page
    context.close()
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def wait_for(page: Any, words: str) -> None:
    page.wait_for_function("words => document.getElementById('message').textContent.includes(words)", arg=words)


def go_to(page: Any, frame: int) -> None:
    page.fill("#frame", str(frame))
    page.press("#frame", "Enter")
    page.evaluate("document.activeElement.blur()")


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def answer(page: Any, text: str) -> None:
    page.wait_for_selector("#ask:not([hidden])")
    page.fill("#answer", text)
    press(page, "Enter")


def edits_of(server: ReviewServer) -> list[Any]:
    return EditList(edits_beside(server.session.results), server.session.results).edits


def test_the_page_shows_tracks_and_places(page: Any) -> None:
    assert page.inner_text("#counts") == "4 tracks, 0 edits"
    assert page.title() == "street: review"
    assert "gap of 3 and 4, frame 22" in page.inner_text("#place-list")
    press(page, "ArrowDown")
    assert page.inner_text("#track-name") == "Track 1"
    assert page.inner_text("#track-facts") == "frames 1 to 40, 40 boxes"


def test_a_frame_is_shown_with_its_own_boxes(page: Any) -> None:
    """Frame n of the clip is 5 n bright, so the picture tells which one it is."""
    for frame in (1, 13, 14, 40, 2):
        go_to(page, frame)
        page.wait_for_function(
            """frame => {
              const video = document.getElementById("video"), canvas = document.createElement("canvas");
              if (video.seeking) return false;
              canvas.width = canvas.height = 1;
              canvas.getContext("2d").drawImage(video, 0, 0, 1, 1);
              return Math.abs(canvas.getContext("2d").getImageData(0, 0, 1, 1).data[0] - 5 * frame) <= 2;
            }""",
            arg=frame,
        )
        assert page.input_value("#frame") == str(frame)


def test_every_edit_by_keys_alone(page: Any, server: ReviewServer) -> None:
    press(page, "ArrowDown", "ArrowDown", "ArrowDown", "m")
    answer(page, "4")
    wait_for(page, "4 is 3 now")
    go_to(page, 30)
    press(page, "s")
    wait_for(page, "From frame 30 on 3 is 4")
    press(page, "x")
    answer(page, "1")
    wait_for(page, "4 and 1 exchanged from frame 30 on")
    press(page, "r")
    answer(page, "9")
    wait_for(page, "4 is 9 now")
    press(page, "c")
    answer(page, "2")
    wait_for(page, "9 is of class 2")
    press(page, "Shift+D")
    wait_for(page, "Box of 9 in frame 30 deleted")
    press(page, "d")
    wait_for(page, "9 deleted")
    assert edits_of(server) == [
        Merge(3, 4),
        Split(3, 30, 4),
        Swap(4, 1, 30),
        Rename(4, 9),
        SetClass(9, 2),
        Delete(9, 30, 30),
        Delete(9),
    ]
    assert page.inner_text("#counts") == "3 tracks, 7 edits"
    press(page, "u")
    wait_for(page, "Taken back: delete of 9")
    assert page.inner_text("#counts") == "4 tracks, 6 edits"
    press(page, "o")
    assert page.inner_text("#counts") == "4 tracks, 6 edits"
    assert page.get_attribute("#original", "aria-pressed") == "true"


def test_boxes_between_keys_by_keys_alone(page: Any, server: ReviewServer) -> None:
    go_to(page, 10)
    press(page, "ArrowDown", "b", "Alt+ArrowRight", "Alt+ArrowDown")
    go_to(page, 12)
    press(page, "Alt+Shift+ArrowRight")
    assert page.inner_text("#keys") == "Track 1: keys at 10, 12"
    press(page, "Enter")
    wait_for(page, "Boxes of 1 kept")
    (edit,) = edits_of(server)
    assert edit == DrawBoxes(1, ((10, 71.0, 61.0, 20.0, 48.0), (12, 80.0, 60.0, 21.0, 48.0)))


def test_a_new_track_is_dragged(page: Any, server: ReviewServer) -> None:
    go_to(page, 5)
    press(page, "a")
    area = page.locator("#boxes").bounding_box()
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 80, steps=4)
    page.mouse.up()
    press(page, "Enter")
    wait_for(page, "Boxes of 5 kept")
    (edit,) = edits_of(server)
    scale = min(area["width"] / 320, area["height"] / 180)
    frame, left, top, width, height = edit.keys[0]
    assert (edit.id, frame) == (5, 5)
    assert (left, top) == pytest.approx((161, 91), abs=1)
    assert (width, height) == pytest.approx((40 / scale, 80 / scale), abs=0.5)


def test_a_place_is_decided_and_the_next_one_comes(page: Any, server: ReviewServer) -> None:
    press(page, "n")
    assert "gap of 3 and 4" in page.inner_text("#place-list li[aria-current=true]")
    press(page, "2")
    wait_for(page, "one object: 3, 4")
    assert edits_of(server) == [Merge(3, 4)]
    page.wait_for_function("!document.getElementById('place-list').textContent.includes('gap')")


def test_what_does_not_fit_is_said_and_changes_nothing(page: Any, server: ReviewServer) -> None:
    press(page, "s")
    wait_for(page, "Choose a track first")
    press(page, "ArrowDown", "m")
    answer(page, "2")
    wait_for(page, "ids 1 and 2 are both in frame 1 and 39 more")
    assert edits_of(server) == []


def test_a_click_chooses_a_track_and_a_row_of_the_timeline_its_frame(page: Any) -> None:
    go_to(page, 1)
    area = page.locator("#boxes").bounding_box()
    scale = min(area["width"] / 320, area["height"] / 180)
    left, top = area["x"] + (area["width"] - 320 * scale) / 2, area["y"] + (area["height"] - 180 * scale) / 2
    page.mouse.click(left + 254 * scale, top + 80 * scale)
    assert page.inner_text("#track-name") == "Track 2"
    rows = page.locator("#timeline").bounding_box()
    page.mouse.click(rows["x"] + rows["width"] / 2, rows["y"] + 20 + 16 * 2 + 8)
    assert page.inner_text("#track-name") == "Track 3"
    assert abs(int(page.input_value("#frame")) - FRAMES / 2) < 3


def test_a_narrow_screen_shows_everything(page: Any) -> None:
    page.set_viewport_size({"width": 768, "height": 1024})
    for part in ("#picture", "#controls", "aside", "#timeline"):
        box = page.locator(part).bounding_box()
        assert box["width"] > 300
        assert box["height"] > 30
        assert box["y"] + box["height"] <= 1024


def test_image_files_are_shown_like_a_video(browser: Any, tmp_path: Path, results: Path) -> None:
    import cv2
    import numpy as np

    from tests.centertrack.review.conftest import serving

    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(1, FRAMES + 1):
        cv2.imwrite(str(folder / f"{number:06d}.png"), np.full((180, 320, 3), 5 * number, np.uint8))
    with serving(ReviewSession(open_media(folder), results, edits_beside(results))) as server:
        page = browser.new_page()
        page.goto(server.url)
        page.wait_for_selector("body[data-ready=yes]")
        go_to(page, 33)
        page.wait_for_function("document.getElementById('image').src.endsWith('frame/33')")
        press(page, "ArrowLeft")
        page.wait_for_function("document.getElementById('image').src.endsWith('frame/32')")
        page.close()
