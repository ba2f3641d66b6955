"""What `centertrack app` refuses before it serves; `tests/centertrack/web/test_page.py` uses its page."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from centertrack.cli import main

pytest.importorskip("gradio", reason="needs Gradio (the extra [app])")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--weights", "nothing.safetensors"), "no weights 'nothing.safetensors': give a file, or one of fairmot-base"),
        (("--max-seconds", "0"), "argument --max-seconds: expected a number above 0, got '0'"),
        (("--max-megabytes", "much"), "argument --max-megabytes: expected a number above 0, got 'much'"),
        (("--port", "99999"), "argument --port: expected a port from 0 to 65535, got '99999'"),
        (("--host", "nowhere.invalid"), "cannot serve at nowhere.invalid:0: "),
    ],
)
def test_what_cannot_be_served_is_one_sentence(
    options: tuple[str, ...],
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    try:
        code = main(["app", "--no-browser", *options])
    except SystemExit as error:
        code = error.code
    assert code == 2
    wrong = capsys.readouterr().err
    assert words in wrong
    assert wrong.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["app", "--no-browser", "--port", str(port)]) == 2
    wrong = capsys.readouterr().err
    assert wrong.startswith(f"error: cannot serve at 127.0.0.1:{port}: ")
    assert "choose another --port or --host" in wrong
    assert wrong.count("\n") == 1
