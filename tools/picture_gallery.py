"""Take the pictures of docs/gallery.md: the pages about a demonstration, in a Chromium that is installed.

python tools/picture_gallery.py runs/demo
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
from jsonargparse import auto_cli
from playwright.sync_api import sync_playwright

from tracker.io.atomic import atomic_path
from tracker.io.images import encode_image
from tracker.io.video import open_source

SIZE = (1280, 800)
MOST_BYTES = 120_000  # of a picture
LINE, ZONE = "gate=50%,35%,50%,95%", "crossing=60%,50%,85%,50%,95%,95%,60%,95%"
COUNTED_FRAME = 150


def picture_gallery(demo: Path, output: Path = Path("docs/images")) -> None:
    """Write gallery-report.jpg, gallery-review.jpg, gallery-counts.jpg and gallery-app.jpg.

    Args:
        demo: What `centertrack demo` wrote.
        output: Folder of the pictures.
    """
    video, rows = demo / "street.mp4", demo / "results" / "street.txt"
    with TemporaryDirectory() as folder, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        screen = {"width": SIZE[0], "height": SIZE[1]}
        page = browser.new_context(viewport=screen, bypass_csp=True).new_page()
        report = Path(folder, "report.html").resolve()
        run("evaluate", "--gt", demo / "gt", "--results", demo / "results", "--report", report)
        page.goto(report.as_uri())
        save(page.screenshot(), output / "gallery-report.jpg")

        results = shutil.copy(rows, folder)
        with serving("review", video, results) as url:
            page.goto(url)
            page.wait_for_selector("body[data-ready=yes]")
            page.wait_for_function("document.getElementById('place-count').textContent")
            page.keyboard.press("n")
            page.wait_for_function("!document.getElementById('video').seeking")
            save(page.screenshot(), output / "gallery-review.jpg")

        counted = Path(folder, "counted.mp4")
        run(
            "track", video, "--line", LINE, "--zone", ZONE, "--video", counted, "--results", Path(folder, "counted.txt")
        )
        with open_source(counted, start=f"{COUNTED_FRAME}f") as frames:
            save(cv2.imencode(".png", next(iter(frames)).image[..., ::-1])[1].tobytes(), output / "gallery-counts.jpg")

        with serving("app") as url:
            use_app(page, url, video)
            save(page.screenshot(full_page=True), output / "gallery-app.jpg")
        browser.close()


def use_app(page: Any, url: str, video: Path) -> None:
    """Track the video on the page, with a line, and wait for the results."""
    page.goto(url)
    page.set_input_files("#file input[type=file]", str(video))
    for share in (0.35, 0.95):
        with page.expect_response(lambda answer: "drawn-" in answer.url):
            if share == 0.35:
                page.wait_for_function("(document.querySelector('#frame img') || {}).naturalWidth > 0")
            area = page.locator("#frame img").bounding_box()
            page.mouse.click(area["x"] + area["width"] / 2, area["y"] + share * area["height"])
        page.wait_for_function("document.querySelector('#frame img').complete")
    page.click("#track")
    page.wait_for_selector("#report iframe", timeout=300_000)
    timeline = page.frame_locator("#report iframe").locator("#timeline canvas")
    timeline.click(position={"x": 500, "y": 60})
    page.wait_for_function("document.querySelector('#video video').currentTime > 1")
    page.wait_for_function("!document.querySelector('#video video').seeking")
    page.mouse.move(5, 5)


def run(*words: object) -> None:
    """Run a command of centertrack."""
    subprocess.run([sys.executable, "-m", "centertrack", *map(str, words)], check=True)


@contextmanager
def serving(*words: object) -> Iterator[str]:
    """Run a command that serves a page, and give its address."""
    command = [sys.executable, "-m", "centertrack", *map(str, words), "--no-browser"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
        found = re.search(r"http://\S+", line)
        if found is None:
            raise SystemExit(f"{' '.join(command)} serves nothing: {line}")
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def save(screenshot: bytes, path: Path) -> None:
    """Write a picture as a JPEG of at most `MOST_BYTES`, as good as it can be."""
    pixels = cv2.imdecode(np.frombuffer(screenshot, np.uint8), cv2.IMREAD_COLOR)
    if pixels.shape[1] > 960:
        pixels = cv2.resize(pixels, (960, round(960 * pixels.shape[0] / pixels.shape[1])), interpolation=cv2.INTER_AREA)
    for quality in range(90, 40, -5):
        content = encode_image(pixels, ".jpg", quality)
        if len(content) < MOST_BYTES:
            break
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


if __name__ == "__main__":
    auto_cli(picture_gallery)
