"""Corrected tracks with the frames they lie on: a video, labels to train from, rows with times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

from centertrack.app.pipeline import FrameResult
from centertrack.app.sinks import track_sinks
from centertrack.app.tracks_sink import OutputOptions
from tracker.detections import Tracks
from tracker.editing.edited import Edited
from tracker.errors import InputError
from tracker.io.video import FrameSource


def write_corrected(
    edited: Edited,
    frames: FrameSource,
    paths: Mapping[str, Path],
    on_frame: Callable[[int], None] = lambda number: None,
) -> None:
    """Go through a source and hand every frame, with its corrected tracks, to the outputs of tracking.

    Args:
        edited: The tracks.
        frames: What they lie on; closed at the end.
        paths: As of `track_sinks`.
        on_frame: Called with the number of each frame that is done.

    Raises:
        InputError: The source or an output fails, or ends before the tracks.
    """
    by_frame = dict(edited.tracks)
    several = len(edited.names) > 1
    options = OutputOptions(
        class_names=edited.class_names, has_classes=edited.has_classes, shows_classes=several and edited.has_classes
    )
    with frames, ExitStack() as stack:
        sinks = [stack.enter_context(sink) for sink in track_sinks(paths, frames, options)]
        last = 0
        for frame in frames:
            result = FrameResult(frame, tracks=by_frame.get(frame.number, Tracks.empty()))
            for sink in sinks:
                sink.write(result)
            last = frame.number
            on_frame(last)
        if max(by_frame, default=0) > last:
            raise InputError(f"the tracks go on to frame {max(by_frame)}, {frames.name} ends with frame {last}")
