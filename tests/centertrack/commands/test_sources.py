"""Parts of sources, standard input, several live streams, and watching while it runs: as on the command line."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from urllib.request import urlopen

import av
import cv2
import numpy as np
import pytest

from centertrack import detect, track
from centertrack.cli import main
from tests.tracker.io.servers import MjpegCamera, free_port
from tracker.io.mot import read_results
from tracker.io.video import VideoWriter, open_source


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def network(weights: Path) -> list[str]:
    return ["--weights", str(weights), "--device", "cpu"]


@pytest.fixture
def long_clip(tmp_path: Path, picture: np.ndarray) -> Path:
    """A video of 4 s in which nothing moves."""
    with VideoWriter(tmp_path / "long.mp4", (160, 96), 25) as writer:
        for _ in range(100):
            writer.write(picture)
    return tmp_path / "long.mp4"


# Parts of sources


def test_a_part_keeps_numbers_and_times(long_clip, network, capsys):
    part = ["--start", "0:01", "--end", "60f", "--stride", "5"]
    outputs = ["--results", "rows.txt", "--video", "out.mp4"]
    assert main(["track", str(long_clip), *network, *outputs, *part]) == 0
    assert capsys.readouterr().out.startswith("long: 7 frames, ")
    rows = read_results("rows.txt")
    assert np.unique(rows.frames).tolist() == [26, 31, 36, 41, 46, 51, 56]
    times = [frame.time for frame in open_source("out.mp4")]
    np.testing.assert_allclose(times, np.arange(7) / 5, atol=1e-3)  # as far apart as in the source


def test_a_track_lives_as_long_with_fewer_frames(long_clip, network):
    """The tracker's clock is that of the source: with every tenth frame, a second is three frames."""
    seen = []
    for frame in track(long_clip, network[1], device="cpu", stride=10, on_frame=seen.append):
        assert frame.tracks is not None
    assert [frame.number for frame in seen] == list(range(1, 101, 10))
    assert len(set(np.concatenate([frame.tracks.ids for frame in seen[1:]]))) == len(seen[-1].tracks.ids)


def test_a_part_of_a_folder_of_images(image_folder, network, caplog):
    assert main(["detect", str(image_folder), *network, "--results", "a.json", "--start", "3f", "--stride", "2"]) == 0
    content = json.loads(Path("a.json").read_text(encoding="utf-8"))
    assert [image["file_name"] for image in content["images"]] == ["3.png", "5.png"]
    assert caplog.messages == []  # without ids and video the rate means nothing


def test_the_rate_of_images_is_told_or_guessed(image_folder, network, caplog):
    assert main(["track", str(image_folder), *network, "--video", "a.mp4"]) == 0
    assert caplog.messages == [
        "frames: nothing says the frame rate; 30 frames per second are assumed, for the tracker and the video: --fps "
        "tells it (fps=... in Python)"
    ]
    caplog.clear()
    assert main(["track", str(image_folder), *network, "--video", "b.mp4", "--fps", "5"]) == 0
    assert caplog.messages == []
    assert [round(open_source(name).frame_rate) for name in ("a.mp4", "b.mp4")] == [30, 5]


def test_the_front_door_knows_parts(long_clip, image_folder, weights):
    options = {"weights": weights, "device": "cpu"}
    assert [frame.number for frame in detect(long_clip, **options, start="98f")] == [98, 99, 100]
    assert [frame.number for frame in detect(open_source(long_clip), **options, start=1, end=1.1)] == [26, 27, 28]
    frames = list(track(image_folder, **options, stride=3, fps=2))
    assert [(frame.number, frame.time) for frame in frames] == [(1, 0.0), (4, 1.5)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--start", "soon"], "argument --start: expected seconds, as 12.5 or 1:30, or a frame from 1, as 300f, got"),
        (["--start", "2", "--end", "1"], "the end must lie behind the start, got start 2 and end 1"),
        (["--stride", "0"], "argument --stride: expected a whole number from 1"),
        (["--fps", "0"], "argument --fps: expected frames per second, a number above 0"),
        (["--fps", "10"], "has times of its own; leave out the frame rate of 10"),
        (["--reconnect", "never"], "argument --reconnect: expected off or a number of seconds above 0"),
        (["--start", "1:00"], "still: there is no frame with start 60; it has about 12 frames, 0.5 s"),
        (["--serve", "here"], "argument --serve: expected an address as :8000 or 0.0.0.0:8000, got 'here'"),
    ],
)
def test_what_cannot_be_used_is_one_sentence(clip, network, capsys, options, message):
    try:
        code = main(["track", str(clip), *network, "--results", "rows.txt", *options])
    except SystemExit as end:
        code = end.code
    error = capsys.readouterr().err
    assert (code, error.count("\n"), message in error) == (2, 1, True), error
    assert not Path("rows.txt").exists()


# Standard input


def y4m(picture: np.ndarray, count: int) -> bytes:
    planes = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p").to_ndarray().tobytes()
    return b"YUV4MPEG2 W160 H96 F10:1 Ip A1:1 C420jpeg\n" + (b"FRAME\n" + planes) * count


