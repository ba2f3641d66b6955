from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from centertrack.app.pipeline import FrameResult, Pipeline, Report
from centertrack.predictor import PreparedImage
from tracker import make_tracker
from tracker.detections import Detections
from tracker.errors import InputError
from tracker.io.frame import Frame


class FakePredictor:
    """Finds one box that moves a pixel a frame: the image says where."""

    def __init__(self, streams: int = 1, fails_at: int | None = None) -> None:
        self.runtime = SimpleNamespace(streams=streams)
        self.fails_at = fails_at
        self.batches: list[int] = []

    def prepare(self, image: np.ndarray) -> PreparedImage:
        return PreparedImage(image, None)  # type: ignore[arg-type]

    def detect(self, prepared: list[PreparedImage]) -> list[Detections]:
        self.batches.append(len(prepared))
        numbers = [int(image.pixels[0, 0, 0]) for image in prepared]
        if self.fails_at in numbers:
            raise RuntimeError("out of memory")
        return [Detections([[n, 10, n + 20, 60]], [0.9], embeddings=[[1.0, 0.0]]) for n in numbers]


class Collector:
    def __init__(self, fails_at: int | None = None) -> None:
        self.results: list[FrameResult] = []
        self.fails_at = fails_at

    def write(self, result: FrameResult) -> None:
        if result.frame.number == self.fails_at:
            raise OSError("disk full")
        self.results.append(result)

    @property
    def numbers(self) -> list[int]:
        return [result.frame.number for result in self.results]


def frames(count: int, broken_after: int | None = None) -> Iterator[Frame]:
    for number in range(1, count + 1):
        yield Frame(number, (number - 1) / 25, np.full((4, 4, 3), number, np.uint8))
        if number == broken_after:
            raise InputError(f"clip.mp4: breaks off after frame {number}")


@pytest.mark.parametrize("streams", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_every_frame_reaches_the_sinks_in_order_with_its_own_detections_and_one_id(streams, batch_size):
    sink = Collector()
    report = Pipeline(frames(20), FakePredictor(streams), make_tracker("fairmot"), [sink], batch_size).run()
    assert sink.numbers == list(range(1, 21))
    for result in sink.results:
        assert result.detections.boxes[0, 0] == result.frame.number
        assert result.tracks.ids.tolist() == [1]
        assert result.prepared is None
    assert (report.frames, report.detections, report.ids) == (20, 20, {1})


def test_what_came_before_a_source_broke_off_is_kept():
    sink = Collector()
    pipeline = Pipeline(frames(20, broken_after=7), FakePredictor(2), None, [sink], batch_size=4)
    with pytest.raises(InputError, match="after frame 7"):
        pipeline.run()
    assert sink.numbers == list(range(1, 8))
    assert pipeline.report.frames == 7


def test_a_failing_sink_ends_the_run_with_its_error():
    sink = Collector(fails_at=5)
    with pytest.raises(OSError, match="disk full"):
        Pipeline(frames(10_000), FakePredictor(), None, [sink]).run()
    assert sink.numbers == [1, 2, 3, 4]


def test_a_failing_network_ends_the_run_with_its_error():
    sink = Collector()
    with pytest.raises(RuntimeError, match="out of memory"):
        Pipeline(frames(200), FakePredictor(2, fails_at=6), None, [sink]).run()
    assert sink.numbers == [1, 2, 3, 4, 5]


def test_a_failing_tracker_ends_the_run_with_its_error():
    def backwards() -> Iterator[Frame]:
        for frame in frames(5):
            yield Frame(frame.number, -frame.time, frame.image)

    with pytest.raises(InputError, match="backwards"):
        Pipeline(backwards(), FakePredictor(), make_tracker("fairmot")).run()


def test_an_interrupt_stops_all_stages_and_leaves_whole_frames():
    sink = Collector()

    def interrupt(result: FrameResult) -> None:
        if result.frame.number == 3:
            raise KeyboardInterrupt

    pipeline = Pipeline(frames(10_000), FakePredictor(), make_tracker("fairmot"), [sink])
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(interrupt)
    count = len(sink.results)
    assert 3 <= count < 100
    assert sink.numbers == list(range(1, count + 1))


def test_no_frames_are_no_error():
    report = Pipeline(iter(()), FakePredictor(), make_tracker("fairmot"), [Collector()]).run()
    assert (report.frames, report.frame_rate, report.stage_rates()) == (0, 0.0, {})


def test_max_frames_stops_and_batches_are_full_but_for_the_last():
    predictor, sink = FakePredictor(), Collector()
    Pipeline(frames(100), predictor, None, [sink], batch_size=4, max_frames=10).run()
    assert sink.numbers == list(range(1, 11))
    assert predictor.batches == [4, 4, 2]


def test_the_report_names_the_stages_that_ran():
    report = Pipeline(frames(3), FakePredictor()).run()
    assert list(report.busy_seconds) == ["decode", "prepare", "network"]
    assert report.ids is None
    report = Pipeline(frames(3), FakePredictor(), make_tracker("fairmot"), [Collector()]).run()
    assert list(report.busy_seconds) == ["decode", "prepare", "network", "associate", "write"]


def test_rates():
    report = Report(frames=30, seconds=2.0, busy_seconds={"decode": 0.0, "network": 1.5})
    assert report.frame_rate == 15.0
    assert report.stage_rates() == {"network": 20.0}
