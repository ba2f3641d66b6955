"""What an evaluation found, as a table, a dictionary or a file."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.evaluation.intervals import Interval, Units, intervals
from tracker.evaluation.left_out import LeftOut
from tracker.evaluation.scores import PERCENTAGES, Scores, combine
from tracker.extras import named_extra
from tracker.io.atomic import atomic_path
from tracker.io.names import ODD_NAMES
from tracker.text_table import text_table

if TYPE_CHECKING:
    import pandas

TABLE_METRICS = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW", "FP", "FN", "MT", "ML", "Frag", "GT_IDs", "IDs")
COMBINED = "COMBINED"
CLASS_AVERAGE, DETECTION_AVERAGE = "class average", "detection average"


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """Scores of every sequence and of all together.

    Attributes:
        sequences: By name; of several classes those averaged over detections.
        combined: The official COMBINED row; of several classes that averaged over detections.
        classes: Class -> its own result, where several are scored; empty otherwise.
        left_out: What was not scored.
        notes: Sentences about what was taken for granted.
        units: What intervals draw from; None where nobody asked, or there are too few frames.
    """

    sequences: dict[str, Scores]
    combined: Scores
    classes: dict[str, EvaluationResult] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)
    notes: list[str] = field(default_factory=list)
    units: Units | None = None

    def intervals(self) -> dict[str, Interval]:
        """Return HOTA, DetA, AssA, MOTA and IDF1 of all together with 95 % intervals; nothing without `units`."""
        return {} if self.units is None else intervals(self.units)

    def class_averaged(self) -> dict[str, float]:
        """Return every figure as `Scores.metrics` does: ratios as means over the classes, counts as sums.

        So KITTI and BDD100K average classes; every class weighs the same, however rare it is. `combined` is averaged
        over detections instead, from the summed counts of all classes.
        """
        tables = [result.combined.metrics() for result in self.classes.values()] or [self.combined.metrics()]
        sums = {name: sum(table[name] for table in tables) for name in tables[0]}
        means = {name: sums[name] / len(tables) for name in PERCENTAGES}
        return {**sums, **means, "Frames": self.combined.counts.frames}

    def rows(self, metrics: tuple[str, ...] = TABLE_METRICS) -> list[list[str]]:
        """Return the table's cells: a header, a row for each sequence, the combined row; ratios in percent."""
        header = ["sequence", *metrics]
        return [header, *([name, *_format(values, metrics)] for name, values in self._metrics().items())]

    def table(self, metrics: tuple[str, ...] = TABLE_METRICS) -> str:
        """Return the table as plain text, ratios in percent; of several classes one each, and one about all."""
        if not self.classes:
            return text_table(self.rows(metrics), has_total=True)
        tables = [f"{name}\n{result.table(metrics)}" for name, result in self.classes.items()]
        return "\n\n".join([*tables, text_table(self.class_rows(metrics))])

    def class_rows(self, metrics: tuple[str, ...] = TABLE_METRICS) -> list[list[str]]:
        """Return cells: a header, the combined row of each class, and the two averages."""
        rows = {name: result.combined.metrics() for name, result in self.classes.items()}
        rows |= {CLASS_AVERAGE: self.class_averaged(), DETECTION_AVERAGE: self.combined.metrics()}
        return [["all sequences", *metrics], *([name, *_format(values, metrics)] for name, values in rows.items())]

    def remarks(self) -> list[str]:
        """Return what there is to say beside the scores: what was taken for granted, and what was left out."""
        return [*self.notes, *self.left_out.lines()]

    def to_dict(self) -> dict[str, object]:
        """Return {"sequences": {name: {metric: value}}, "combined": {metric: value}, ...}, ratios as fractions.

        Of several classes, "classes" has the same of each class, "class_averaged" the means over the classes, and the
        others are averaged over detections. "left_out" counts what was not scored, by reason.
        """
        content: dict[str, object] = {
            "sequences": {name: scores.to_dict() for name, scores in self.sequences.items()},
            "combined": self.combined.to_dict(),
        }
        if self.classes:
            content["classes"] = {
                name: {key: part for key, part in result.to_dict().items() if key in ("sequences", "combined")}
                for name, result in self.classes.items()
            }
            content["class_averaged"] = self.class_averaged()
        if self.units is not None:
            content["intervals"] = {
                "over": self.units.kind,
                **{name: [one.low, one.high] for name, one in self.intervals().items()},
            }
        return {**content, "left_out": self.left_out.to_dict(), "notes": self.notes}

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
        """Write one row for each sequence and one for COMBINED, ratios as fractions; of several classes of each."""
        tables = {name: result._metrics() for name, result in self.classes.items()}
        if tables:
            tables |= {CLASS_AVERAGE: {COMBINED: self.class_averaged()}, DETECTION_AVERAGE: self._metrics()}
        rows_of = [
            [*([kind] if tables else []), name, *map(repr, values.values())]
            for kind, table in (tables or {"": self._metrics()}).items()
            for name, values in table.items()
        ]
        with (
            atomic_path(path) as temporary,
            temporary.open("w", encoding="utf-8", errors=ODD_NAMES, newline="") as file,
        ):
            rows = csv.writer(file, lineterminator="\n")  # quotes names with commas and quotes
            rows.writerow([*(["class"] if tables else []), "sequence", *self.combined.metrics()])
            rows.writerows(rows_of)

    def _metrics(self) -> dict[str, dict[str, float]]:
        rows = {name: scores.metrics() for name, scores in self.sequences.items()}
        return {**rows, COMBINED: self.combined.metrics()}


def _format(values: dict[str, float], metrics: tuple[str, ...]) -> list[str]:
    return [f"{100 * values[name]:.2f}" if name in PERCENTAGES else str(values[name]) for name in metrics]


def assemble(sequences: Mapping[str, Mapping[str, Scores]], left_out: LeftOut, notes: list[str]) -> EvaluationResult:
    """Put sequences together.

    Args:
        sequences: Sequence -> class -> scores. A class without boxes on both sides is left out of the averages.
        left_out: What was not scored.
        notes: Sentences about what was taken for granted.
    """
    names = list(dict.fromkeys(name for scores in sequences.values() for name in scores))
    by_class: dict[str, EvaluationResult] = {}
    for name in names:
        scores = {sequence: parts[name] for sequence, parts in sequences.items() if name in parts}
        combined = combine(list(scores.values()))
        if combined.counts.gt_dets or combined.counts.dets or len(names) == 1:
            by_class[name] = EvaluationResult(scores, combined)
    if len(by_class) == 1:
        ((name, result),) = by_class.items()
        notes = [*notes, f"class {name.removeprefix('class ')} only"] if name else notes
        return replace(result, left_out=left_out, notes=notes)
    averaged = {
        sequence: _combine_classes([parts[name] for name in by_class if name in parts])
        for sequence, parts in sequences.items()
    }
    return EvaluationResult(averaged, combine(list(averaged.values())), by_class, left_out, notes)


def _combine_classes(parts: list[Scores]) -> Scores:
    """Average the classes of one sequence over detections: from summed counts, its frames counted once."""
    combined = combine(parts)
    return replace(combined, counts=replace(combined.counts, frames=parts[0].counts.frames))
