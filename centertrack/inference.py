"""A network over a folder of images: what `CenterNet.inference_detection2d` and `inference_tracking2d` do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from centertrack.coco_results import CocoWriter
from centertrack.models.centernet import CenterNet
from centertrack.pipeline import FrameResult, Pipeline
from centertrack.predictor import Predictor
from centertrack.sinks import FileSink, ImagesSink, RowsSink
from tracker.detections import Tracks
from tracker.errors import InputError
from tracker.factory import make_tracker
from tracker.io.images import folder_of_images, read_image
from tracker.io.video import open_source

Array = NDArray[Any]


def detect_folder(
    model: CenterNet,
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
    paths = folder_of_images(folder).paths if names is None else [folder / name for name in names]
    found: dict[str, list[Array]] = {"bboxes": [], "labels": [], "scores": []}
    with ExitStack() as stack:
        options = {"min_score": min_score, "max_detections": num_detections, "nms_kernel": nms_kernel}
        predictor = stack.enter_context(_predictor(model, **options))
        writer = stack.enter_context(CocoWriter(save_path, predictor.class_names)) if save_path else None
        for start in range(0, len(paths), batch_size):
            images = [read_image(path) for path in paths[start : start + batch_size]]
            for path, image, detections in zip(paths[start:], images, predictor(images), strict=False):
                found["bboxes"].append(detections.boxes)
                found["labels"].append(detections.labels)
                found["scores"].append(detections.scores)
                if writer is not None:
                    writer.write(path.name, (image.shape[1], image.shape[0]), detections)
    return found


def track_folder(
    model: CenterNet,
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

    with open_source(folder) as source, ExitStack() as stack:
        tracker = make_tracker("fairmot", **{"frame_rate": source.frame_rate, **tracker_options})
        sinks: list[FileSink] = []
        if save_dir is not None and save_results:
            sinks.append(stack.enter_context(RowsSink(Path(save_dir, f"{source.name}.txt"))))
        if save_dir is not None and save_images:
            sinks.append(stack.enter_context(ImagesSink(Path(save_dir, source.name))))
        predictor = stack.enter_context(_predictor(model))
        Pipeline(source, predictor, tracker, sinks, batch_size).run(keep)
    return tracks


@contextmanager
def _predictor(model: CenterNet, **options: Any) -> Iterator[Predictor]:
    """Run the network as it is, where it is, and leave it in the mode it was in.

    PyTorch executes it, since a conversion would take longer than a folder.
    """
    was_training = model.training
    try:
        yield Predictor(model, device=str(model.device), runtime="torch", **options)
    finally:
        model.train(was_training)


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise InputError(f"expected a folder of images, found no folder {folder}")
