"""Several classes, one after the other: which boxes count for each, by the rules of KITTI, BDD100K or VisDrone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tracker.arrays import Floats, Integers, Mask
from tracker.errors import InputError
from tracker.evaluation.frame_assignment import assign
from tracker.evaluation.left_out import (
    FLAGGED,
    IN_REGIONS,
    ON_DISTRACTORS,
    TOO_SMALL,
    LeftOut,
    count_classes,
    count_if,
)
from tracker.evaluation.mot_challenge import DISTRACTORS, PEDESTRIAN, SequenceData, select
from tracker.evaluation.overlaps import EPSILON, Overlaps, find_overlaps
from tracker.io.class_names import choose_numbers
from tracker.io.mot import GroundTruthRows, MotRows, ResultRows
from tracker.io.scalabel import BDD100K_CLASSES
from tracker.io.sequence_table import SequenceTable

_THRESHOLD = 0.5  # IoU of a match, and share of a box in a region to ignore


@dataclass(frozen=True, slots=True)
class ClassRules:
    """What holds for the classes of a benchmark.

    Attributes:
        classes: Those that it scores, by name; empty for all that the labels name.
        distractors: Class -> classes that look alike: a box on one of them is neither rewarded nor punished.
        forgives_flagged: Whether that holds for labels that do not count, too.
        min_height: Unmatched boxes up to this many pixels high are left out.
    """

    classes: tuple[str, ...] = ()
    distractors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    forgives_flagged: bool = False
    min_height: float = 0.0


CLASS_RULES: Mapping[str, ClassRules] = {
    "KITTI": ClassRules(
        classes=("Car", "Pedestrian"),
        distractors={"Car": ("Van",), "Pedestrian": ("Person_sitting",)},
        forgives_flagged=True,
        min_height=25.0,
    ),
    "BDD100K": ClassRules(classes=BDD100K_CLASSES),
    "VisDrone": ClassRules(classes=("pedestrian", "car", "van", "truck", "bus")),
}


@dataclass(frozen=True, slots=True)
class ScoredClass:
    """One of the classes that are scored.

    Attributes:
        number: As the ground truth writes it.
        name: In tables.
    """

    number: int
    name: str


def choose_classes(wanted: Sequence[str] | None, names: Mapping[int, str], rules: ClassRules) -> list[ScoredClass]:
    """Return the classes to score.

    Args:
        wanted: Numbers or names; None for those of the rules or, where they have none, all that are named.
        names: Class number -> name, as the ground truth says.
        rules: Of the benchmark.

    Raises:
        InputError: There is no such class.
    """
    if wanted is None:
        numbers = {name.lower(): number for number, name in names.items()}
        scored = [name for name in rules.classes if name.lower() in numbers] or list(names.values())
        return [ScoredClass(numbers[name.lower()], name) for name in scored]
    elsewhere = {int(text): f"class {text}" for text in wanted if text.isdecimal() and int(text) not in names}
    known = {**names, **elsewhere} if names else {}  # a number may be named in other sequences only
    chosen = choose_numbers(wanted, known, "the ground truth")
    return [ScoredClass(number, names.get(number, f"class {number}")) for number in chosen]


def number_results(
    results: SequenceTable, truth: SequenceTable, chosen: Sequence[ScoredClass]
) -> tuple[ResultRows, str | None]:
    """Return a tracker's output with the class numbers of the ground truth, and a sentence where these are taken so.

    Raises:
        InputError: The results have no classes, and several are scored.
    """
    rows = results.results()
    if not len(rows):
        return rows, None
    if (rows.classes == -1).all():
        if len(chosen) > 1:
            raise InputError(
                f"{rows.path}: the results have no classes (column 8 is -1), and {len(chosen)} are scored: "
                f"{', '.join(one.name for one in chosen)}; --classes {_option(chosen[0])} scores one, "
                "--benchmark none takes all labels as one class"
            )
        sentence = f"the results have no classes: all count as {chosen[0].name}"
        return replace(rows, classes=np.full(len(rows), chosen[0].number)), sentence
    if results.names and truth.names:
        known = {name.lower(): number for number, name in truth.names.items()}
        others = len(known) + max(known.values(), default=0) + 1  # numbers that no label has
        table = {n: known.get(name.lower(), others + n) for n, name in results.names.items()}
        renumbered = np.array([table.get(n, n if n == -1 else others + n) for n in rows.classes.tolist()], np.int64)
        return replace(rows, classes=renumbered), None
    if not truth.names:
        return rows, None
    listed = ", ".join(f"{number} = {name}" for number, name in list(truth.names.items())[:10])
    return rows, f"classes of the results by number: {listed}"


def _option(one: ScoredClass) -> str:
    return str(one.number) if one.name == f"class {one.number}" else one.name


def preprocess_classes(
    truth: SequenceTable,
    results: ResultRows,
    chosen: Sequence[ScoredClass],
    benchmark: str,
    frames: range,
    name: str = "",
    labelled: Integers | None = None,
) -> tuple[dict[str, SequenceData], LeftOut]:
    """Return for each class what is scored, and what is left out.

    A result counts for its own class only. It is left out where it matches a distractor, or where it matches nothing
    and lies in a region to ignore or is too low, as KITTI and BDD100K do it.

    Args:
        truth: Of one sequence, its rows checked.
        results: Of the same sequence, its classes numbered as the ground truth's.
        chosen: The classes.
        benchmark: Whose rules to apply: one of CLASS_RULES, or one of MOTChallenge's, whose distractors (less the
            chosen classes) are those of pedestrians.
        frames: The evaluated ones.
        name: Of the sequence.
        labelled: Those of them that count, None for all.
    """
    rules = CLASS_RULES.get(benchmark, ClassRules())
    rows, numbers = truth.rows, [one.number for one in chosen]
    names = {**truth.names, **{one.number: one.name.removeprefix("class ") for one in chosen}}
    left_out = LeftOut(
        len(rows),
        len(results),
        count_classes(rows.classes[~np.isin(rows.classes, numbers)], names.items()),
        count_classes(results.classes[~np.isin(results.classes, numbers)], names.items()),
    )
    data = {}
    parts = [left_out]
    for one in chosen:
        mine = results.where(results.classes == one.number)
        if benchmark in DISTRACTORS and one.number == PEDESTRIAN:
            alike = [number for number in DISTRACTORS[benchmark] if number not in numbers]
            taking_part = np.ones(len(rows), bool)  # as officially: a box on any label is not one on a distractor
        else:
            alike = _numbers_of(rules.distractors.get(one.name, ()), truth.names)
            taking_part = np.isin(rows.classes, [one.number, *alike])
        labels = rows.where(taking_part)
        data[one.name], part = _preprocess_class(
            labels, mine, truth.regions, one.number, alike, rules, (frames, name, labelled)
        )
        parts.append(part)
    return data, LeftOut.total(parts)


def _numbers_of(wanted: Sequence[str], names: Mapping[int, str]) -> list[int]:
    return [number for number, name in names.items() if name in wanted]


def _preprocess_class(
    labels: GroundTruthRows,
    results: ResultRows,
    regions: MotRows,
    number: int,
    distractors: Sequence[int],
    rules: ClassRules,
    place: tuple[range, str, Integers | None],
) -> tuple[SequenceData, LeftOut]:
    overlaps = find_overlaps(labels.frames, labels.boxes_xywh, results.frames, results.boxes_xywh)
    close = overlaps.where(overlaps.iou >= _THRESHOLD - EPSILON)
    matched = close.where(assign(labels.frames, results.frames, close.first, close.second, close.iou))
    counts = (labels.classes == number) & (labels.flags != 0)
    alike = np.isin(labels.classes, distractors)
    if rules.forgives_flagged:
        alike |= labels.flags == 0
    on_distractor, unmatched = np.zeros(len(results), bool), np.ones(len(results), bool)
    on_distractor[matched.second[alike[matched.first]]] = True
    unmatched[matched.second] = False
    in_region = unmatched & _within(results, regions)
    too_small = unmatched & ~in_region & (results.boxes_xywh[:, 3] <= rules.min_height + EPSILON)
    kept = ~(on_distractor | in_region | too_small)
    reasons: Counter[str] = Counter()
    for reason, is_so in ((ON_DISTRACTORS, on_distractor), (IN_REGIONS, in_region), (TOO_SMALL, too_small)):
        reasons.update(count_if(reason, int(is_so.sum())))
    flagged = count_if(FLAGGED, int(((labels.classes == number) & (labels.flags == 0)).sum()))
    frames, name, labelled = place
    data = select(labels, results, overlaps, counts, kept, frames, name, labelled)
    return data, LeftOut(labels=flagged, results=reasons)


def _within(results: MotRows, regions: MotRows) -> Mask:
    """Return (M,) whether more than half of a box lies in one region of its frame."""
    inside = np.zeros(len(results), bool)
    if len(regions) and len(results):
        shared = find_overlaps(results.frames, results.boxes_xywh, regions.frames, regions.boxes_xywh)
        inside[shared.first[_share_of_first(shared, results, regions) > _THRESHOLD + EPSILON]] = True
    return inside


def _share_of_first(overlaps: Overlaps, first: MotRows, second: MotRows) -> Floats:
    """Return (P,) intersection over the area of the first box, from the IoU and the areas."""
    area, other = (rows.boxes_xywh[:, 2] * rows.boxes_xywh[:, 3] for rows in (first, second))
    area, other = area[overlaps.first], other[overlaps.second]
    share: Floats = overlaps.iou * (area + other) / (1 + overlaps.iou) / np.maximum(area, EPSILON)
    return share
