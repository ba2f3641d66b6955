from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from centertrack.data.images import find_image, read_shrunk, read_size
from centertrack.data.sample import shrink_to
from tracker.errors import InputError
from tracker.io.images import read_image

ORIENTATION = bytes.fromhex("457869660000 4d4d002a00000008 0001 0112 0003 00000001 0006 0000 00000000")


def write_ramp(path: Path, size: tuple[int, int]) -> Path:
    """Smooth colours, which survive compression: red grows to the right, green downwards."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    cv2.imwrite(str(path), np.stack((np.full_like(x, 60), y, x), axis=2).astype(np.uint8))
    return path


def turned(path: Path) -> Path:
    """The same JPEG with the note that it was taken with an upright camera."""
    content = path.read_bytes()
    segment = b"\xff\xe1" + (len(ORIENTATION) + 2).to_bytes(2, "big") + ORIENTATION
    target = path.with_name(f"turned-{path.name}")
    target.write_bytes(content[:2] + segment + content[2:])
    return target


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("longest_side", [None, 640, 639, 321, 320, 100, 40])
def test_a_shrunken_image_is_the_image_shrunken(tmp_path: Path, suffix: str, longest_side: int | None) -> None:
    path = write_ramp(tmp_path / f"ramp{suffix}", (640, 355))
    expected, factor = shrink_to(read_image(path), longest_side)
    found, found_factor = read_shrunk(path, longest_side)
    assert found_factor == pytest.approx(factor, rel=1e-12)
    assert found.shape == expected.shape and found.dtype == np.uint8
    assert np.abs(found.astype(int) - expected).max() <= 6  # of 255: another filter, the same place and colours


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_a_reduced_image_has_its_sides_divided_and_rounded_up(tmp_path: Path, suffix: str, reduction: int) -> None:
    path = write_ramp(tmp_path / f"ramp{suffix}", (642, 355))
    found, factor = read_shrunk(path, reduction=reduction)
    assert factor == 1 / reduction
    assert found.shape == (-(-355 // reduction), -(-642 // reduction), 3)
    expected = cv2.resize(read_image(path), found.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(found.astype(int) - expected).max() <= 6
    smaller, factor = read_shrunk(path, 64, reduction)
    assert max(smaller.shape) == 64 and factor == 64 / 642


def test_an_upright_photograph_is_turned_at_any_size(tmp_path: Path) -> None:
    path = turned(write_ramp(tmp_path / "ramp.jpg", (640, 320)))
    assert read_size(path) == (320, 640)
    found, factor = read_shrunk(path, 160)
    assert (found.shape, factor) == ((160, 80, 3), 0.25)
    assert found[0, 0, 0] < 40 and found[-1, 0, 0] > 215  # what grew to the right grows downwards


@pytest.mark.parametrize("longest_side", [None, 160])
def test_half_a_photograph_is_not_learnt_from(tmp_path: Path, longest_side: int | None) -> None:
    path = write_ramp(tmp_path / "ramp.jpg", (640, 320))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(InputError, match=r"cannot read the image .*ramp\.jpg: it is cut short; replace or remove it"):
        read_shrunk(path, longest_side)


def test_only_as_much_of_a_jpeg_is_decoded_as_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_ramp(tmp_path / "ramp.jpg", (640, 320))
    modes = []
    decode = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda encoded, mode: (modes.append(mode), decode(encoded, mode))[1])
    for longest_side in (640, 320, 200, 160, 80, 10):
        read_shrunk(path, longest_side)
    half, quarter, eighth = cv2.IMREAD_REDUCED_COLOR_2, cv2.IMREAD_REDUCED_COLOR_4, cv2.IMREAD_REDUCED_COLOR_8
    assert modes == [cv2.IMREAD_COLOR, half, half, quarter, eighth, eighth]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    for name in ("broken.jpg", "missing.jpg"):
        with pytest.raises(InputError, match=f"cannot read the image .*{name}"):
            read_shrunk(tmp_path / name, 100)


def test_an_extension_in_capitals_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.JPG").touch()
    assert find_image(tmp_path, "a") == tmp_path / "a.JPG"
    assert find_image(tmp_path, "b").name == "b.jpg"  # for the message that it is missing
