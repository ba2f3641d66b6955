from __future__ import annotations

import pytest

from tracker.errors import InputError, MissingPackageError
from tracker.extras import EXTRAS, missing, named_extra


def test_a_package_of_an_extra_is_named_with_its_command():
    with (
        pytest.raises(MissingPackageError, match=r"^drawing needs the package timm, which is not .*\[train\]\"$"),
        named_extra("drawing"),
    ):
        raise ModuleNotFoundError("No module named 'timm.models'", name="timm.models")


def test_users_catch_it_as_an_import_or_as_an_input():
    assert issubclass(MissingPackageError, ImportError)
    assert issubclass(MissingPackageError, InputError)


@pytest.mark.parametrize("error", [ModuleNotFoundError("No module named 'trakcer'", name="trakcer"), ImportError("x")])
def test_a_defect_stays_as_it_is(error):
    with pytest.raises(type(error)) as caught, named_extra("drawing"):
        raise error
    assert caught.value is error


def test_a_server_without_libgl_is_told_what_to_do():
    with pytest.raises(MissingPackageError, match="apt install libgl1"), named_extra("tracking"):
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")


def test_an_installed_package_is_named_as_the_index_does(monkeypatch, tmp_path):
    monkeypatch.setattr("tracker.extras.__file__", str(tmp_path / "tracker" / "extras.py"))
    assert missing("it", "onnx").endswith(f'pip install "centertrack[{EXTRAS["onnx"]}]"')
    assert missing("it", "tensorrt").endswith("pip install tensorrt")
