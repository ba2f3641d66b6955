"""Watching while it runs: a window, or a page in a browser."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from centertrack.commands.shared.terminal import say
from tracker.io.names import STANDARD_OUTPUT

if TYPE_CHECKING:
    from centertrack.app.pipeline import FrameResult
    from centertrack.app.session import Session
    from centertrack.app.web_view import WebView
    from centertrack.app.window import Windows


def add_view_options(parser: argparse.ArgumentParser) -> None:
    """Add how to watch the annotated frames while they are made."""
    group = parser.add_argument_group("watching")
    group.add_argument("--show", action="store_true", help="show the annotated frames in a window; q or Esc ends")
    group.add_argument(
        "--serve",
        type=_address,
        metavar="[HOST]:PORT",
        help="serve a page with the annotated frames and live counts, as at :8000, for this computer only unless "
        "another HOST is given, such as 0.0.0.0",
    )


class Views:
    """Where finished frames are shown.

    Args:
        web: A page, or None.
        windows: For a window of each source, or None.
    """

    def __init__(self, web: WebView | None, windows: Windows | None) -> None:
        self._web, self._windows = web, windows

    @contextmanager
    def of(self, session: Session) -> Iterator[Callable[[FrameResult], bool]]:
        """Show the frames of a session while the block runs.

        Yields:
            What to call with each finished frame; returns whether to go on.
        """
        name, predictor = session.frames.name, session.predictor
        names = predictor.class_names if predictor.finds_several_classes else ()
        with ExitStack() as stack:
            pane = (
                stack.enter_context(self._web.pane(name, names, session.draw_over)) if self._web is not None else None
            )
            window = None
            if self._windows is not None:
                from centertrack.app.window import Window

                window = Window(self._windows, name, names, session.draw_over)

            def update(result: FrameResult) -> bool:
                if pane is not None:
                    pane.update(result)
                return window is None or window.update(result)

            yield update


@contextmanager
def open_views(options: argparse.Namespace) -> Iterator[Views]:
    """Open what the options ask for.

    Raises:
        InputError: There is no display, or the address cannot be listened at.
    """
    with ExitStack() as stack:
        windows = web = None
        if options.show:
            from centertrack.app.window import Windows

            windows = stack.enter_context(Windows())
        if options.serve is not None:
            from centertrack.app.web_view import WebView

            web = stack.enter_context(WebView(*options.serve))
            if not options.quiet:
                say(f"watch at {web.address}", aside=options.results == STANDARD_OUTPUT)
        yield Views(web, windows)


def _address(text: str) -> tuple[str, int]:
    """Read [HOST]:PORT, for argparse.

    >>> _address(":8000"), _address("0.0.0.0:80"), _address("8000")
    (('127.0.0.1', 8000), ('0.0.0.0', 80), ('127.0.0.1', 8000))
    """
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"expected an address as :8000 or 0.0.0.0:8000, got {text!r}")
    return host.strip("[]") or "127.0.0.1", int(port)
