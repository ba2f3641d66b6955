"""Plot what accuracy costs: milliseconds a picture against AP50, of shipped weights and of larger detectors.

    python tools/plot_frontier.py FOLDER_OF_DATA FOLDER_OF_TEACHERS docs/images/frontier

Every network detects in the frames of MOT17-mini, at several sizes. Then all are called in turns, so that all meet the
same machine, from pixels in memory to boxes in memory, with OpenVINO in float32. The least processor time of ten calls
counts, of all threads together: other work on the machine hardly changes it. Writes frontier.csv and frontier.png.
FOLDER_OF_TEACHERS holds detectors of Intel's Open Model Zoo, each in a folder of its name.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jsonargparse import auto_cli
from measure_weights import MINI, Find, average_precision, finder
from teacher import OpenVinoDetector

from centertrack.predictor import Predictor
from tracker.io.atomic import atomic_path

Size = tuple[int, int]
OURS: dict[str, list[Size]] = {
    "fairmot-nano": [(448, 256), (640, 384), (864, 480)],
    "fairmot-small": [(640, 384), (864, 480), (1088, 608)],
    "fairmot-base": [(864, 480), (1088, 608), (1280, 736)],
}
TEACHERS: dict[str, tuple[int, list[Size]]] = {  # label of the person, sizes
    "person-vehicle-bike-detection-2003": (1, [(640, 384), (864, 480), (1280, 736)]),
    "person-detection-0303": (0, [(864, 480), (1280, 736), (1920, 1088)]),
}
REPEATS = 10
LEAST_SCORE = 0.001


class Point(NamedTuple):
    """A network at a size.

    Attributes:
        name: Of the network.
        width, height: Of its input, pixels.
        milliseconds: Of processor time a picture.
        ap50: On MOT17-mini.
    """

    name: str
    width: int
    height: int
    milliseconds: float
    ap50: float


def plot_frontier(data: Path, teachers: Path, output: Path) -> None:
    """Measure, and write the table and the picture.

    Args:
        data: Folder that holds MOT17-mini/.
        teachers: Folder of detectors.
        output: Path without suffix.
    """
    networks = list(open_networks(teachers))
    precision = [average_precision(find, data / MINI) for _, _, find, _ in networks]
    speeds = processor_times([call for *_, call in networks])
    points = [Point(name, *size, ms, ap) for (name, size, *_), ms, ap in zip(networks, speeds, precision, strict=True)]
    output.parent.mkdir(parents=True, exist_ok=True)
    with (
        atomic_path(output.with_suffix(".csv")) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Point._fields)
        writer.writerows([*point[:3], f"{point.milliseconds:.1f}", f"{point.ap50:.3f}"] for point in points)
    with atomic_path(output.with_suffix(".png")) as temporary:
        draw(points, temporary)


def open_networks(teachers: Path) -> Iterator[tuple[str, Size, Find, Callable[[], object]]]:
    """Yield each network at each size: its name, the size, what finds people with it, and a call to time."""
    for name, sizes in OURS.items():
        for size in sizes:
            # MOT17 is 16:9, like these sizes up to multiples of 32: nobody may choose another shape
            predictor = Predictor(
                name, "cpu", "openvino", size, min_score=LEAST_SCORE, max_detections=500, precision="f32"
            )
            yield name, size, finder(predictor), partial(predictor.runtime, np.zeros((1, *size[::-1], 3), np.uint8))
    for name, (label, sizes) in TEACHERS.items():
        for size in sizes:
            detector = OpenVinoDetector(teachers / name / f"{name}.xml", size, LEAST_SCORE, label)
            yield name, size, detector, partial(detector.run, np.zeros((*size[::-1], 3), np.uint8))


def processor_times(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Return the least processor time of each call in milliseconds; they are called in turns."""
    times = np.zeros((REPEATS + 1, len(calls)))
    for row in times:
        for i, call in enumerate(calls):
            start = time.process_time()
            call()
            row[i] = 1e3 * (time.process_time() - start)
    return [float(least) for least in times[1:].min(axis=0)]  # the first round only warms up


def draw(points: list[Point], path: Path) -> None:
    """Draw a line a network, a mark a size."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(8, 4.8), layout="constrained")
    for name in dict.fromkeys(point.name for point in points):
        own = sorted((point for point in points if point.name == name), key=lambda point: point.milliseconds)
        style = "o-" if name in OURS else "s--"
        times, values = [point.milliseconds for point in own], [point.ap50 for point in own]
        axis.plot(times, values, style, linewidth=2 if name in OURS else 1.2, label=name)
        for point in own:
            text, place = f"{point.width}x{point.height}", (point.milliseconds, point.ap50)
            axis.annotate(text, place, xytext=(5, -11), textcoords="offset points", fontsize=7)
    axis.set(
        xscale="log", xlabel="milliseconds of processor time a picture, network alone", ylabel="AP50 on MOT17-mini"
    )
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter("{x:g}")
    axis.grid(alpha=0.3, which="both")
    axis.legend(loc="lower right", fontsize=8)
    figure.savefig(path, dpi=110, format="png")
    pyplot.close(figure)


if __name__ == "__main__":
    auto_cli(plot_frontier)
