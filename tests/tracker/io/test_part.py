from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.tracker.io.test_video import damage, write_raw_clip
from tracker.errors import InputError
from tracker.io import video_file
from tracker.io.excerpt import take_part
from tracker.io.part import Part, Place, parse_place
from tracker.io.video import open_source
from tracker.io.video_file import VideoFile

SIZE = (96, 64)
OPEN_GOP = {"x264-params": "open-gop=1:keyint=25:min-keyint=25"}


def write_video(path: Path, codec: str = "libx264", options: dict[str, str] | None = None, gap: int = 0) -> Path:
    """Write 150 pictures at 25 a second with a key frame in each of them, all different; `gap` frames miss after 70."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = {"g": "25", **({"bf": "3"} if codec == "libx264" else {}), **(options or {})}
        stream.codec_context.time_base = Fraction(1, 25)
        noise = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
        for index in range(150):
            frame = av.VideoFrame.from_ndarray(np.roll(noise, 3 * index, 1) // 2 + index % 100, format="rgb24")
            frame.pts, frame.time_base = index + (gap if index >= 70 else 0), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("12.5", Place(12.5)),
        (7, Place(7.0)),
        ("1:30", Place(90.0)),
        ("1:02:03.5", Place(3723.5)),
        ("300f", Place(frame=300)),
        (".5", Place(0.5)),
    ],
)
def test_places(text, place):
    assert parse_place(text) == place
    assert parse_place(str(place)) == place


@pytest.mark.parametrize("text", ["", "x", "-1", "0f", "1.5f", "1:", "f", "1e3", "nan", True, "1:2:3:4"])
def test_what_is_no_place(text):
    with pytest.raises(InputError, match=r"start must be seconds, as 12\.5 or 1:30, or a frame from 1, as 300f, got"):
        parse_place(text, "start")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"start": Place(2.0), "end": Place(2.0)}, "the end must lie behind the start, got start 2 and end 2"),
        ({"start": Place(frame=5), "end": Place(frame=4)}, "got start 5f and end 4f"),
        ({"stride": 0}, "stride must be a whole number from 1, got 0"),
    ],
)
def test_what_is_no_part(options, message):
    with pytest.raises(InputError, match=message):
        Part(**options)


@pytest.mark.parametrize(
    ("name", "codec", "options", "gap", "is_quick"),
    [
        ("clip.mp4", "libx264", {}, 0, True),
        ("open.mp4", "libx264", OPEN_GOP, 0, True),
        ("clip.mkv", "libx264", {}, 0, True),
        ("open.ts", "libx264", OPEN_GOP, 0, True),
        ("gap.mkv", "libx264", {}, 40, True),
        ("gap.ts", "libx264", {}, 40, True),
        ("clip.flv", "libx264", {}, 0, True),
        ("clip.avi", "mpeg4", {}, 0, True),
        ("late.avi", "mpeg4", {"bf": "2"}, 0, False),  # its packets do not say which picture they hold
        ("hidden.webm", "libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "deadline": "realtime"}, 0, False),
    ],
)
def test_a_part_is_what_it_is_in_the_whole(tmp_path, monkeypatch, name, codec, options, gap, is_quick):
    path = write_video(tmp_path / name, codec, options, gap)
    whole = list(VideoFile(path))
    found, find = [], video_file.find_beginning
    monkeypatch.setattr(video_file, "find_beginning", lambda *given: found.append(find(*given)) or found[-1])
    for index in (1, 60, 90, 123, 149):
        frame = whole[index]
        for place in (Place(frame=frame.number), Place(frame.time - 0.01)):
            part = Part(place, Place(frame.time + 0.5))
            expected = [one for one in whole[index:] if one.time < frame.time + 0.5 - 1e-6]
            given = list(take_part(VideoFile(path), part))
            assert [one.number for one in given] == [one.number for one in expected]
            np.testing.assert_allclose([one.time for one in given], [one.time for one in expected], atol=1e-6)
            assert all(np.array_equal(one.image, other.image) for one, other in zip(given, expected, strict=True))
    assert sum(one is not None for one in found) == (8 if is_quick else 0)  # the first is too near the beginning


def test_pictures_before_the_start_are_not_decoded(tmp_path, monkeypatch):
    path = write_video(tmp_path / "clip.mp4")
    numbers = []
    decode = video_file.decode_numbered

    def remember(*arguments):
        for number, picture in decode(*arguments):
            numbers.append(number)
            yield number, picture

    monkeypatch.setattr(video_file, "decode_numbered", remember)
    assert next(iter(take_part(VideoFile(path), Part(Place(frame=140))))).number == 140
    assert numbers == [1, *range(101, 141)]  # the first one tells the size


def test_damage_before_and_in_a_part_shifts_nothing(tmp_path):
    path = write_raw_clip(tmp_path / "clip.mkv", count=120, codec="mjpeg", pix_fmt="yuvj420p")
    damage(path, pictures=[20, 21, 100])
    frames = list(open_source(path, start="81f", stride=10))
    assert [frame.number for frame in frames] == [81, 91, 102, 111]  # 101 is damaged: the next one takes its place
    assert frames[0].time == pytest.approx(80 / 25)


def test_every_third_frame_keeps_number_and_time(tmp_path):
    path = write_video(tmp_path / "clip.mp4")
    source = open_source(path, start=1, end="3", stride=3)
    frames = list(source)
    assert [frame.number for frame in frames] == list(range(26, 76, 3))
    np.testing.assert_allclose([frame.time for frame in frames], (np.arange(26, 76, 3) - 1) / 25)
    assert (source.frame_count, source.frame_rate, source.name, source.size) == (len(frames), 25.0, "clip", SIZE)
    assert [frame.number for frame in source] == [frame.number for frame in frames]


def test_a_part_behind_the_end_is_an_error(tmp_path):
    path = write_video(tmp_path / "clip.mp4")
    with pytest.raises(InputError, match=r"clip: there is no frame with start 60; it has about 150 frames, 6\.0 s"):
        list(open_source(path, start=60))
    assert len(list(open_source(path, start="150f", end=1000))) == 1


class TestImages:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "shots"
        folder.mkdir()
        for number in (11, 12, 13, 15, 16, 17):
            cv2.imwrite(str(folder / f"{number}.png"), np.full((8, 8, 3), number, np.uint8))
        return folder

    def test_a_part_of_a_folder(self, folder):
        source = open_source(folder, start=0.1, stride=2, frame_rate=10)
        assert [path.stem for path in source.paths] == ["12", "15", "16"]
        assert [(frame.number, round(frame.time, 3)) for frame in source] == [(12, 0.1), (15, 0.4), (16, 0.5)]
        assert (source.frame_count, source.frame_rate, source.is_rate_guessed) == (3, 10.0, False)

    def test_a_part_of_nothing(self, folder):
        with pytest.raises(InputError, match="there is no frame with start 100f"):
            open_source(folder, start="100f")

    def test_who_says_the_rate(self, folder):
        assert open_source(folder).is_rate_guessed
        assert not open_source(folder, frame_rate=5).is_rate_guessed
        assert not open_source(folder / "11.png").is_rate_guessed  # one image has no rate
        sequence = folder.parent / "SEQ"
        sequence.mkdir()
        folder.rename(sequence / "img1")
        assert open_source(sequence).is_rate_guessed
        (sequence / "seqinfo.ini").write_text("[Sequence]\nseqLength=17\nimExt=.png\n")
        assert open_source(sequence).is_rate_guessed
        (sequence / "seqinfo.ini").write_text("[Sequence]\nseqLength=17\nframeRate=5\nimExt=.png\n")
        known = open_source(sequence)
        assert (known.frame_rate, known.is_rate_guessed) == (5.0, False)
        assert open_source(sequence, frame_rate=7).frame_rate == 7.0

    @pytest.mark.parametrize("rate", [0, -1, 1e9])
    def test_no_rate(self, folder, rate):
        with pytest.raises(InputError, match="the frame rate must be from"):
            open_source(folder, frame_rate=rate)


def test_what_has_times_takes_no_rate(tmp_path):
    with pytest.raises(InputError, match=r"clip\.mp4: has times of its own; leave out the frame rate of 10"):
        open_source(write_video(tmp_path / "clip.mp4"), frame_rate=10)
    with pytest.raises(InputError, match="rtsp://camera: a live source has its own times"):
        open_source("rtsp://camera", frame_rate=10)


def test_raw_pictures_take_a_rate(tmp_path):
    path = write_raw_clip(tmp_path / "clip.mjpeg", count=10, codec="mjpeg", pix_fmt="yuvj420p")
    assert open_source(path).is_rate_guessed
    source = open_source(path, frame_rate=5)
    assert (source.frame_rate, source.is_rate_guessed) == (5.0, False)
    np.testing.assert_allclose([frame.time for frame in source], np.arange(10) / 5, atol=1e-3)