def mjpeg(picture: np.ndarray, count: int) -> bytes:
    return cv2.imencode(".jpg", picture[..., ::-1])[1].tobytes() * count


@pytest.mark.parametrize(("write", "rate", "is_guess"), [(y4m, 10, False), (mjpeg, 25, True)])
def test_frames_on_standard_input(network, picture, monkeypatch, capsys, caplog, write, rate, is_guess):
    Path("pipe").write_bytes(write(picture, 40))
    with Path("pipe").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["track", "-", *network, "--results", "o/", "--video", "o/"]) == 0
    assert capsys.readouterr().out.startswith("stdin: 40 frames, ")
    assert read_results("o/stdin.txt").frames.max() == 40
    assert open_source("o/stdin.mp4").frame_rate == pytest.approx(rate)
    assert bool(caplog.messages) == is_guess


def test_the_rate_of_standard_input(network, picture, monkeypatch, caplog):
    Path("pipe").write_bytes(mjpeg(picture, 10))
    with Path("pipe").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["track", "-", *network, "--video", "out.mp4", "--fps", "5", "--start", "1"]) == 0
    assert [round(frame.time, 3) for frame in open_source("out.mp4")] == [0, 0.2, 0.4, 0.6, 0.8]
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "standard input is empty"), (b"RIFF and so on", "standard input begins with b'RIFF and '; expected MJPEG")],
)
def test_what_is_no_picture_on_standard_input(network, monkeypatch, capsys, content, message):
    Path("pipe").write_bytes(content)
    with Path("pipe").open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert main(["track", "-", *network]) == 2
    assert message in capsys.readouterr().err


# Live streams


def rows_of(folder: str) -> dict[str, np.ndarray]:
    return {path.name: read_results(path).frames for path in Path(folder).glob("*.txt")}


def test_several_streams_go_on_at_once(network, picture, clip, capsys):
    with MjpegCamera(picture) as first, MjpegCamera(picture) as second:
        sources = [first.address, str(clip), second.address]
        command = ["track", *sources, *network, "--max-frames", "8", "--results", "o/", "--video", "o/"]
        assert main(command) == 0
    out = capsys.readouterr().out
    assert out.startswith("still: 8 frames, ")  # files come first, since streams do not end
    assert out.count(": 8 frames, ") == 3
    assert len(rows_of("o")) == 3
    assert all(frames.max() >= 8 for frames in rows_of("o").values())
    videos = sorted(Path("o").glob("http*.mp4"))
    assert [sum(1 for _ in open_source(path)) for path in videos] == [8, 8]


def test_a_stream_that_fails_does_not_keep_the_others_back(network, picture, capsys):
    dying, closed = MjpegCamera(picture), free_port()

    with MjpegCamera(picture) as lasting:
        threading.Thread(target=lambda: (dying.watched.wait(60), dying.stop()), daemon=True).start()
        sources = [f"http://127.0.0.1:{closed}/none", dying.address, lasting.address]
        code = main(["track", *sources, *network, "--max-frames", "40", "--results", "o/", "--reconnect", "off"])
    captured = capsys.readouterr()
    assert code == 2
    assert f"error: http://127.0.0.1:{closed}/none: cannot be opened as a video" in captured.err
    assert f"error: {dying.address}: reading fails after frame" in captured.err
    assert len(rows_of("o")) == 2
    assert rows_of("o")[f"http_127.0.0.1_{lasting.port}_anything.txt"].max() >= 40
    assert f"http_127.0.0.1_{dying.port}_anything.partial.txt" in rows_of("o")


