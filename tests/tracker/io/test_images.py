from __future__ import annotations

import cv2
import numpy as np
import pytest

from tracker.errors import InputError
from tracker.io import images
from tracker.io.frames import frame_files
from tracker.io.images import read_image, read_size, write_image

PICTURE = np.full((6, 8, 3), (200, 100, 0), np.uint8)


@pytest.mark.parametrize("name", ["plain.png", "Straße 東京.png"])
def test_an_image_is_written_under_any_name(tmp_path, name):
    write_image(tmp_path / name, PICTURE)
    assert (read_image(tmp_path / name) == PICTURE).all()
    assert read_size(tmp_path / name) == (8, 6)


def test_an_image_that_cannot_be_written_is_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(InputError, match=r"cannot write the image .*no/a\.png: No such file"):
        write_image(tmp_path / "no" / "a.png", PICTURE)
    with pytest.raises(InputError, match=r"cannot write an image as \.zzz"):
        write_image(tmp_path / "a.zzz", PICTURE)
    monkeypatch.setattr(cv2, "imencode", lambda *_: (False, None))
    with pytest.raises(InputError, match=r"cannot write an image of 8 x 6 pixels as \.png"):
        write_image(tmp_path / "a.png", PICTURE)
    assert list(tmp_path.iterdir()) == []


def test_an_image_is_measured_before_it_is_decoded(tmp_path, monkeypatch):
    write_image(tmp_path / "a.png", PICTURE)
    monkeypatch.setattr(images, "MAX_PIXELS", 40)
    for read in (read_image, read_size):
        with pytest.raises(InputError, match=r"a\.png: 8 x 6 are more than .* pixels; cut it up"):
            read(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["1.jpg", "10.JPG", "2.jpg"], {1: "1.jpg", 2: "2.jpg", 10: "10.JPG"}),
        (["000000.png", "000001.png"], {1: "000000.png", 2: "000001.png"}),  # counted from 0 in the names
        (["img9.png", "img10.png"], {1: "img9.png", 2: "img10.png"}),
        (["1.jpg", "01.jpg"], {1: "01.jpg", 2: "1.jpg"}),  # no numbers: two are the same
        (["1700000000123.jpg", "1700000000456.jpg"], {1: "1700000000123.jpg", 2: "1700000000456.jpg"}),  # times
        (["1.jpg", "._1.jpg", "2.txt"], {1: "1.jpg"}),
        ([], {}),
    ],
)
def test_which_file_is_which_frame(tmp_path, names, numbers):
    for name in names:
        (tmp_path / name).touch()
    assert {number: path.name for number, path in frame_files(tmp_path).items()} == numbers


def test_the_extension_chooses_where_a_file_has_it(tmp_path):
    for name in ("1.jpg", "1.png", "2.PNG"):
        (tmp_path / name).touch()
    assert [path.name for path in frame_files(tmp_path, ".png").values()] == ["1.png", "2.PNG"]
    assert len(frame_files(tmp_path, ".webp")) == 3
