"""Trackers of other libraries, for comparison; each is used only if it happens to be installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from tracker import Detections


@dataclass(frozen=True)
class Peer:
    """A tracker of another library.

    Attributes:
        library: Package and version.
        tracker: Its name there.
        embeddings: Whether it is given embeddings and compares them.
        start: Makes a fresh tracker and returns its update function.
        prepare: Turns detections into that function's argument; its time does not count.
    """

    library: str
    tracker: str
    embeddings: bool
    start: Callable[[], Callable[[Any], Any]]
    prepare: Callable[[Detections], Any]


def installed_peers() -> Iterator[Peer]:
    """Give the peers whose packages can be imported."""
    for package, peers_of in (
        ("trackers", _roboflow_trackers),
        ("boxmot", _boxmot),
        ("norfair", _norfair),
        ("motpy", _motpy),
    ):
        try:
            module = importlib.import_module(package)
        except ImportError:
            continue
        yield from peers_of(module, f"{package} {version(package)}")


def _roboflow_trackers(module: Any, library: str) -> Iterator[Peer]:
    supervision = importlib.import_module("supervision")

    def prepare(detections: Detections) -> Any:
        return supervision.Detections(detections.boxes, confidence=detections.scores, class_id=detections.labels)

    for name, options in (
        ("SORTTracker", {}),
        ("ByteTrackTracker", {}),
        ("OCSORTTracker", {}),
        ("BoTSORTTracker", {"enable_cmc": False}),
    ):
        start = partial(_fresh_update, getattr(module, name), options)
        yield Peer(library, name, False, start, prepare)


def _boxmot(module: Any, library: str) -> Iterator[Peer]:
    structures, torch = importlib.import_module("boxmot.structures"), importlib.import_module("torch")
    image = np.zeros((1080, 1920, 3), np.uint8)

    def prepare(detections: Detections) -> Any:
        return structures.Detections(
            structures.Boxes(torch.from_numpy(detections.boxes)),
            torch.from_numpy(detections.scores),
            torch.from_numpy(detections.labels),
            "scene",
            embeddings=torch.from_numpy(detections.embeddings),
        )

    for name, embeddings, options in (
        ("ByteTrack", False, {}),
        ("OcSort", False, {}),
        ("BotSort", True, {"use_cmc": False}),
    ):
        start = partial(_fresh_update, getattr(module, name), options, image)
        yield Peer(library, name, embeddings, start, prepare)


def _norfair(module: Any, library: str) -> Iterator[Peer]:
    def prepare(detections: Detections) -> Any:
        return [
            module.Detection(box.reshape(2, 2), scores=np.array([score, score]))
            for box, score in zip(detections.boxes, detections.scores, strict=True)
        ]

    yield Peer(library, "Tracker", False, lambda: module.Tracker("iou", 0.7).update, prepare)


def _motpy(module: Any, library: str) -> Iterator[Peer]:
    def prepare(detections: Detections) -> Any:
        return [
            module.Detection(box=box, score=score)
            for box, score in zip(detections.boxes, detections.scores, strict=True)
        ]

    yield Peer(library, "MultiObjectTracker", False, lambda: module.MultiObjectTracker(dt=1 / 30).step, prepare)


def _fresh_update(make: Callable[..., Any], options: dict[str, Any], *more: Any) -> Callable[[Any], Any]:
    """Make a tracker and return its update, called with the detections and these further arguments."""
    follower = make(**options)
    return lambda detections: follower.update(detections, *more)
