"""One self-contained HTML page: the scores, and where the tracker fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from tracker.errors import InputError
from tracker.evaluation.evaluator import Protocol
from tracker.evaluation.hota import ALPHAS
from tracker.evaluation.result import COMBINED, TABLE_METRICS, EvaluationResult
from tracker.evaluation.scores import PERCENTAGES
from tracker.evaluation.sequences import find_sequences
from tracker.io.atomic import atomic_path
from tracker.io.names import ODD_NAMES
from tracker.report.charts import bar_groups, curve_chart, legend
from tracker.report.details import differences, false_positive_tracks, interruptions, switches, table, timelines
from tracker.report.runs import TrackerRun, load_run
from tracker.report.style import REPORT_SCRIPT, STYLE, TRACK_COLOURS, script_json, timeline_script
from tracker.wording import counted

_TILES = ("HOTA", "DetA", "AssA", "MOTA", "IDF1", "IDSW")
_LOWER_IS_BETTER = ("IDSW", "FP", "FN", "ML", "Frag")
_NEITHER_IS_BETTER = ("GT_IDs", "IDs")


def write_report(
    path: str | Path,
    gt: str | Path,
    results: Mapping[str, str | Path],
    benchmark: str | None = None,
    sequences: Sequence[str] | None = None,
    frames: str | None = None,
    images: str | Path | None = None,
    workers: int = 1,
    labelled_frames: str = "auto",
    classes: Sequence[str | int] | None = None,
    flagged: bool = False,
    gt_format: str | None = None,
    results_format: str | None = None,
    intervals: bool = False,
) -> dict[str, EvaluationResult]:
    """Evaluate one tracker or several on the same ground truth and write the page.

    Args:
        path: The HTML file to write; it opens offline.
        gt: Ground truth, as in `evaluate`.
        results: By tracker name, as in `evaluate`; the first is the one that the details are about.
        benchmark: As in `evaluate`.
        sequences: As in `evaluate`.
        frames: As in `evaluate`.
        images: Folder of sequence folders (or of one sequence's images), for pictures of the switches.
        workers: As in `evaluate`.
        labelled_frames: As in `evaluate`.
        classes: As in `evaluate`; a report shows one class.
        flagged: As in `evaluate`.
        gt_format: As in `evaluate`.
        results_format: As in `evaluate`.
        intervals: As in `evaluate`.

    Returns:
        The scores of each tracker.

    Raises:
        InputError: As `evaluate`, there is no tracker, or several classes are scored.
    """
    if not results:
        raise InputError("a report needs the results of at least one tracker")
    protocol = Protocol.of(benchmark, frames, labelled_frames, classes, flagged)
    runs = [
        load_run(
            name,
            gt,
            folder,
            find_sequences(gt, folder, sequences, gt_format, results_format),
            protocol,
            workers,
            intervals,
        )
        for name, folder in results.items()
    ]
    with atomic_path(path) as temporary:
        temporary.write_text(render_report(runs, images), encoding="utf-8", errors=ODD_NAMES)
    return {run.name: run.result for run in runs}


def render_report(runs: Sequence[TrackerRun], images: str | Path | None = None) -> str:
    """Return the page's HTML."""
    timeline_html, timeline_data = timelines(runs)
    body = [
        _header(runs),
        _comparison_table(runs) if len(runs) > 1 else _tiles(runs[0]),
        *(_sequence_table(run, _heading("Scores", run, runs)) for run in runs),
        _charts_of_one(runs[0]) if len(runs) == 1 else _charts_of_several(runs),
        differences(runs) if len(runs) > 1 else "",
        timeline_html,
        *(switches(run, _heading("Identity switches", run, runs), images) for run in runs),
        *(interruptions(run, _heading("Interruptions", run, runs)) for run in runs),
        *(false_positive_tracks(run, _heading("Tracks with the most false positives", run, runs)) for run in runs),
    ]
    title = escape(" / ".join(run.name for run in runs))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}: tracking report</title><style>{STYLE}</style></head>\n<body><main>"
        f"{chr(10).join(body)}\n</main>"
        f'<script type="application/json" id="timelines">{script_json(timeline_data)}</script>'
        f'<script type="application/json" id="colours">{script_json(TRACK_COLOURS)}</script>'
        f"<script>{timeline_script()}{REPORT_SCRIPT}</script></body></html>\n"
    )


