from __future__ import annotations

import threading

import pytest

from centertrack.app.stage import Stage

WAIT = 10.0  # seconds after which a test that hangs fails


def test_results_come_in_the_order_of_the_items_whoever_finishes_first():
    second_done = threading.Event()

    def slow_first(number: int) -> int:
        if number == 0:
            assert second_done.wait(WAIT)
        else:
            second_done.set()
        return number

    assert list(Stage(slow_first, range(6), workers=2)) == list(range(6))


def test_an_error_of_the_function_comes_after_the_results_before_it():
    stage = Stage(lambda number: 1 // (3 - number), range(10))
    assert [next(stage) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(stage)


def test_an_error_of_the_items_passes_through_a_chain():
    def items():
        yield 1
        raise OSError("gone")

    last = Stage(str, Stage(abs, items()))
    assert next(last) == "1"
    with pytest.raises(OSError, match="gone"):
        next(last)


def test_a_stage_that_ended_stays_ended():
    stage = Stage(abs, [1])
    assert list(stage) == [1]
    assert list(stage) == []
    assert next(stage, None) is None


def test_a_function_may_end_the_stream():
    rest = iter([1, 2])
    assert list(Stage(lambda _: next(rest), range(100))) == [1, 2]


def test_no_more_is_pulled_than_there_is_room_for():
    pulled = []
    full = threading.Event()

    def items():
        for number in range(100):
            pulled.append(number)
            if len(pulled) == 3:
                full.set()
            yield number

    stage = Stage(abs, items(), workers=1, ahead=2)
    assert full.wait(WAIT)
    stage.close()
    assert len(pulled) == 3  # ahead + workers


@pytest.mark.slow
def test_closing_frees_the_stages_behind_a_source_that_hangs(monkeypatch):
    monkeypatch.setattr("centertrack.app.stage.JOIN_SECONDS", 0.0)
    release, reading = threading.Event(), threading.Event()

    def hanging():
        yield 1
        reading.set()
        release.wait(WAIT)

    first = Stage(abs, hanging())
    last = Stage(abs, first, workers=2)
    assert next(last) == 1
    assert reading.wait(WAIT)
    last.close()
    for thread in last._threads:
        thread.join(WAIT)
        assert not thread.is_alive()
    release.set()


def test_closing_frees_the_stages_behind_a_function_that_hangs(monkeypatch, capsys):
    monkeypatch.setattr("centertrack.app.stage.JOIN_SECONDS", 0.0)
    release, reading = threading.Event(), threading.Event()

    def hang(number: int) -> int:
        if number == 1:
            reading.set()
            release.wait(WAIT)
        return number

    first = Stage(hang, range(3), may_hang=True)
    last = Stage(abs, Stage(abs, first))
    assert next(last) == 0
    assert reading.wait(WAIT)
    last.close()
    release.set()
    for thread in first._threads:
        thread.join(WAIT)
        assert not thread.is_alive()
    assert capsys.readouterr().err == ""  # nobody takes what it returns at last


def test_busy_seconds_count_the_function_and_not_the_wait_for_items(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("centertrack.app.stage.time.perf_counter", lambda: now[0])

    def items():
        for number in range(3):
            now[0] += 5.0
            yield number

    def work(number: int) -> int:
        now[0] += 1.0
        return number

    stage = Stage(work, items())
    assert list(stage) == [0, 1, 2]
    assert stage.busy_seconds == 3.0
