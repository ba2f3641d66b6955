from __future__ import annotations

from pathlib import Path

import convert_shipped_weights as tool
import pytest

from centertrack.runtime.shipped import path_beside
from centertrack.runtime.weights import find_weights, list_weights


def test_every_weights_file_of_the_package_is_converted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    converted = []

    def convert(weights: Path) -> Path:
        converted.append(weights)
        return path_beside(weights)

    monkeypatch.setattr(tool, "write_shipped", convert)
    tool.convert_shipped_weights()
    assert converted == [find_weights(name) for name in list_weights()]
    assert "fairmot-nano.openvino.zip (" in capsys.readouterr().out
