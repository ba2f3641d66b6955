"""The demonstration: a street scene with exact ground truth, filmed, tracked and scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import override

from centertrack.app.pipeline import Report
from centertrack.app.session import track
from centertrack.predictor import Predictor
from centertrack.synthetic import DEMO_SCENE, SceneConfig, StreetScene, SyntheticFrame
from tracker.evaluation import EvaluationResult, evaluate
from tracker.factory import DEFAULT_TRACKER
from tracker.io.video import VideoWriter

NAME = "street"
Progress = Callable[[str, int | None], AbstractContextManager[Callable[[], None]]]
"""Given a title and a number of steps (None where unknown), a context; the function it yields is called each step."""


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """What the demonstration writes.

    Attributes:
        video: The scene as it was filmed.
        ground_truth: Its exact ground truth, a MOTChallenge sequence folder without images.
        results: Tracks as MOTChallenge rows.
        annotated: The video with boxes, ids and trails.
        scores: All scores as JSON.
    """

    video: Path
    ground_truth: Path
    results: Path
    annotated: Path
    scores: Path

    @classmethod
    def under(cls, folder: Path) -> DemoFiles:
        """Name the files in a folder."""
        return cls(
            video=folder / f"{NAME}.mp4",
            ground_truth=folder / "gt" / NAME,
            results=folder / "results" / f"{NAME}.txt",
            annotated=folder / f"{NAME}-tracked.mp4",
            scores=folder / "scores.json",
        )


class FilmedScene(StreetScene):
    """A scene that is also written to a video while one goes through its frames, so that it is drawn only once.

    Args:
        config: Of the scene.
        film: Called with every frame.
    """

    def __init__(self, config: SceneConfig, film: Callable[[SyntheticFrame], None]) -> None:
        super().__init__(config)
        self._film = film

    @override
    def __iter__(self) -> Iterator[SyntheticFrame]:
        for item in super().__iter__():
            self._film(item)
            yield item


def film_scene(files: DemoFiles, config: SceneConfig, progress: Progress) -> None:
    """Draw a scene and write it as H.264 video with its ground truth beside it."""
    frame_count = round(config.seconds * config.frame_rate)
    with (
        VideoWriter(files.video, config.size, config.frame_rate) as video,
        progress("drawing the street", frame_count) as advance,
    ):

        def film(item: SyntheticFrame) -> None:
            video.write(item.frame.image, item.frame.time)
            advance()

        FilmedScene(config, film).write_mot(files.ground_truth)


def track_scene(files: DemoFiles, predictor: Predictor, tracker: str, progress: Progress) -> Report:
    """Track the video; writes rows and the annotated video."""
    with track(files.video, predictor, tracker, results=files.results, video=files.annotated) as session:
        with progress("loading the network", None):
            session.warm_up()
        with progress("tracking", session.frame_count) as advance:
            return session.run(lambda result: advance())


def run_demo(
    folder: Path,
    predictor: Predictor,
    progress: Progress,
    config: SceneConfig | None = None,
    tracker: str = DEFAULT_TRACKER,
) -> tuple[DemoFiles, Report, EvaluationResult]:
    """Film a scene, track it and score the tracks.

    Args:
        folder: Where everything is written; files of an earlier run are replaced.
        predictor: Finds the people.
        progress: Shows how far it is.
        config: What to film, by default `DEMO_SCENE`; the same configuration always gives the same video.
        tracker: Of `tracker.TRACKERS`.

    Returns:
        What was written, what was done, and how well.
    """
    files = DemoFiles.under(folder)
    film_scene(files, config or DEMO_SCENE, progress)
    report = track_scene(files, predictor, tracker, progress)
    result = evaluate(files.ground_truth, files.results)
    result.write_json(files.scores)
    return files, report, result