def _header(runs: Sequence[TrackerRun]) -> str:
    counts = runs[0].result.combined.counts
    names = " against ".join(escape(run.name) for run in runs)
    return (
        f"<h1>{names}</h1><p class='soft'>{counted(len(runs[0].data), 'sequence')}, "
        f"{counted(counts.frames, 'frame', commas=True)}, "
        f"{counted(counts.gt_ids, 'identity', 'identities', commas=True)}, "
        f"{counted(counts.gt_dets, 'ground-truth box', 'ground-truth boxes', commas=True)} after preprocessing</p>"
        + "".join(f"<p class='soft'>{escape(remark)}</p>" for remark in runs[0].result.remarks())
    )


def _cell(name: str, value: float) -> str:
    return f"{100 * value:.2f}" if name in PERCENTAGES else f"{value:,}"


def _tiles(run: TrackerRun) -> str:
    metrics = run.result.combined.metrics()
    tiles = (
        f"<div class='card'><span class='soft'>{name}</span><b>{_cell(name, metrics[name])}</b></div>"
        for name in _TILES
    )
    return f"<div class='tiles'>{''.join(tiles)}</div>"


def _comparison_table(runs: Sequence[TrackerRun]) -> str:
    metrics = [run.result.combined.metrics() for run in runs]
    best = {}
    for name in TABLE_METRICS:
        if name not in _NEITHER_IS_BETTER:
            pick = min if name in _LOWER_IS_BETTER else max
            best[name] = pick(one[name] for one in metrics)
    rows = []
    for run, values in zip(runs, metrics, strict=True):
        cells = (
            f"<td{' class=best' if values[name] == best.get(name) else ''}>{_cell(name, values[name])}</td>"
            for name in TABLE_METRICS
        )
        rows.append(f"<tr><td>{escape(run.name)}</td>{''.join(cells)}</tr>")
    return f"<h2>All sequences together</h2>{table(('tracker', *TABLE_METRICS), rows)}"


def _sequence_table(run: TrackerRun, heading: str) -> str:
    header, *cells = run.result.rows()
    rows = [
        f"<tr{' class=total' if row[0] == COMBINED else ''}>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
        for row in cells
    ]
    return heading + table(header, rows)


def _heading(text: str, run: TrackerRun, runs: Sequence[TrackerRun]) -> str:
    return f"<h2>{text}{f': {escape(run.name)}' if len(runs) > 1 else ''}</h2>"


def _charts_of_one(run: TrackerRun) -> str:
    curves = run.result.combined.curves()
    shown = {name: curves[name] for name in ("HOTA", "DetA", "AssA")}
    metrics = ("HOTA", "MOTA", "IDF1")
    bars = {name: [scores.metrics()[metric] for metric in metrics] for name, scores in run.result.sequences.items()}
    return (
        "<div class='halves'>"
        f"<div><h2>Over the localisation threshold</h2><div class='card charts'>{legend(shown)}"
        f"{curve_chart('', ALPHAS, shown)}</div></div>"
        f"<div><h2>Sequence by sequence</h2><div class='card'>{legend(metrics)}{bar_groups(bars)}</div></div></div>"
    )


def _charts_of_several(runs: Sequence[TrackerRun]) -> str:
    curves = {run.name: run.result.combined.curves() for run in runs}
    charts = "".join(
        curve_chart(metric, ALPHAS, {name: values[metric] for name, values in curves.items()})
        for metric in ("HOTA", "DetA", "AssA")
    )
    bars = {
        sequence: [float(run.result.sequences[sequence].hota.hota.mean()) for run in runs]
        for sequence in runs[0].result.sequences
    }
    apart = dict(sorted(bars.items(), key=lambda item: min(item[1]) - max(item[1])))
    return (
        "<h2>Over the localisation threshold</h2>"
        f"<div class='card'>{legend(curves)}<div class='charts'>{charts}</div></div>"
        "<h2>HOTA by sequence, the largest difference first</h2>"
        f"<div class='card'>{legend(curves)}{bar_groups(apart)}</div>"
    )
