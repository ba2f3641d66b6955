"""What an evaluation found, as a table, a dictionary or a file."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.evaluation.scores import PERCENTAGES, Scores
from tracker.extras import named_extra
from tracker.io.atomic import atomic_path
from tracker.io.names import ODD_NAMES
from tracker.text_table import text_table

if TYPE_CHECKING:
    import pandas

TABLE_METRICS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "FP", "FN", "MT", "ML", "Frag", "GT_IDs", "IDs")
COMBINED = "COMBINED"


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Scores of every sequence and of all together.

    Attributes:
        sequences: By name.
        combined: The official COMBINED row.
    """

    sequences: dict[str, Scores]
    combined: Scores

    def rows(self, metrics: tuple[str, ...] = TABLE_METRICS) -> list[list[str]]:
        """Return the table's cells: a header, a row for each sequence, the combined row; ratios in percent."""
        header = ["sequence", *metrics]
        return [header, *([name, *_format(values, metrics)] for name, values in self._metrics().items())]

    def table(self, metrics: tuple[str, ...] = TABLE_METRICS) -> str:
        """Return the table as plain text, ratios in percent."""
        return text_table(self.rows(metrics), has_total=True)

    def to_dict(self) -> dict[str, object]:
        """Return {"sequences": {name: {metric: value}}, "combined": {metric: value}}, ratios as fractions."""
        return {
            "sequences": {name: scores.to_dict() for name, scores in self.sequences.items()},
            "combined": self.combined.to_dict(),
        }

    def to_pandas(self) -> pandas.DataFrame:
        """Return one row for each sequence and one for COMBINED, ratios as fractions."""
        with named_extra("EvaluationResult.to_pandas"):
            import pandas

        return pandas.DataFrame.from_dict(self._metrics(), orient="index").rename_axis("sequence")

    def write_json(self, path: str | Path) -> None:
        """Write `to_dict` as JSON."""
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(self.to_dict(), indent=1) + "\n", encoding="utf-8")

    def write_csv(self, path: str | Path) -> None:
        """Write one row for each sequence and one for COMBINED, ratios as fractions."""
        table = self._metrics()
        with (
            atomic_path(path) as temporary,
            temporary.open("w", encoding="utf-8", errors=ODD_NAMES, newline="") as file,
        ):
            rows = csv.writer(file, lineterminator="\n")  # quotes names with commas and quotes
            rows.writerow(["sequence", *self.combined.metrics()])
            rows.writerows([name, *map(repr, values.values())] for name, values in table.items())

    def _metrics(self) -> dict[str, dict[str, float]]:
        rows = {name: scores.metrics() for name, scores in self.sequences.items()}
        return {**rows, COMBINED: self.combined.metrics()}


def _format(values: dict[str, float], metrics: tuple[str, ...]) -> list[str]:
    return [f"{100 * values[name]:.2f}" if name in PERCENTAGES else str(values[name]) for name in metrics]
