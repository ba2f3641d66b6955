"""`centertrack review`: correct tracks where one sees them."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from centertrack.commands.shared.options import add_embedding_options, port_number, read_assignments
from centertrack.commands.shared.terminal import progress_bar, say

if TYPE_CHECKING:
    from centertrack.review.server import ReviewServer
    from centertrack.review.session import ReviewSession

SUMMARY = "look at tracks in the browser, and correct them"
DESCRIPTION = """Show a video with its tracks and a timeline in the browser, the suspicious places first, and correct
them: merge, split, swap, delete, rename, set the class, move and draw boxes. Every edit is a line more in an edit
list beside the results, which stay as they are; `centertrack edit` applies it. The page comes from a server on this
computer that no other one can reach; Ctrl-C ends it."""
EPILOG = """examples:
  centertrack review street.mp4 street.txt
  centertrack review MOT17/train/MOT17-09-SDP results/MOT17-09-SDP.txt --edits mine.edits.jsonl
  centertrack review old.avi old.txt --reencode
  centertrack edit street.txt street.edits.jsonl --results corrected.txt"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "source", metavar="VIDEO", help="video file, folder or quoted glob of images, or MOTChallenge sequence folder"
    )
    parser.add_argument("results", metavar="RESULTS", type=Path, help="tracks of this video, as written by track")
    parser.add_argument(
        "--edits", metavar="FILE", type=Path, help="the edit list (default: RESULTS with the ending .edits.jsonl)"
    )
    parser.add_argument(
        "--reencode", action="store_true", help="where browsers do not play the video, make a copy that they do"
    )
    add_embedding_options(parser, "nobody: boxes alone tell")
    parser.add_argument(
        "--port", type=port_number, default=0, metavar="N", help="of the server (default: any that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="only say where the page is")


def run(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from centertrack.review.server import ReviewServer

    with ReviewServer(_open(options), options.port) as server:
        say(f"review: {server.url} (Ctrl-C ends)")
        if not options.no_browser:
            Thread(target=webbrowser.open, args=[server.url], daemon=True).start()
        _serve(server)
    return 0


def _open(options: argparse.Namespace) -> ReviewSession:
    from centertrack.review.media import copy_beside, open_media
    from centertrack.review.session import ReviewSession
    from tracker.editing.edit_list import edits_beside

    copy = copy_beside(options.results) if options.reencode else None
    with progress_bar(f"encoding {copy}", None, quiet=copy is None) as advance:
        media = open_media(options.source, copy, lambda number: advance())
    session = ReviewSession(media, options.results, options.edits or edits_beside(options.results))
    if options.embeddings:
        from centertrack.runtime.embedder import open_embedder
        from tracker.io.video import open_source

        embedder = open_embedder(options.embeddings, read_assignments(options.embedding_option))
        with open_source(options.source) as frames, progress_bar("looking", frames.frame_count) as advance:
            session.add_appearance(frames, embedder, advance)
    return session


def _serve(server: ReviewServer) -> None:
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        say("ended; every edit is in the list")
