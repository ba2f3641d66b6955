"""What a training will see, before it sees it: counts, broken labels, and a picture of augmented samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from centertrack.configuration import find_recipe
from centertrack.data.contact_sheet import write_contact_sheet
from centertrack.data.formats.registry import guess_format
from centertrack.data.images import read_size
from centertrack.data.labels import LabelledImages, Labels
from centertrack.data.mixture import Mixture, SourceOptions, open_source_set
from centertrack.data.plan import DataPlan
from centertrack.data.sample import Array, SampleSet
from tracker.errors import InputError
from tracker.wording import counted

SHOWN = 10  # problems of a source
UNIT_SLIP = 3.0  # fractions of an image beyond this are pixels that somebody forgot to divide


@dataclass
class SourceReport:
    """What one data set holds.

    Attributes:
        name: Its path, or its format.
        format: Its format.
        images, boxes, ignored, identities: How many; `ignored` regions.
        without_boxes: Images without objects.
        classes: Name -> boxes.
        image_sizes: Smallest and largest width and height in pixels, ((w, h), (w, h)); None if no image was read.
        box_heights: (3,) smallest, median and largest height in pixels; None without boxes.
        problems: One sentence each, with file and line.
    """

    name: str
    format: str
    images: int = 0
    boxes: int = 0
    ignored: int = 0
    identities: int = 0
    without_boxes: int = 0
    classes: dict[str, int] = field(default_factory=dict)
    image_sizes: tuple[tuple[int, int], tuple[int, int]] | None = None
    box_heights: tuple[float, float, float] | None = None
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class DataReport:
    """What all data sets hold.

    Attributes:
        sources: One report each.
        sheet: The contact sheet, None where none could be drawn.
    """

    sources: list[SourceReport]
    sheet: Path | None

    @property
    def problems(self) -> list[str]:
        """All problems, in order."""
        return [problem for source in self.sources for problem in source.problems]

    def text(self) -> str:
        """Return the report for people, with the first few problems of every source."""
        lines = [line for source in self.sources for line in _lines(source)]
        return "\n".join(lines + _differing_names(self.sources))


def check_data(
    source: str | Path,
    format_name: str | None = None,
    root: str | Path | None = None,
    sheet: str | Path | None = None,
    **options: Any,
) -> DataReport:
    """Look through the data of a training configuration, or a labelled folder.

    Args:
        source: A training configuration (a .yaml file or a name of `configs/`), or a file or folder of labels.
        format_name: Of a folder; None: told by its files.
        root: Where the paths of a configuration start; None: as it says.
        sheet: Where to draw sixteen augmented samples as PNG; None: nowhere.
        **options: Of the data set, where `source` is one.

    Raises:
        InputError: The configuration or the folder cannot be read at all; broken labels are problems of the report.
    """
    path = find_recipe(source)
    if path.suffix in (".yaml", ".yml") and path.is_file():
        plan = DataPlan.read(path, root)
    else:
        if not path.exists():
            raise InputError(f"expected a training configuration or labels, {path} does not exist")
        one = SourceOptions(format_name or guess_format(path), str(path.resolve()), options=options)
        plan = DataPlan([one])
    reports, sets = [], []
    for one in plan.train:
        report, data = _check_source(one, plan.root)
        reports.append(report)
        if data is not None and len(data):
            sets.append((one, data))
    reports += [_check_source(one, plan.root)[0] for one in plan.validation]
    drawn = None
    if sheet is not None and sets:
        opened, parts = zip(*sets, strict=True)
        mixture = Mixture(opened, plan.size, plan.mix, plan.root, sets=parts, transforms=plan.transforms)
        drawn = write_contact_sheet(mixture, Path(sheet))
    return DataReport(reports, drawn)


def _check_source(source: SourceOptions, root: Path) -> tuple[SourceReport, SampleSet | None]:
    report = SourceReport(source.path or source.format, source.format)
    problems = report.problems
    if source.format != "synthetic":
        collect = {"report": lambda error: problems.append(str(error))}
        source = SourceOptions(source.format, source.path, source.weight, {**source.options, **collect})
    try:
        data = open_source_set(source, root)
    except (InputError, OSError) as error:  # a path that no file can have is one as well
        problems.append(str(error))
        return report, None
    report.images, report.identities = len(data), data.num_identities
    if not isinstance(data, LabelledImages):
        return report, data
    readable = _check_entries(data, report)
    return report, data if readable == len(data) else None


def _check_entries(data: LabelledImages, report: SourceReport) -> int:
    """Fill in the report, and return how many images can be read."""
    sizes, heights = [], []
    for entry in data.entries:
        try:
            size = read_size(entry.image)
        except InputError as error:
            report.problems.append(str(error))
            continue
        sizes.append(size)
        report.problems += _box_problems(entry, size)
        heights.append(np.diff(entry.in_pixels(size).boxes[:, 1::2])[:, 0])
    labels: Array = np.concatenate([entry.labels for entry in data.entries] or [np.zeros(0, np.int64)])
    report.boxes = len(labels)
    report.ignored = sum(len(entry.ignore) for entry in data.entries)
    report.without_boxes = sum(len(entry.boxes) == 0 for entry in data.entries)
    counts = np.bincount(labels, minlength=data.num_classes)
    report.classes = {name: int(count) for name, count in zip(data.class_names, counts, strict=True)}
    if sizes:
        widths, tall = zip(*sizes, strict=True)
        report.image_sizes = (min(widths), min(tall)), (max(widths), max(tall))
    all_heights: Array = np.concatenate(heights or [np.zeros(0, np.float32)])
    if len(all_heights):
        report.box_heights = float(all_heights.min()), float(np.median(all_heights)), float(all_heights.max())
    return len(sizes)


def _box_problems(entry: Labels, size: tuple[int, int]) -> Iterator[str]:
    boxes = entry.in_pixels(size).boxes
    seen: dict[int, int] = {}
    for row, (x1, y1, x2, y2) in enumerate(boxes.tolist()):
        line = int(entry.lines[row])
        where = f"{entry.source}:{line}" if line else f"{entry.source}"
        box = f"box {x1:.1f}, {y1:.1f}, {x2:.1f}, {y2:.1f} of {entry.name} ({size[0]}x{size[1]})"
        if x2 <= x1 or y2 <= y1:
            yield f"{where}: {box} has no area"
        elif entry.relative and np.abs(entry.boxes[row]).max() > UNIT_SLIP:
            yield f"{where}: {box} is far outside: are its numbers pixels, not fractions of the image?"
        elif x2 <= 0 or y2 <= 0 or x1 >= size[0] or y1 >= size[1]:
            yield f"{where}: {box} lies outside the image"
        identity = int(entry.ids[row])
        if identity >= 0 and identity in seen:
            yield f"{where}: identity {identity} occurs twice in {entry.name} (first in line {seen[identity]})"
        seen.setdefault(identity, line)


def _differing_names(sources: Sequence[SourceReport]) -> list[str]:
    """Tell where sets call one class differently: `person` and `pedestrian` may be meant, `person` and `car` hardly."""
    names_of_each = [dict.fromkeys(names) for names in zip_longest(*(source.classes for source in sources))]
    return [
        f"class {number} is {' and '.join(known)}, learnt as one; if they differ, number them with the option `classes`"
        for number, names in enumerate(names_of_each)
        if len(known := [name for name in names if name is not None]) > 1
    ]


def _lines(source: SourceReport) -> Sequence[str]:
    if source.format == "synthetic" and not source.problems:
        return [
            f"{source.name}: {counted(source.images, 'image')} drawn when asked for, at most "
            f"{counted(source.identities, 'identity', 'identities')}"
        ]
    lines = [
        f"{source.name} ({source.format})",
        f"  {counted(source.images, 'image')} ({source.without_boxes} without objects), "
        f"{counted(source.boxes, 'box', 'boxes')}, {counted(source.ignored, 'region')} to ignore, "
        f"{counted(source.identities, 'identity', 'identities')}",
    ]
    if source.classes:
        lines.append("  classes: " + ", ".join(f"{name} {count}" for name, count in source.classes.items()))
    if source.image_sizes:
        (w1, h1), (w2, h2) = source.image_sizes
        lines.append(f"  image sizes: {w1}x{h1}" + (f" to {w2}x{h2}" if (w1, h1) != (w2, h2) else ""))
    if source.box_heights:
        low, median, high = source.box_heights
        lines.append(f"  box heights: {low:.0f} to {high:.0f} px, median {median:.0f}")
    lines += [f"  problem: {problem}" for problem in source.problems[:SHOWN]]
    if len(source.problems) > SHOWN:
        lines.append(f"  and {counted(len(source.problems) - SHOWN, 'more problem')}")
    return lines
