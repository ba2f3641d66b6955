"""A conversion beside its weights makes the first start quick, and is used only if it is of these weights."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from centertrack.models import from_pretrained
from centertrack.predictor import Predictor
from centertrack.runtime import shipped
from centertrack.runtime.contract import DecodeOptions, RawDetections
from centertrack.runtime.export import compare
from centertrack.runtime.openvino import OpenVinoRuntime
from centertrack.runtime.torch import TorchRuntime
from centertrack.runtime.weights import find_weights, list_weights, open_weights
from centertrack.synthetic import SceneConfig, StreetScene

DEFAULT = DecodeOptions()
REBUILD = "stale: run python tools/convert_shipped_weights.py"


@pytest.mark.parametrize("name", list_weights())
def test_the_conversion_is_of_the_weights_that_are_here(name: str) -> None:
    weights = open_weights(name)
    model = shipped.read_shipped(weights, (1, 256, 160, 3), DecodeOptions.of_weights(weights.config, 100))
    assert model is None  # it gives 300 boxes, or what they are chosen from
    model = shipped.read_shipped(weights, (1, 256, 320, 3), DecodeOptions.of_weights(weights.config))
    assert model is not None, REBUILD
    assert list(model.inputs[0].shape) == [1, 256, 320, 3]


def test_a_first_start_needs_no_torch(tmp_path: Path) -> None:
    program = (
        "import sys, numpy\n"
        "from centertrack.predictor import Predictor\n"
        "found = Predictor('fairmot-nano', 'cpu', 'openvino')(numpy.zeros((96, 160, 3), numpy.uint8))\n"
        "sys.exit(not found or 'torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120, env={"XDG_CACHE_HOME": str(tmp_path)})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", list_weights())
@pytest.mark.parametrize(("count", "height", "width"), [(1, 64, 160), (3, 96, 160), (1, 320, 192), (1, 384, 640)])
def test_images_of_any_size_and_number_are_seen_as_by_torch(name: str, count: int, height: int, width: int) -> None:
    """This fails, too, where the network's code has changed in effect since the conversion."""
    scene = StreetScene(SceneConfig(size=(width, height), seconds=1.0, people=6))
    images = np.stack([scene.frame(number).frame.image for number in range(count)])
    decoding = DecodeOptions.of_weights(open_weights(name).config)
    expected = TorchRuntime(from_pretrained(name), "cpu", decoding)(images)
    found = OpenVinoRuntime(open_weights(name), decoding, precision="f32")(images)
    assert [values.shape for values in found] == [values.shape for values in expected]
    for i in range(count):
        parity = compare(*(RawDetections(*(values[i : i + 1] for values in one)) for one in (expected, found)))
        assert parity.compared > 5
        assert parity.largest < 1e-3, REBUILD


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The shipped weights elsewhere, with their conversion."""
    source = find_weights("fairmot-nano")
    for path in (source, shipped.path_beside(source)):
        shutil.copy(path, tmp_path)
    return tmp_path / source.name


def is_used(weights: Path, decoding: DecodeOptions = DEFAULT, side: int = 96) -> bool:
    return shipped.read_shipped(open_weights(weights), (1, side, side, 3), decoding) is not None


def test_it_lies_beside_any_weights(copied: Path) -> None:
    assert is_used(copied)
    shipped.path_beside(copied).unlink()
    assert not is_used(copied)


def test_a_conversion_of_other_weights_is_not_used(copied: Path, weights: Path) -> None:
    shutil.copy(weights, copied)
    assert not is_used(copied)


def test_a_conversion_by_another_version_is_not_used(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped, "code_digest", lambda: "of other code")
    assert not is_used(copied)


def test_other_ways_to_read_boxes_need_another_conversion(copied: Path) -> None:
    assert not is_used(copied, DecodeOptions(max_detections=100))
    assert not is_used(copied, DecodeOptions(nms_kernel=5))
    assert not is_used(copied, side=64)  # 256 cells have no 300 boxes


@pytest.mark.parametrize("damage", ["cut off", "no graph"])
def test_a_damaged_conversion_is_not_used(copied: Path, damage: str) -> None:
    path = shipped.path_beside(copied)
    if damage == "cut off":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content[: len(content) // 2] if name.endswith(".xml") else content)
    assert not is_used(copied)


@pytest.mark.slow
def test_it_is_written_beside_the_weights(weights: Path, tmp_path: Path, picture: np.ndarray) -> None:
    own = Path(shutil.copy(weights, tmp_path))
    written = shipped.write_shipped(own)
    assert written == tmp_path / "small.openvino.zip"
    assert is_used(own)
    expected = Predictor(own, "cpu", "torch", image_size=(160, 96))(picture)[0]
    found = Predictor(own, "cpu", "openvino", image_size=(160, 96))(picture)[0]
    assert len(found) == len(expected) > 20
    np.testing.assert_allclose(np.sort(found.scores), np.sort(expected.scores), atol=1e-3)
