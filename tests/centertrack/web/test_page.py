"""`centertrack app` as a user has it: the command, its page in a real browser, its files beside those of `track`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from centertrack.cli import main
from centertrack.synthetic import SceneConfig, StreetScene
from tests.browser import needs_browser, open_browser
from tests.centertrack.conftest import CLIP_SIZE
from tests.conftest import PROJECT
from tests.tracker.io.servers import MjpegCamera
from tracker.io.video import VideoWriter, open_source

needs_browser()
pytest.importorskip("gradio", reason="needs Gradio (the extra [app])")
FRAMES = 50
MAX_SECONDS, MAX_MEGABYTES = 5, 1


class App(NamedTuple):
    """A running one.

    Attributes:
        url: Of its page.
        folder: In which it has a folder of its own for what visitors bring.
        process: It.
    """

    url: str
    folder: Path
    process: subprocess.Popen[str]

    def kept(self) -> set[str]:
        """Return the names of all files with something in them."""
        return {path.name for path in self.folder.rglob("*") if path.is_file() and path.stat().st_size}


@contextmanager
def serving(folder: Path, *options: object) -> Iterator[App]:
    folder.mkdir()
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(PROJECT), "CUDA_VISIBLE_DEVICES": ""}
    process = subprocess.Popen(
        [sys.executable, "-m", "centertrack", "app", "--no-browser", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
        assert address is not None
        yield App(address[0], folder, process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video of people who walk."""
    path = tmp_path_factory.mktemp("videos") / "street.mp4"
    scene = StreetScene(SceneConfig(size=CLIP_SIZE, seconds=FRAMES / 25, frame_rate=25.0, people=4, seed=3))
    with VideoWriter(path, CLIP_SIZE, 25.0) as writer:
        for number in range(FRAMES):
            writer.write(scene.frame(number).frame.image)
    return path


@pytest.fixture(scope="module")
def camera(picture: Any) -> Iterator[MjpegCamera]:
    with MjpegCamera(picture) as running:
        yield running


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, weights: Path, camera: MjpegCamera) -> Iterator[App]:
    folder = tmp_path_factory.mktemp("app") / "temporary"
    limits = ("--max-seconds", MAX_SECONDS, "--max-megabytes", MAX_MEGABYTES)
    with serving(folder, "--weights", weights, "--camera", camera.address, *limits) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with open_browser() as running:
        yield running


@contextmanager
def visiting(browser: Any, app: App) -> Iterator[Any]:
    """Open the page; it may ask nobody but the server."""
    faults: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: faults.append(request.url))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    page.goto(app.url)
    page.wait_for_selector("#track")
    yield page
    context.close()
    assert [fault for fault in faults if not fault.startswith((app.url, "data:", "blob:"))] == []


@pytest.fixture
def page(browser: Any, app: App) -> Iterator[Any]:
    with visiting(browser, app) as page:
        yield page


def wait_for(page: Any, words: str) -> str:
    page.wait_for_function("words => document.querySelector('#message').innerText.includes(words)", arg=words)
    return str(page.inner_text("#message"))


def drop(page: Any, file: Path) -> None:
    page.set_input_files("#file input[type=file]", str(file))


def drop_video(page: Any, file: Path) -> None:
    drop(page, file)
    wait_for(page, f"{file.name} is here")
    wait_for_picture(page)


def choose_camera(page: Any, camera: MjpegCamera) -> None:
    page.click("#camera input")
    page.click(f"[role=option]:has-text('{camera.address}')")
    wait_for(page, "is on")


def wait_for_picture(page: Any) -> None:
    """Wait until the first frame is shown as it is now; every change has an address of its own."""
    page.wait_for_function(
        """() => {
          const image = document.querySelector("#frame img");
          if (!image || !image.complete || !image.naturalWidth || image.src === window.shownBefore) return false;
          window.shownBefore = image.src;
          return true;
        }"""
    )


def click_at(page: Any, *shares: tuple[float, float]) -> None:
    """Click on the first frame, at shares of its width and height."""
    for x, y in shares:
        image = page.locator("#frame img")
        area, (width, height) = image.bounding_box(), image.evaluate("it => [it.naturalWidth, it.naturalHeight]")
        scale = min(area["width"] / width, area["height"] / height, 1)  # of the picture, which lies in the middle
        middle, centre = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
        page.mouse.click(middle + (x - 0.5) * width * scale, centre + (y - 0.5) * height * scale)
        wait_for_picture(page)


def fill(page: Any, name: str, text: str) -> None:
    page.fill(f"#{name} input, #{name} textarea", text)


def track(page: Any, wait: str = " frames, ") -> str:
    page.click("#track")
    return wait_for(page, wait)


def download(page: Any, folder: Path) -> dict[str, bytes]:
    """Fetch every file that is offered, by a click on its link."""
    found = {}
    for link in page.locator("#files a[download]").all():
        with page.expect_download() as caught:
            link.click()
        path = folder / caught.value.suggested_filename
        caught.value.save_as(path)
        found[path.name] = path.read_bytes()
    return found


def points_of(message: str) -> str:
    return message.partition(" is drawn: ")[2].rstrip(".").replace(" ", "")


