"""A network over a folder of images: what `CenterNet.inference_detection2d` and `inference_tracking2d` do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from centertrack.app.file_sink import FileSink
from centertrack.app.pipeline import FrameResult
from centertrack.app.session import Session
from centertrack.app.sinks import CocoSink, ImagesSink, RowsSink
from centertrack.models.network import CenterNetwork
from centertrack.predictor import Predictor
from tracker.base import Tracker
from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.factory import make_tracker
from tracker.io.frame import FrameSource
from tracker.io.image_files import ImageFiles, folder_of_images

Array = NDArray[Any]


def detect_folder(
    model: CenterNetwork,
    folder: Path,
    names: Sequence[str] | None = None,
    batch_size: int = 4,
    save_path: str | Path | None = None,
    num_detections: int = 100,
    nms_kernel: int | None = None,
    min_score: float = 0.0,
) -> dict[str, list[Array]]:
    """Detect objects in the images of a folder; arguments, result and errors as `CenterNet.inference_detection2d`."""
    _check_folder(folder)
    source = folder_of_images(folder)
    if names is not None:
        source = ImageFiles([folder / name for name in names], source.name)
    found: dict[str, list[Array]] = {"bboxes": [], "labels": [], "scores": []}

    def keep(result: FrameResult) -> None:
        if result.detections is not None:
            found["bboxes"].append(result.detections.boxes)
            found["labels"].append(result.detections.labels)
            found["scores"].append(result.detections.scores)

    with _predictor(model, min_score=min_score, max_detections=num_detections, nms_kernel=nms_kernel) as predictor:

        def open_sinks(paths: Mapping[str, Path], frames: FrameSource) -> Iterator[FileSink]:
            if save_path is not None:
                yield CocoSink(save_path, frames, predictor.class_names)

        Session(source, predictor, None, open_sinks, batch_size=batch_size).run(keep)
    return found


def track_folder(
    model: CenterNetwork,
    folder: Path,
    batch_size: int = 4,
    save_dir: str | Path | None = None,
    save_results: bool = False,
    save_images: bool = False,
    **tracker_options: Any,
) -> list[Tracks]:
    """Track objects through the images of a folder; arguments and result as `CenterNet.inference_tracking2d`.

    Raises:
        InputError: Nothing to read, or something is to be saved and `save_dir` is missing.
    """
    if (save_results or save_images) and save_dir is None:
        raise InputError("save_results and save_images need save_dir, the folder to save to")
    _check_folder(folder)
    tracks: list[Tracks] = []

    def keep(result: FrameResult) -> None:
        if result.tracks is not None:
            tracks.append(result.tracks)

    def new_tracker(frames: FrameSource) -> Tracker:
        return make_tracker("fairmot", **{"frame_rate": frames.frame_rate, **tracker_options})

    def open_sinks(paths: Mapping[str, Path], frames: FrameSource) -> Iterator[FileSink]:
        if save_dir is not None and save_results:
            yield RowsSink(Path(save_dir, f"{frames.name}.txt"), len(predictor.class_names) != 1)
        if save_dir is not None and save_images:
            yield ImagesSink(Path(save_dir, frames.name))

    with _predictor(model) as predictor:
        Session(folder, predictor, new_tracker, open_sinks, batch_size=batch_size).run(keep)
    return tracks


@contextmanager
def _predictor(model: CenterNetwork, **options: Any) -> Iterator[Predictor]:
    """Run the network as it is, where it is, and leave it in the mode it was in.

    PyTorch executes it, since a conversion would take longer than a folder.
    """
    was_training = model.training
    try:
        yield Predictor(model, device=str(next(model.parameters()).device), runtime="torch", **options)
    finally:
        model.train(was_training)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"expected a folder of images, found no folder {folder}")
