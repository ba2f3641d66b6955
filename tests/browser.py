"""A real Chromium for pages, where one is installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = [  # as a container needs it, and without what calls home
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def needs_browser() -> None:
    """Skip the module that calls this where there is no Chromium, or no Playwright to drive it."""
    if BROWSER is None:
        pytest.skip("needs Chromium (apt install chromium)", allow_module_level=True)
    pytest.importorskip("playwright.sync_api", reason="needs Playwright (pip install playwright)")


@contextmanager
def open_browser() -> Iterator[Any]:
    """Start it, and close it at the end."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=BROWSER, args=OPTIONS)
        yield running
        running.close()