def test_the_files_are_those_of_the_command(page: Any, street: Path, weights: Path, tmp_path: Path) -> None:
    drop_video(page, street)
    fill(page, "name", "gate")
    click_at(page, (0.4, 0.2), (0.6, 0.9))
    line = points_of(wait_for(page, "The line gate is drawn"))
    page.check("#kind input[value=zone]")
    click_at(page, (0.1, 0.3), (0.9, 0.3), (0.9, 0.9))
    page.click("#close")
    zone = points_of(wait_for(page, "The zone zone 1 is drawn"))
    fill(page, "start", "0.2")
    fill(page, "end", "45f")
    assert track(page).startswith("40 frames, ")
    (tmp_path / "app").mkdir()
    found = download(page, tmp_path / "app")

    command = ["track", str(street), "--weights", str(weights), "--start", "0.2", "--end", "45f", "--quiet"]
    counting = ["--line", f"gate={line}", "--zone", f"zone 1={zone}"]
    outputs = {"export": "cvat={}.xml", "video": "{}.mp4", "events": "{}-events.csv", "counts": "{}-counts.json"}
    name = tmp_path / "command" / "street"
    written = [word for option, text in outputs.items() for word in (f"--{option}", text.format(name))]
    assert main([*command, *counting, *written, "--results", f"{name}.txt"]) == 0
    for suffix in (".csv", ".json"):
        assert main([*command, "--results", f"{name}{suffix}"]) == 0
    expected = {path.name: path.read_bytes() for path in name.parent.iterdir()}
    assert found.keys() == expected.keys() | {"street.html"}
    assert {one for one, content in expected.items() if found[one] != content} == set()
    assert len(expected["street.txt"].splitlines()) > FRAMES


def test_the_results_are_shown(page: Any, street: Path, tmp_path: Path) -> None:
    drop_video(page, street)
    click_at(page, (0.5, 0.1), (0.5, 0.95))
    track(page)
    page.wait_for_function("document.querySelector('#video video').readyState >= 2")
    report = page.frame_locator("#report iframe")
    assert report.locator(".tiles").inner_text().split()[:2] == [str(FRAMES), "frames"]
    found = download(page, tmp_path)
    (counts,) = json.loads(found["street-counts.json"])["lines"].items()
    cells = report.locator("#lines td").all_inner_texts()
    assert (cells[0], cells[1], cells[3]) == (counts[0], str(counts[1]["in"]), str(counts[1]["out"]))
    with open_source(tmp_path / "street.mp4") as frames:
        assert sum(1 for _ in frames) == FRAMES

    timeline = report.locator("#timeline canvas")
    area = timeline.bounding_box()
    timeline.click(position={"x": 64 + (area["width"] - 64) * 0.5, "y": 28})
    page.wait_for_function("Math.abs(document.querySelector('#video video').currentTime - 1) < 0.1")


def test_the_report_opens_offline(page: Any, browser: Any, street: Path, tmp_path: Path) -> None:
    drop_video(page, street)
    track(page)
    (tmp_path / "report.html").write_bytes(download(page, tmp_path)["street.html"])
    context = browser.new_context(offline=True)
    alone = context.new_page()
    faults: list[str] = []
    alone.on("pageerror", lambda error: faults.append(str(error)))
    alone.goto((tmp_path / "report.html").as_uri())
    assert alone.title() == "street: tracks"
    assert alone.locator("#timeline canvas").bounding_box()["height"] > 20
    context.close()
    assert faults == []


