from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import cv2
import numpy as np
import pytest

from tracker.errors import InputError
from tracker.io.decoding import packets_of
from tracker.io.video import VideoWriter, open_source
from tracker.io.video_file import VideoFile

SIZE = (96, 64)


def picture(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A smooth picture (it survives compression) whose red says which one it is."""
    width, height = size
    image = np.zeros((height, width, 3), np.uint8)
    image[..., 0] = 20 + 10 * index
    image[..., 1] = np.linspace(0, 200, width)
    image[..., 2] = np.linspace(200, 0, height)[:, None]
    return image


def write_clip(path: Path, count: int = 20, rate: float = 25, times: list[float] | None = None) -> Path:
    with VideoWriter(path, SIZE, rate) as writer:
        for index in range(count):
            writer.write(picture(index), None if times is None else times[index])
    return path


def write_raw_clip(path: Path, count: int = 30, codec: str = "mpeg4", pix_fmt: str = "yuv420p", turn: int = 0) -> Path:
    """Write with PyAV directly: containers, codecs and metadata that our writer does not make."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, pix_fmt
        if turn:
            stream.set_display_rotation(turn)
        noise = np.random.default_rng(0).integers(0, 40, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(picture(index % 20) // 2 + np.roll(noise, index, 1), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    target = path.with_name(f"cut-{path.name}")
    target.write_bytes(data[: int(len(data) * share)])
    return target


def damage(path: Path, pictures: list[int]) -> None:
    """Overwrite the content of some pictures, counted from 0, and leave the container as it is."""
    with av.open(str(path)) as container:
        contents = [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]
    data = path.read_bytes()
    for index in pictures:
        assert data.count(contents[index]) == 1
        data = data.replace(contents[index], bytes(len(contents[index])))
    path.write_bytes(data)


def read_until_error(path: Path) -> tuple[int, str]:
    count = 0
    source = open_source(path)
    with pytest.raises(InputError) as caught:
        for frame in source:
            count = frame.number
    return count, str(caught.value)


class TestVideo:
    def test_what_is_written_comes_back(self, tmp_path):
        source = open_source(write_clip(tmp_path / "clip.mp4"))
        frames = list(source)
        assert (source.name, source.size, source.frame_rate, source.frame_count) == ("clip", SIZE, 25.0, 20)
        assert [frame.number for frame in frames] == list(range(1, 21))
        np.testing.assert_allclose([frame.time for frame in frames], np.arange(20) / 25, atol=1e-6)
        for index, frame in enumerate(frames):
            assert frame.image.dtype == np.uint8
            assert np.abs(frame.image.astype(int) - picture(index)).mean() < 3  # lossy, yet RGB and in order

    def test_a_source_can_be_read_twice(self, tmp_path):
        with open_source(write_clip(tmp_path / "clip.mp4", count=5)) as source:
            assert [frame.number for frame in source] == [frame.number for frame in source] == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize("rate", [10.0, 30000 / 1001, 60.0])
    def test_frame_rate_is_exact(self, tmp_path, rate):
        assert open_source(write_clip(tmp_path / "clip.mp4", rate=rate)).frame_rate == pytest.approx(rate, rel=1e-9)

    def test_times_of_a_variable_frame_rate_are_kept(self, tmp_path):
        times = [5.0, 5.04, 5.2, 5.21, 6.5, 7.0]
        frames = list(open_source(write_clip(tmp_path / "clip.mp4", count=6, times=times)))
        np.testing.assert_allclose([frame.time for frame in frames], np.array(times) - 5, atol=1e-4)

    def test_times_that_stand_still_are_moved_on(self, tmp_path):
        frames = list(open_source(write_clip(tmp_path / "clip.mp4", count=4, times=[0, 0.1, 0.1, 0.05])))
        assert np.all(np.diff([frame.time for frame in frames]) > 0)
        assert len(frames) == 4

    @pytest.mark.parametrize(("size", "evened"), [((97, 63), (98, 64)), ((1, 1), (2, 2)), ((1, 40), (2, 40))])
    def test_odd_sizes_are_padded_to_even_ones(self, tmp_path, size, evened):
        with VideoWriter(tmp_path / "odd.mp4", size, 25) as writer:
            writer.write(picture(0, size))
        source = open_source(tmp_path / "odd.mp4")
        assert source.size == evened
        image = next(iter(source)).image[: size[1], : size[0]]
        assert np.abs(image.astype(int) - picture(0, size)).mean() < 4

    def test_another_size_is_scaled_to_fit_on_black(self, tmp_path):
        with VideoWriter(tmp_path / "fit.mp4", SIZE, 25) as writer:
            writer.write(np.full((64, 64, 3), 200, np.uint8))
        image = next(iter(open_source(tmp_path / "fit.mp4"))).image
        assert image[:, :12].max() < 40
        assert image[:, 20:76].min() > 180

    @pytest.mark.parametrize(("turn", "turns"), [(90, 1), (-90, 3), (180, 2)])
    def test_rotation_metadata_is_honoured(self, tmp_path, turn, turns):
        plain = next(iter(open_source(write_raw_clip(tmp_path / "plain.mp4", count=2)))).image
        source = open_source(write_raw_clip(tmp_path / "turned.mp4", count=2, turn=turn))
        image = next(iter(source)).image
        assert source.size == (image.shape[1], image.shape[0])
        np.testing.assert_array_equal(image, np.rot90(plain, turns))  # np.rot90 turns counterclockwise

    @pytest.mark.parametrize(("codec", "pix_fmt"), [("ffv1", "yuv444p10le"), ("ffv1", "gray"), ("mjpeg", "yuvj422p")])
    def test_pixel_formats_become_rgb(self, tmp_path, codec, pix_fmt):
        frames = list(open_source(write_raw_clip(tmp_path / "clip.mkv", count=3, codec=codec, pix_fmt=pix_fmt)))
        assert [frame.image.shape for frame in frames] == [(64, 96, 3)] * 3

    def test_the_index_comes_first_and_players_can_decode_it(self, tmp_path):
        path = write_clip(tmp_path / "clip.mp4")
        data = path.read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")

    def test_better_quality_takes_more_bytes(self, tmp_path):
        noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3), dtype=np.uint8)
        for crf in (10, 40):
            with VideoWriter(tmp_path / f"{crf}.mp4", SIZE, 25, crf=crf) as writer:
                writer.write(noise)
        assert (tmp_path / "10.mp4").stat().st_size > 2 * (tmp_path / "40.mp4").stat().st_size

    def test_what_was_written_before_an_exception_is_kept(self, tmp_path):
        with pytest.raises(RuntimeError), VideoWriter(tmp_path / "new" / "clip.mp4", SIZE, 25) as writer:
            for index in range(7):
                writer.write(picture(index))
            raise RuntimeError
        assert len(list(open_source(tmp_path / "new" / "clip.partial.mp4"))) == 7
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["clip.partial.mp4"]

    def test_wrong_images_and_names_are_refused(self, tmp_path):
        with pytest.raises(InputError, match=r"clip\.xyz: expected a video file name ending in \.mp4"):
            VideoWriter(tmp_path / "clip.xyz", SIZE, 25)
        with VideoWriter(tmp_path / "clip.mp4", SIZE, 25) as writer:
            with pytest.raises(ValueError, match="uint8 RGB"):
                writer.write(np.zeros((64, 96), np.uint8))
            writer.write(picture(0))

    def test_an_unwritable_folder_is_an_input_error(self, tmp_path):
        (tmp_path / "file").write_text("x")
        with pytest.raises(InputError, match="cannot write"):
            VideoWriter(tmp_path / "file" / "clip.mp4", SIZE, 25)


class TestDamagedVideo:
    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (None, "no such file"),
            (b"", "the file is empty"),
            (b"not a video at all" * 50, "cannot be opened as a video"),
        ],
    )
    def test_no_video_at_all(self, tmp_path, content, message):
        path = tmp_path / "clip.mp4"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(InputError, match=message):
            open_source(path)

    def test_the_login_of_a_stream_is_not_told(self):
        with pytest.raises(InputError, match=r"^rtsp://127\.0\.0\.1:9/door: cannot be opened") as caught:
            open_source("rtsp://user:secret@127.0.0.1:9/door")
        assert "secret" not in str(caught.value)

    def test_a_stream_is_opened_with_its_login_and_named_without(self, tmp_path, monkeypatch):
        clip, opened, open_file = write_clip(tmp_path / "clip.mp4", count=2), [], av.open
        monkeypatch.setattr(av, "open", lambda address, **_: opened.append(address) or open_file(str(clip)))
        with VideoFile("rtsp://user:secret@camera/door") as source:
            assert (opened, source.name) == (["rtsp://user:secret@camera/door"], "rtsp://camera/door")

    def test_sound_without_pictures(self, tmp_path):
        path = tmp_path / "sound.wav"
        with av.open(str(path), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
            frame.rate = 8000
            container.mux(stream.encode(frame))
        with pytest.raises(InputError, match="without pictures"):
            open_source(path)

    @pytest.mark.parametrize("name", ["clip.mp4", "clip.avi", "clip.mkv"])
    def test_a_video_that_breaks_off_gives_its_frames_and_then_the_error(self, tmp_path, name):
        if name == "clip.mp4":  # only with its index up front does a cut file open at all
            whole = tmp_path / name
            noise = np.random.default_rng(0).integers(0, 255, (60, 64, 96, 3), dtype=np.uint8)
            with VideoWriter(whole, SIZE, 25) as writer:
                for image in noise:
                    writer.write(image)
        else:
            whole = write_raw_clip(tmp_path / name, count=60, codec="mjpeg", pix_fmt="yuvj420p")
        assert len(list(open_source(whole))) == 60
        count, message = read_until_error(cut(whole, 0.6))
        assert 10 < count < 50
        assert f"breaks off after frame {count} of about 60" in message

    def test_a_file_cut_before_its_index_cannot_be_opened(self, tmp_path):
        with pytest.raises(InputError, match="cannot be opened as a video"):
            open_source(cut(write_raw_clip(tmp_path / "clip.mp4"), 0.6))

    def test_a_header_that_is_off_by_two_frames_is_no_damage(self, tmp_path):
        path = write_raw_clip(tmp_path / "clip.avi", count=60)
        data = bytearray(path.read_bytes())
        for header, offset in ((b"avih", 24), (b"strh", 40)):  # total frames; length of the stream
            at = data.index(header) + offset
            assert int.from_bytes(data[at : at + 4], "little") == 60
            data[at : at + 4] = (62).to_bytes(4, "little")
        path.write_bytes(data)
        source = open_source(path)
        assert source.frame_count == 62
        assert len(list(source)) == 60

    @pytest.mark.parametrize(
        ("name", "codec", "pix_fmt"),
        [("clip.mkv", "mjpeg", "yuvj420p"), ("clip.avi", "mjpeg", "yuvj420p"), ("clip.mp4", "mpeg4", "yuv420p")],
    )
    def test_damaged_pictures_are_left_out_and_the_others_keep_number_and_time(
        self, tmp_path, caplog, name, codec, pix_fmt
    ):
        path = write_raw_clip(tmp_path / name, count=40, codec=codec, pix_fmt=pix_fmt)
        whole = {frame.number: frame for frame in open_source(path)}
        damage(path, pictures=[20, 21, 30])
        frames = list(open_source(path))
        numbers = [frame.number for frame in frames]
        assert numbers == [n for n in range(1, 41) if n not in (21, 22, 31)]
        for frame in frames:
            assert frame.time == pytest.approx(whole[frame.number].time, abs=1e-3)
        np.testing.assert_array_equal(frames[19].image, whole[20].image)
        messages = [record.getMessage() for record in caplog.records]
        assert len(messages) == 2
        assert "frame 21 is damaged" in messages[0]
        assert "3 damaged pictures" in messages[1]

    def test_a_damaged_first_or_last_picture_shifts_nothing(self, tmp_path, caplog):
        path = write_raw_clip(tmp_path / "clip.mkv", count=10, codec="mjpeg", pix_fmt="yuvj420p")
        damage(path, pictures=[0])
        frames = list(open_source(path))
        assert [frame.number for frame in frames] == list(range(2, 11))
        np.testing.assert_allclose([frame.time for frame in frames], np.arange(1, 10) / 25, atol=1e-3)
        caplog.clear()
        path = write_raw_clip(tmp_path / "last.mkv", count=10, codec="mjpeg", pix_fmt="yuvj420p")
        damage(path, pictures=[9])
        assert [frame.number for frame in open_source(path)] == list(range(1, 10))
        assert ["frame 10 is damaged" in record.getMessage() for record in caplog.records] == [True]


class TestImages:
    def write(self, folder: Path, names: list[str]) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for index, name in enumerate(names):
            cv2.imwrite(str(folder / name), picture(index)[..., ::-1])
        return folder

    def test_a_folder_in_natural_order(self, tmp_path):
        folder = self.write(tmp_path / "shots", ["img1.png", "img2.png", "img10.png"])
        (folder / "notes.txt").write_text("no image")
        source = open_source(folder)
        assert (source.name, source.size, source.frame_count) == ("shots", SIZE, 3)
        for index, frame in enumerate(source):
            np.testing.assert_array_equal(frame.image, picture(index))
        assert [frame.number for frame in source] == [1, 2, 3]

    @pytest.mark.parametrize("pattern", ["img*.png", "img[12].png"])
    def test_a_pattern(self, tmp_path, pattern):
        self.write(tmp_path, ["img1.png", "img2.png", "other.png"])
        assert open_source(tmp_path / pattern).frame_count == 2

    @pytest.mark.parametrize("pattern", ["**x/*.png", "none*.png"])
    def test_a_pattern_that_finds_nothing_or_is_none(self, tmp_path, pattern):
        self.write(tmp_path, ["img1.png"])
        with pytest.raises(InputError, match="pattern"):  # newer Pythons read ** in a name as *
            open_source(tmp_path / pattern)

    def test_a_single_image(self, tmp_path):
        self.write(tmp_path, ["one.png"])
        assert [frame.number for frame in open_source(tmp_path / "one.png")] == [1]

    def test_images_keep_their_own_sizes(self, tmp_path):
        cv2.imwrite(str(tmp_path / "1.png"), picture(0))
        cv2.imwrite(str(tmp_path / "2.png"), picture(0, (50, 40)))
        assert [frame.image.shape[:2] for frame in open_source(tmp_path)] == [(64, 96), (40, 50)]

    def test_a_sequence_folder_tells_its_rate_and_frame_numbers(self, tmp_path):
        self.write(tmp_path / "img1", ["000004.png", "000005.png", "000007.png"])
        (tmp_path / "seqinfo.ini").write_text(
            "[Sequence]\nname=MOT17-99\nimDir=img1\nframeRate=14\nseqLength=3\nimWidth=96\nimHeight=64\nimExt=.png\n"
        )
        source = open_source(tmp_path)
        assert (source.name, source.frame_rate) == ("MOT17-99", 14.0)
        assert [frame.number for frame in source] == [4, 5, 7]
        np.testing.assert_allclose([frame.time for frame in source], [0, 1 / 14, 3 / 14])

    @pytest.mark.parametrize("damage", [b"", b"nothing", None])
    def test_a_broken_image_is_named_after_the_frames_before_it(self, tmp_path, damage):
        self.write(tmp_path, ["1.jpg", "2.jpg", "3.jpg"])
        path = tmp_path / "3.jpg"
        path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
        count, message = read_until_error(tmp_path)
        assert count == 2
        assert "3.jpg" in message

    def test_nothing_to_read(self, tmp_path):
        with pytest.raises(InputError, match="found none"):
            open_source(tmp_path)
        with pytest.raises(InputError, match="found none"):
            open_source(tmp_path / "*.png")
        (tmp_path / "seqinfo.ini").write_text("[Sequence]\nseqLength=3\n")
        with pytest.raises(InputError, match="img1"):
            open_source(tmp_path)

    def test_an_exif_rotation_is_honoured(self, tmp_path):
        path = tmp_path / "turned.jpg"
        cv2.imwrite(str(path), picture(5)[..., ::-1])
        data = path.read_bytes()
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"  # 6: turn it clockwise
        path.write_bytes(data[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + data[2:])
        assert open_source(path).size == (64, 96)


def test_a_camera_that_is_not_there_is_an_input_error(capfd):
    with pytest.raises(InputError, match="camera 97 gives no image"):
        open_source("97")
    assert capfd.readouterr().err == ""


def test_an_unreachable_stream_is_an_input_error():
    with pytest.raises(InputError, match="cannot be opened as a video"):
        open_source("rtsp://127.0.0.1:1/stream")


@pytest.mark.parametrize(
    ("name", "size", "rate", "count"),
    [
        ("vtest.avi", (480, 360), 10.0, 795),
        ("people.mp4", (1280, 720), 25.0, 341),
        ("cctv.mp4", (640, 360), 30000 / 1001, 641),
    ],
)
def test_real_videos(shared_data, name, size, rate, count):
    source = open_source(shared_data / "videos" / name)
    assert (source.size, source.frame_count) == (size, count)
    assert source.frame_rate == pytest.approx(rate)
    times = [frame.time for frame in source]
    assert len(times) == count
    np.testing.assert_allclose(np.diff(times), 1 / rate, atol=1e-6)


def write_at(path: Path, steps: list[int]) -> Path:
    """Write pictures with these milliseconds between them."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, time in enumerate(np.cumsum([0, *steps]).tolist()):
            frame = av.VideoFrame.from_ndarray(picture(index % 20), format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("steps", "numbers"),
    [
        ([40] * 10, [*range(1, 12)]),
        ([40] * 10 + [400] + [40] * 5, [*range(1, 12), *range(21, 27)]),
        ([33, 33, 34] * 10 + [1034] + [33] * 3, [*range(1, 32), *range(62, 66)]),  # a clock of milliseconds rounds
        ([40] * 8 + [80, 40, 40, 80, 40], [*range(1, 10), 11, 12, 13, 15, 16]),
        (
            [40, 90, 60, 40, 130, 70, 40, 200, 45, 90],
            [*range(1, 12)],
        ),  # no constant rate: nothing tells what is missing
        ([40] * 8 + [4 * 3600 * 1000] + [40] * 3, [*range(1, 14)]),  # another clock
    ],
)
def test_frame_numbers_follow_the_time_stamps(tmp_path, steps, numbers):
    with VideoFile(write_at(tmp_path / "clip.mkv", steps)) as source:
        assert [frame.number for frame in source] == numbers


def test_gaps_are_told(tmp_path, caplog):
    with VideoFile(write_at(tmp_path / "clip.mkv", [40] * 8 + ([80] + [40] * 7) * 7)) as source:
        assert sum(1 for _ in source) == 65
    assert caplog.messages[0].endswith("clip.mkv: 1 frame is missing after frame 9; the others keep their numbers")
    assert caplog.messages[-1].endswith("clip.mkv: 7 frames are missing at 7 places")
    assert len(caplog.messages) == 6


def test_where_the_container_counts_its_pictures_none_is_missing(tmp_path):
    with VideoFile(write_at(tmp_path / "clip.mp4", [40] * 8 + [400] + [40] * 5)) as source:
        assert [frame.number for frame in source] == [*range(1, 16)]


def test_a_stream_that_appears_while_reading_ends_nothing():
    class Container:
        def __init__(self, packets: list[int | None]) -> None:
            self.sizes = iter(packets)

        def demux(self, stream: object) -> Iterator[SimpleNamespace]:
            for size in self.sizes:
                if size is None:
                    raise IndexError  # as PyAV does, after a packet of a stream that it does not know, or at the end
                yield SimpleNamespace(size=size)

    for packets in ([5, None, 6, 7, 0], [5, 6, 7, 0, None]):
        assert [packet.size for packet in packets_of(Container(packets), None)] == [5, 6, 7, 0]
