"""The tables of the documents are those of docs/tables, and are measured again by one command."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.conftest import PROJECT
from tools import measure_tables
from tools.measure_tables import Table, moved

FILES = sorted((PROJECT / "docs" / "tables").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_document_shows_the_figures_of_its_file(path):
    table = Table.read(path)
    assert table.markdown() in (PROJECT / table.content["document"]).read_text(encoding="utf-8")
    assert set(table.content["measured"]) == {"commit", "processor"}
    shown = len(table.content.get("columns", table.content.get("bench", ())))
    assert all(len(row["cells"]) == shown == len(table.content["header"]) - 1 for row in table.content["rows"])


@pytest.fixture
def table(tmp_path, monkeypatch):
    folder = tmp_path / "data" / "S"
    for name in ("gt", "det"):
        (folder / name).mkdir(parents=True)
    boxes = [f"{frame},{{}},{10 + frame},20,30,60" for frame in range(1, 11)]
    (folder / "gt" / "gt.txt").write_text("".join(f"{box.format(1)},1,1,1\n" for box in boxes))
    (folder / "det" / "det.txt").write_text("".join(f"{box.format(-1)},0.9\n" for box in boxes[:9]))
    (folder / "seqinfo.ini").write_text("[Sequence]\nname=S\nframeRate=25\nseqLength=10\n")
    content = {
        "document": "page.md",
        "needs": ["S"],
        "header": ["tracker", "MOTA", "misses", ""],
        "columns": [{"show": "{MOTA:.1f}"}, {"show": "{FN}", "evaluate": "--frames 5:10"}, {"text": 0}],
        "rows": [
            {
                "name": "`sort`",
                "run": ["associate {data}/S* --tracker sort --option min_hits=1 --results {out}"],
                "evaluate": "--gt {data}/S --results {out}",
                "texts": ["a remark"],
                "cells": ["80.0", "1", "a remark"],
            }
        ],
        "measured": {"commit": "0", "processor": "another"},
    }
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    found = Table.read(tmp_path / "one.yaml")
    (tmp_path / "page.md").write_text(f"# Page\n\n{found.markdown()}\n\nEnd.\n")
    monkeypatch.setattr(measure_tables, "DATA", tmp_path / "data")
    monkeypatch.setattr(measure_tables, "TABLES", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    monkeypatch.setattr(measure_tables, "PROJECT", tmp_path)
    return found


def test_a_table_is_measured_and_what_moved_is_told(table, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["measure_tables.py", "one", "--write"])
    assert measure_tables.main() == 0
    assert capsys.readouterr().out == "one: `sort`, MOTA: 80.0 -> 90.0\n"
    assert "| `sort` | 90.0 | 1 | a remark |" in (tmp_path / "page.md").read_text()
    assert (tmp_path / "page.md").read_text().endswith("\n\nEnd.\n")
    assert measure_tables.main() == 0
    assert capsys.readouterr().out == "one: nothing moved\n"


def test_data_that_is_not_there_is_told(table, monkeypatch, capsys):
    monkeypatch.setattr(measure_tables, "DATA", Path("nowhere"))
    monkeypatch.setattr("sys.argv", ["measure_tables.py"])
    assert measure_tables.main() == 0
    assert capsys.readouterr().out == "one: not measured; nowhere lacks S\n"


def test_moved_names_row_and_column(table):
    assert moved(table, [["80.0", "2", "a remark"]]) == ["one: `sort`, misses: 1 -> 2"]