def test_progress_is_shown_and_stop_keeps_what_was_done(page: Any, camera: MjpegCamera, tmp_path: Path) -> None:
    choose_camera(page, camera)
    page.click("#track")
    page.wait_for_function("/[1-9] frames, .* frames per second/.test(document.querySelector('#progress').innerText)")
    page.wait_for_function("(document.querySelector('#progress img') || {}).naturalWidth > 0")
    page.click("#stop")
    said = wait_for(page, " frames, ")
    rows = next(content for name, content in download(page, tmp_path).items() if name.endswith(".txt"))
    assert rows.count(b"\n") > 0
    assert int(said.split()[0]) < MAX_SECONDS * 25


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"start": "3", "end": "1"}, "the end must lie behind the start, got start 3 and end 1"),
        ({"start": "soon"}, "start must be seconds, as 12.5 or 1:30, or a frame from 1, as 300f, got 'soon'"),
        ({"start": "1:00"}, "street: there is no frame with start 60"),
        ({"classes": "unicorn"}, "unicorn"),
    ],
)
def test_what_cannot_be_tracked_is_one_sentence(
    fields: dict[str, str], words: str, page: Any, app: App, street: Path
) -> None:
    drop_video(page, street)
    for name, text in fields.items():
        fill(page, name, text)
    said = track(page, words)
    assert page.get_attribute("#message p", "role") == "alert"
    assert "\n" not in said
    assert str(app.folder) not in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("notes.txt", b"Buy milk. " * 9, "notes.txt is no video; expected a file such as .mp4"),
        ("list.mp4", b"#EXTM3U\nhttp://127.0.0.1/secret\n", "list.mp4 is no video"),
        ("noise.mp4", bytes(range(256)) * 40, "noise.mp4: cannot be opened as a video"),
        ("empty.mp4", b"", "empty.mp4 is no video"),
    ],
)
def test_what_is_no_video_is_refused_and_deleted(
    name: str, content: bytes, words: str, page: Any, app: App, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    drop(page, file)
    assert str(app.folder) not in wait_for(page, words)
    assert name not in app.kept()


def test_what_is_too_large_is_refused(page: Any, app: App, tmp_path: Path) -> None:
    file = tmp_path / "large.mp4"
    file.write_bytes(bytes(int((MAX_MEGABYTES + 0.5) * 1e6)))
    drop(page, file)
    page.wait_for_selector("text=/maximum allowed size/")
    assert "large.mp4" not in app.kept()


def test_what_is_too_long_is_refused_and_a_part_of_it_is_not(page: Any, tmp_path: Path, picture: Any) -> None:
    long = tmp_path / "long.mp4"
    with VideoWriter(long, CLIP_SIZE, 5.0) as writer:
        for _ in range(5 * MAX_SECONDS + 5):
            writer.write(picture)
    drop_video(page, long)
    track(page, f"long lasts {MAX_SECONDS + 1} s between start and end, and at most {MAX_SECONDS} s are tracked")
    fill(page, "end", "1")
    assert track(page).startswith("5 frames, ")


def test_there_is_nothing_to_track_before_a_video(page: Any) -> None:
    track(page, "there is nothing to track yet; drop a video first")


def test_undo_takes_points_and_places_back(page: Any, street: Path) -> None:
    drop_video(page, street)
    click_at(page, (0.5, 0.1), (0.5, 0.9), (0.2, 0.2))
    for _ in range(2):
        page.click("#undo")
        wait_for_picture(page)
    click_at(page, (0.3, 0.1), (0.3, 0.9))
    wait_for(page, "The line line 1 is drawn: 48,")


@pytest.mark.slow
def test_one_waits_for_the_other(browser: Any, app: App, street: Path, camera: MjpegCamera) -> None:
    with visiting(browser, app) as first, visiting(browser, app) as second:
        choose_camera(first, camera)
        drop_video(second, street)
        first.click("#track")
        first.wait_for_selector("#progress img")
        second.click("#track")
        wait_for(second, "Waiting for its turn.")
        second.wait_for_selector("#progress >> text=queue: 1/1")
        first.click("#stop")
        wait_for(first, " frames, ")
        assert wait_for(second, " frames, ").startswith(f"{FRAMES} frames, ")


def are_served(addresses: list[str]) -> str:
    """Return a script that tells whether each is served."""
    return f"Promise.all({json.dumps(addresses)}.map(async one => (await fetch(one)).ok))"


def test_what_a_visitor_brought_is_deleted_when_the_page_is_closed(
    browser: Any, app: App, street: Path, page: Any
) -> None:
    with visiting(browser, app) as other:
        drop_video(other, street)
        track(other)
        prefix, _, video = str(other.get_attribute("#video video", "src")).partition("file=")
        files = [path for path in Path(video).parents[1].rglob("*") if path.is_file()]
        assert {"street.mp4", "street.txt", "drawn-1.png"} <= {path.name for path in files}
        addresses = [f"{prefix}file={path}" for path in files]
        assert all(page.evaluate(are_served(addresses)))
    page.wait_for_function(f"{are_served(addresses)}.then(all => !all.includes(true))")
    assert [path for path in files if path.exists()] == []


@pytest.mark.slow
def test_closing_the_page_ends_its_run_and_lets_the_next_one_begin(
    browser: Any, app: App, street: Path, camera: MjpegCamera, page: Any
) -> None:
    with visiting(browser, app) as other:
        choose_camera(other, camera)
        other.wait_for_selector("#frame img")
        picture = str(other.get_attribute("#frame img", "src"))
        other.click("#track")
        other.wait_for_selector("#progress img")
        assert page.evaluate(are_served([picture])) == [True]
    drop_video(page, street)
    assert track(page).startswith(f"{FRAMES} frames, ")
    page.wait_for_function(f"{are_served([picture])}.then(all => !all.includes(true))")


def test_a_page_of_another_name_that_leads_here_is_refused(app: App) -> None:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    with pytest.raises(HTTPError, match="400"):
        urlopen(Request(app.url, headers={"Host": "elsewhere.example"}), timeout=20)


@pytest.mark.slow
def test_ctrl_c_ends_a_run_and_leaves_nothing(browser: Any, tmp_path: Path, weights: Path, camera: MjpegCamera) -> None:
    with serving(tmp_path / "temporary", "--weights", weights, "--camera", camera.address) as app:
        page = browser.new_page()
        page.goto(app.url)
        choose_camera(page, camera)
        page.click("#track")
        page.wait_for_selector("#progress img")
        app.process.send_signal(signal.SIGINT)
        said, wrong = app.process.communicate(timeout=60)
        page.close()
        assert (app.process.returncode, wrong) == (0, "")
        assert said == "ended; what was uploaded and made is deleted\n"
        assert list(app.folder.iterdir()) == []
