"""Who has the page open, and the folder of each: what was uploaded and made is deleted when the page is closed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from threading import Event, Lock

from centertrack.web.offer import Limits
from centertrack.web.sketch import Sketch
from tracker.arrays import Image
from tracker.errors import InputError
from tracker.io.images import write_image
from tracker.io.video import open_source


class Visitor:
    """One open page.

    Args:
        folder: Of everything that belongs to it.

    Attributes:
        folder: As given.
        source: A file that was uploaded, or a camera; None before.
        sketch: The first frame of it, and what is drawn there; None before.
        stop: Set to end the run, with what was done until then.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.source: str | None = None
        self.sketch: Sketch | None = None
        self.stop = Event()
        self._lock = Lock()
        self._runs = self._pictures = 0
        self._is_busy = self._has_left = False

    def take_upload(self, upload: Path, limits: Limits) -> None:
        """Take a file as the source, out of the folder that uploads come to.

        Raises:
            InputError: It is too large, or no video.
        """
        self.forget_source()
        place = Path(mkdtemp(prefix="upload-", dir=self.folder))
        file = place / upload.name
        try:
            os.link(upload, file)  # another visitor may upload the same file: both have it then
        except FileNotFoundError:
            raise InputError(f"{upload.name} did not arrive; drop it again") from None
        upload.unlink(missing_ok=True)
        try:
            limits.check_file(file)
            self.sketch = Sketch(_first_image(str(file)))
        except BaseException:
            shutil.rmtree(place)
            raise
        self.source = str(file)

    def take_camera(self, camera: str) -> None:
        """Take a camera as the source.

        Raises:
            InputError: It gives no picture.
        """
        self.forget_source()
        self.sketch = Sketch(_first_image(camera))
        self.source = camera

    def forget_source(self) -> None:
        """Forget the source; a file is deleted."""
        source, self.source, self.sketch = self.source, None, None
        if source is not None and Path(source).is_relative_to(self.folder):
            shutil.rmtree(Path(source).parent, ignore_errors=True)

    @contextmanager
    def running(self) -> Iterator[Path]:
        """Give a folder for the results of a run, in place of those of the last one.

        Where the page is closed meanwhile, the run is stopped, and all is deleted at its end.

        Raises:
            InputError: Another run of this page goes on.
        """
        with self._lock:
            if self._is_busy:
                raise InputError("this page is tracking already; stop that first")
            self._is_busy = True
            self.stop.clear()
            if self._has_left:
                self.stop.set()
        try:
            shutil.rmtree(self.folder / f"run-{self._runs}", ignore_errors=True)
            self._runs += 1
            yield self.folder / f"run-{self._runs}"
        finally:
            with self._lock:
                self._is_busy = False
                if self._has_left:
                    shutil.rmtree(self.folder, ignore_errors=True)

    def leave(self) -> None:
        """Stop, and delete everything."""
        with self._lock:
            self._has_left = True
            self.stop.set()
            if not self._is_busy:
                shutil.rmtree(self.folder, ignore_errors=True)

    def picture(self) -> str | None:
        """Return a file with the first frame and what is drawn on it; None without a source."""
        for old in self.folder.glob("drawn-*.png"):
            old.unlink()
        if self.sketch is None:
            return None
        self._pictures += 1
        path = self.folder / f"drawn-{self._pictures}.png"  # a new name: browsers keep what an old one showed
        write_image(path, self.sketch.picture())
        return str(path)

    def without_folder(self, sentence: str) -> str:
        """Return a sentence without where on the server a file lies: its name is enough."""
        for folder in (*self.folder.glob("*"), self.folder):
            sentence = sentence.replace(f"{folder}{os.sep}", "")
        return sentence


class Visitors:
    """All open pages by their key.

    Args:
        folder: In which each gets one of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._by_key: dict[str, Visitor] = {}

    def of(self, key: str) -> Visitor:
        """Return who has the page with a key open."""
        with self._lock:
            if key not in self._by_key:
                self._by_key[key] = Visitor(Path(mkdtemp(prefix="visitor-", dir=self._folder)))
            return self._by_key[key]

    def leave(self, key: str) -> None:
        """Say that a page was closed."""
        with self._lock:
            visitor = self._by_key.pop(key, None)
        if visitor is not None:
            visitor.leave()

    def stop(self) -> None:
        """End all runs."""
        with self._lock:
            for visitor in self._by_key.values():
                visitor.stop.set()


def _first_image(source: str) -> Image:
    with open_source(source, reconnect=None) as frames:
        first = next(iter(frames), None)
    if first is None:
        raise InputError(f"{source}: there is no frame in it")
    return first.image
