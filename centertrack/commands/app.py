"""`centertrack app`: tracking in the browser."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from centertrack.commands.shared.options import port_number, positive_number
from centertrack.commands.shared.terminal import say
from tracker.extras import require

if TYPE_CHECKING:
    from centertrack.web.offer import Offer

SUMMARY = "track videos in the browser, without typing"
DESCRIPTION = """Serve a page: drop a video or choose a camera, draw lines and zones on its first frame, track, watch,
and take away the files. They are those of `centertrack track`. Runs of several people wait for each other. What is
uploaded and made lies in a temporary folder, is deleted when its page is closed, and at the latest when Ctrl-C ends the
server. The page loads nothing from elsewhere, and nothing is sent anywhere. Needs the extra [app]."""
EPILOG = """examples:
  centertrack app
  centertrack app --weights mine.safetensors --camera 0
  centertrack app --host 0.0.0.0 --port 8080 --no-browser --max-seconds 60"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--weights",
        action="append",
        default=[],
        metavar="NAME|FILE",
        help="offer these as well as those that come with the package, and first; may be given several times",
    )
    parser.add_argument(
        "--camera",
        action="append",
        default=[],
        metavar="N|URL",
        help="offer this camera, a number, device or address; may be given several times (default: /dev/video*)",
    )
    parser.add_argument(
        "--max-seconds", type=positive_number, default=600.0, metavar="N", help="of video in one run (default: 600)"
    )
    parser.add_argument(
        "--max-megabytes", type=positive_number, default=500.0, metavar="N", help="of an upload (default: 500)"
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen at (default: %(default)s, which no other computer reaches; 0.0.0.0 lets everybody in)",
    )
    parser.add_argument(
        "--port", type=port_number, default=0, metavar="N", help="of the server (default: any that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only say where the page is")


def run(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    require("centertrack app", "gradio")
    from centertrack.web.server import AppServer, own_folder

    with own_folder() as folder:
        server = AppServer(_offer(options), folder, options.host, options.port)
        say(f"app: {server.url} (Ctrl-C ends)")
        if not options.no_browser:
            Thread(target=webbrowser.open, args=[server.url], daemon=True).start()
        try:
            server.run()
        except KeyboardInterrupt as error:
            if type(error) is not KeyboardInterrupt:  # SIGTERM has an exit code of its own
                raise
            say("ended; what was uploaded and made is deleted")
    return 0


def _offer(options: argparse.Namespace) -> Offer:
    """Return what visitors may choose from.

    Raises:
        InputError: There are no such weights.
    """
    from centertrack.runtime.weights import DEFAULT_WEIGHTS, find_weights, list_weights
    from centertrack.web.offer import Limits, Offer

    for one in options.weights:
        find_weights(one)
    cameras = options.camera or sorted(str(path) for path in Path("/dev").glob("video*"))
    weights = list(dict.fromkeys([*options.weights, DEFAULT_WEIGHTS, *list_weights()]))
    return Offer(weights, cameras, Limits(options.max_seconds, options.max_megabytes))
