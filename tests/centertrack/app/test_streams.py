from __future__ import annotations

import copy
import gc
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from centertrack.app.session import Session
from centertrack.app.sinks import RowsSink
from centertrack.app.streams import Streams, share
from centertrack.predictor import Predictor
from tests.centertrack.conftest import small_network
from tracker.errors import InputError
from tracker.factory import make_tracker
from tracker.io.frame import Frame, FrameSource
from tracker.io.live import LiveSource
from tracker.io.mot import read_results


class Camera(FrameSource):
    """Gives a picture each time the one before has been seen, for ever or until it fails."""

    frame_count = None

    def __init__(
        self, name: str, picture: np.ndarray, frames: int | None = None, error: Exception | None = None
    ) -> None:
        self.name, self.size, self.frame_rate = name, (picture.shape[1], picture.shape[0]), 10.0
        self._picture, self._frames, self._error = picture, frames, error
        self.seen = threading.Semaphore(1)
        self._ended = threading.Event()

    def __iter__(self) -> Iterator[Frame]:
        number = 0
        while number != self._frames and self.seen.acquire(timeout=30) and not self._ended.is_set():
            number += 1
            yield Frame(number, number / 10, self._picture)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        self._ended.set()
        self.seen.release()


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(small_network(), device="cpu", runtime="torch", min_score=0.2)


def sessions_of(cameras: list[Camera], predictor: Predictor, folder) -> list[Session]:
    shared = share(predictor, len(cameras))
    return [
        Session(
            LiveSource(camera),
            shared,
            lambda frames: make_tracker("bytetrack", min_hits=1, frame_rate=frames.frame_rate),
            lambda paths, frames: [RowsSink(folder / f"{frames.name}.txt")],
        )
        for camera in cameras
    ]


def test_every_stream_has_a_tracker_and_outputs_of_its_own(predictor, picture, tmp_path):
    cameras = [Camera("a", picture, 6), Camera("b", picture, 9)]
    sessions = sessions_of(cameras, predictor, tmp_path)
    seen: list[list[int]] = [[], []]
    ends: list[tuple[int, BaseException | None]] = []

    def look(place: int, result) -> None:
        seen[place].append(result.number)
        cameras[place].seen.release()
        assert threading.current_thread() is threading.main_thread()

    Streams(sessions).run(look, lambda place, error: ends.append((place, error)))
    assert seen == [list(range(1, 7)), list(range(1, 10))]
    assert sorted(ends) == [(0, None), (1, None)]
    assert all(session.is_complete for session in sessions)
    rows = [read_results(tmp_path / f"{name}.txt") for name in ("a", "b")]
    assert [one.frames.max() for one in rows] == [6, 9]
    np.testing.assert_array_equal(np.unique(rows[0].ids), np.unique(rows[1].ids))  # each counts from 1


def test_a_failure_is_told_and_the_other_stream_goes_on(predictor, picture, tmp_path):
    cameras = [Camera("a", picture, 3, InputError("a: gone")), Camera("b", picture, 12)]
    sessions = sessions_of(cameras, predictor, tmp_path)
    ends: dict[int, str] = {}
    Streams(sessions).run(
        lambda place, result: cameras[place].seen.release(), lambda place, error: ends.update({place: str(error)})
    )
    assert ends == {0: "a: gone", 1: "None"}
    assert [session.is_complete for session in sessions] == [False, True]
    assert (tmp_path / "a.partial.txt").exists()


@pytest.mark.parametrize("by_stop", [True, False])
def test_ending_completes_all_outputs(predictor, picture, tmp_path, by_stop):
    cameras = [Camera("a", picture), Camera("b", picture)]
    sessions = sessions_of(cameras, predictor, tmp_path)
    streams = Streams(sessions)

    def look(place: int, result) -> None:
        cameras[place].seen.release()
        if all(session.report.frames >= 4 for session in sessions):
            if not by_stop:
                raise KeyboardInterrupt
            streams.stop()

    if by_stop:
        streams.run(look)
    else:
        with pytest.raises(KeyboardInterrupt):
            streams.run(look)
    assert all(session.is_complete for session in sessions)
    assert all(read_results(tmp_path / f"{name}.txt").frames.max() >= 4 for name in ("a", "b"))


def test_on_a_gpu_batches_of_every_size_are_prepared_before_anything_is_written(predictor, picture, tmp_path):
    cameras = [Camera(name, picture, 2) for name in ("a", "b", "c")]
    sizes: list[int] = []

    class Runtime:
        name, precision, streams = "fake", "f32", 1

        def __call__(self, images: np.ndarray):
            sizes.append(len(images))
            return predictor.runtime(images)

    on_gpu = copy.copy(predictor)
    on_gpu.device, on_gpu.runtime = "cuda", Runtime()
    sessions = sessions_of(cameras, on_gpu, tmp_path)
    Streams(sessions).warm_up()
    assert sizes == [1, 2, 3] * 3  # a runtime prepares itself once for a shape
    for session in sessions:
        session.close()
    assert not list(tmp_path.iterdir())


def test_a_camera_whose_session_never_ran_is_let_go(predictor, picture):
    def refuse(frames: FrameSource):
        raise InputError("no such tracker")

    camera = Camera("a", picture)
    with pytest.raises(InputError, match="no such tracker"):
        Session(LiveSource(camera), predictor, refuse)
    assert camera._ended.is_set()
    camera = Camera("b", picture)
    session = Session(LiveSource(camera), predictor)
    with pytest.warns(UserWarning, match="b was opened and not processed"):
        del session
        gc.collect()
    assert camera._ended.is_set()