def test_each_stream_has_a_line_of_progress(network, picture, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    with MjpegCamera(picture) as first, MjpegCamera(picture) as second:
        monkeypatch.setattr("sys.stderr", terminal)
        assert main(["track", first.address, second.address, *network, "--max-frames", "5", "--results", "o/"]) == 0
    text = terminal.getvalue()
    assert all(camera.address in text for camera in (first, second))
    assert "\n" in text  # the second bar stands in a line of its own
    assert "\x1b[A" in text


def test_ctrl_c_completes_the_outputs_of_all_streams(weights, tmp_path):
    program = (
        "import os, signal, sys\n"
        "import numpy as np\n"
        "from centertrack.cli import main\n"
        "from centertrack.app.pipeline import Pipeline\n"
        "from tests.tracker.io.servers import MjpegCamera\n"
        "count = Pipeline._count\n"
        "def stop(self, result):\n"
        "    count(self, result)\n"
        "    if self.report.frames == 6:\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "Pipeline._count = stop\n"
        "image = np.full((96, 160, 3), 90, np.uint8)\n"
        "with MjpegCamera(image) as first, MjpegCamera(image) as second:\n"
        "    sys.exit(main(['track', first.address, second.address, *sys.argv[1:]]))"
    )
    arguments = ["--weights", str(weights), "--device", "cpu", "--results", "o/", "--video", "o/"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=120, env=environment
    )
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.endswith("interrupted; what was done until then is kept\n")
    made = sorted(path.suffix for path in Path("o").iterdir())
    assert made == [".mp4", ".mp4", ".txt", ".txt"], list(Path("o").iterdir())
    assert not list(Path("o").glob("*partial*"))


def test_ids_last_across_a_break(network, picture, capsys, monkeypatch, caplog):
    monkeypatch.setattr("tracker.io.network_stream.FIRST_PAUSE", 0.05)
    camera = MjpegCamera(picture)
    again: list[MjpegCamera] = []

    def restart() -> None:
        camera.watched.wait(60)
        camera.stop()
        again.append(MjpegCamera(picture, port=camera.port))

    restarting = threading.Thread(target=restart)
    restarting.start()
    keep = ["--option", "max_lost_seconds=60", "--max-frames", "60"]
    try:
        assert main(["track", camera.address, *network, "--results", "rows.txt", *keep]) == 0
    finally:
        restarting.join()
        again[0].stop()
    assert sum("broke off after frame" in message for message in caplog.messages) == 1
    assert sum("back after" in message for message in caplog.messages) == 1
    rows = read_results("rows.txt")
    numbers = np.unique(rows.frames)
    gap = int(np.diff(numbers).argmax())
    assert set(rows.ids[rows.frames == numbers[gap + 1]]) <= set(rows.ids[rows.frames <= numbers[gap]])


# Watching while it runs


def test_what_is_served_can_be_watched(network, picture):
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    codes: list[int] = []
    with MjpegCamera(picture) as first, MjpegCamera(picture) as second:
        command = ["track", first.address, second.address, *network, "--results", "o/", "--reconnect", "off"]
        run = threading.Thread(target=lambda: codes.append(main([*command, "--serve", f":{port}"])))
        run.start()
        assert first.watched.wait(60)  # the page is there before the sources are opened
        counts = json.loads(urlopen(f"{address}/counts.json", timeout=30).read())
        while len(counts) < 2 or not all(one["frame"] for one in counts):
            counts = json.loads(urlopen(f"{address}/counts.json", timeout=30).read())
        assert {one["name"] for one in counts} == {first.address, second.address}
        assert all(one["objects"] > 0 and one["ids"] > 0 and not one["ended"] for one in counts)
        shown = cv2.imdecode(np.frombuffer(urlopen(f"{address}/1.jpg", timeout=30).read(), np.uint8), cv2.IMREAD_COLOR)
        assert shown.shape == (96, 160, 3)
        assert np.abs(shown[..., ::-1].astype(int) - picture).max() > 100  # boxes are drawn
        page = urlopen(f"{address}/", timeout=30).read().decode()
        assert "counts.json" in page
        with open_source(f"{address}/0.mjpeg", reconnect=None) as source:  # is itself a live source
            assert source.is_live
            assert next(iter(source)).image.shape == (96, 160, 3)
    run.join()
    assert codes == [2]  # the cameras have stopped


def test_a_port_that_is_taken(clip, network, capsys):
    with MjpegCamera() as camera:
        assert main(["track", str(clip), *network, "--serve", f":{camera.port}"]) == 2
    assert f"error: cannot serve at 127.0.0.1:{camera.port}: " in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have a screen")
@pytest.mark.parametrize(
    ("display", "message"),
    [(None, "there is no display to show a window on (DISPLAY is not set)"), (":4711", "no window can be opened on")],
)
def test_no_window_without_a_display(clip, network, capsys, monkeypatch, display, message):
    if display is None:
        monkeypatch.delenv("DISPLAY", raising=False)
    else:
        monkeypatch.setenv("DISPLAY", display)
    assert main(["track", str(clip), *network, "--show", "--results", "rows.txt"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {message}")
    assert error.endswith("leave out --show, or watch in a browser with --serve\n")
    assert error.count("\n") == 1
    assert not Path("rows.txt").exists()


@pytest.mark.skipif(shutil.which("Xvfb") is None, reason="Xvfb, a display without a screen, is not installed")
def test_a_window_shows_the_frames(clip, network, monkeypatch):
    with subprocess.Popen(["Xvfb", "-displayfd", "1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            monkeypatch.setenv("DISPLAY", f":{int(server.stdout.readline())}")
            assert main(["detect", str(clip), *network, "--show", "--results", "found.json"]) == 0
        finally:
            server.terminate()
    assert len(json.loads(Path("found.json").read_text(encoding="utf-8"))["images"]) == 12


def test_who_closes_the_window_ends_the_run_and_keeps_the_outputs(clip, network, monkeypatch):
    shown = []

    class Windows:
        """Closed by somebody at the fifth picture."""

        def __enter__(self) -> Windows:
            return self

        def __exit__(self, *error: object) -> None:
            pass

        def show(self, name: str, image: np.ndarray) -> bool:
            shown.append((name, image.shape))
            return len(shown) < 5

    monkeypatch.setattr("centertrack.app.window.Windows", Windows)
    assert main(["track", str(clip), str(clip), *network, "--show", "--results", "rows/"]) == 0
    assert shown == [("still", (96, 160, 3))] * 5
    assert [path.name for path in Path("rows").iterdir()] == ["still.txt"]
    assert read_results("rows/still.txt").frames.max() >= 5
