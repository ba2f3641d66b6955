"""Measure the tables of the documents again, and print which figures moved.

    python tools/measure_tables.py                     # all tables whose data is there
    python tools/measure_tables.py trackers_public     # one of docs/tables/*.yaml
    python tools/measure_tables.py trackers_public --write   # keep the new figures, in the file and in the document

A file of docs/tables says everything about one table: the document it stands in, the data, the commands of each row,
and the figures with the commit and the processor that they were measured on. `{data}` in a command is the folder of
real data (CENTERTRACK_SHARED_DATA), `{out}` a new folder. Figures are those of `centertrack evaluate --json`, in
percent where they are ratios, or milliseconds of `centertrack bench trackers`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tracker.errors import InputError
from tracker.evaluation.scores import PERCENTAGES
from tracker.io.atomic import atomic_path
from tracker.io.reading import read_yaml

PROJECT = Path(__file__).resolve().parents[1]
TABLES = PROJECT / "docs" / "tables"
DATA = Path(os.environ.get("CENTERTRACK_SHARED_DATA", PROJECT.parent / "shared" / "data"))


@dataclass
class Table:
    """One table.

    Attributes:
        path: Its file.
        content: What the file says.
    """

    path: Path
    content: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Table:
        """Read a file of docs/tables."""
        return cls(path, read_yaml(path))

    def markdown(self) -> str:
        """Return the table as it stands in the document."""
        header = self.content["header"]
        rows = [[row["name"], *row["cells"]] for row in self.content["rows"]]
        lines = [header, ["---"] * len(header), *rows]
        return "\n".join(_line(cells) for cells in lines)

    def missing_data(self) -> list[str]:
        """Return what of its data is not there."""
        return [name for name in self.content.get("needs", []) if not (DATA / name).exists()]

    def measure(self) -> list[list[str]]:
        """Return the cells of every row, measured anew."""
        if "bench" in self.content:
            return _bench(self.content)
        return [_measure_row(row, self.content["columns"]) for row in self.content["rows"]]

    def write(self, cells: list[list[str]]) -> None:
        """Keep new figures in the file and in the document."""
        document = PROJECT / self.content["document"]
        before = self.markdown()
        for row, new in zip(self.content["rows"], cells, strict=True):
            row["cells"] = new
        self.content["measured"] = {"commit": _commit(), "processor": _processor()}
        with atomic_path(document) as temporary:
            temporary.write_text(
                document.read_text(encoding="utf-8").replace(before, self.markdown()), encoding="utf-8"
            )
        with atomic_path(self.path) as temporary:
            temporary.write_text(yaml.safe_dump(self.content, sort_keys=False, width=120), encoding="utf-8")


def _line(cells: list[str]) -> str:
    if set(cells) == {"---"}:
        return f"|{'|'.join(cells)}|"
    return " ".join(["|", " | ".join(cells), "|"]).replace("|  |", "| |").replace("|  ", "| ").replace("  |", " |")


def _measure_row(row: Mapping[str, Any], columns: list[Mapping[str, Any]]) -> list[str]:
    """Run the commands of a row, and evaluate what each column shows; a row without commands stays as it is."""
    if not row["run"]:
        return list(row["cells"])
    with TemporaryDirectory() as folder:
        places = {"data": str(DATA), "out": str(Path(folder, "out"))}
        for command in row["run"]:
            _call(command, places)
        known: dict[str, dict[str, float]] = {}
        return [_cell(row, column, places, known) for column in columns]


def _cell(
    row: Mapping[str, Any], column: Mapping[str, Any], places: Mapping[str, str], known: dict[str, dict[str, float]]
) -> str:
    if "text" in column:
        return str(row["texts"][column["text"]])
    command = f"evaluate {row['evaluate']} {column.get('evaluate', '')}"
    if command not in known:
        scores = Path(places["out"], "scores.json")
        _call(f"{command} --json {scores}", places)
        known[command] = json.loads(scores.read_text(encoding="utf-8"))["combined"]
    values = known[command]
    shown = {name: 100 * value if name in PERCENTAGES else value for name, value in values.items() if name != "curves"}
    return str(column["show"]).format(**shown)


def _call(command: str, places: Mapping[str, str]) -> None:
    """Run `centertrack` with words of which those with a star stand for all folders that match."""
    words: list[str] = []
    for word in command.format(**places).split():
        found = sorted(map(str, Path("/").glob(word.lstrip("/")))) if "*" in word else []
        words += found or [word]
    done = subprocess.run([sys.executable, "-m", "centertrack", *words], capture_output=True, text=True, cwd=PROJECT)
    if done.returncode:
        raise InputError(f"centertrack {command}: {done.stderr.strip()}")


def _bench(content: Mapping[str, Any]) -> list[list[str]]:
    from centertrack.bench.trackers import bench_trackers

    names = [row["name"].strip("`") for row in content["rows"]]
    digits: dict[int, int] = content["bench"]  # people -> decimals
    return [
        [f"{timing.milliseconds[people]:.{digits[people]}f}" for people in digits]
        for timing in bench_trackers(names, list(digits))
    ]


def moved(table: Table, cells: list[list[str]]) -> list[str]:
    """Return a line for every cell that is not what the table says."""
    names = table.content["header"][1:]
    return [
        f"{table.path.stem}: {row['name']}, {name}: {old} -> {new}"
        for row, fresh in zip(table.content["rows"], cells, strict=True)
        for name, old, new in zip(names, row["cells"], fresh, strict=True)
        if old != new
    ]


def _commit() -> str:
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=PROJECT)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    names = info.read_text().splitlines() if info.is_file() else []
    return next(
        (line.partition(":")[2].strip() for line in names if line.startswith("model name")), platform.processor()
    )


def main() -> int:
    """Measure tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", metavar="NAME", help="of docs/tables (default: all)")
    parser.add_argument("--write", action="store_true", help="keep the new figures")
    options = parser.parse_args()
    names = options.tables or sorted(path.stem for path in TABLES.glob("*.yaml"))
    for name in names:
        table = Table.read(TABLES / f"{name}.yaml")
        if missing := table.missing_data():
            print(f"{name}: not measured; {DATA} lacks {', '.join(missing)}")
            continue
        cells = table.measure()
        changes = moved(table, cells)
        print("\n".join(changes) if changes else f"{name}: nothing moved")
        if options.write and changes:
            table.write(cells)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
