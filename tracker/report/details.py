"""The parts of the report that show where a tracker fails: timelines, switches, interruptions, false positives."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from tracker.evaluation.events import Switch
from tracker.evaluation.mot_challenge import SequenceData
from tracker.report.charts import legend_of_lanes, strip, timeline, timeline_data
from tracker.report.comparison import compare_identities
from tracker.report.runs import TrackerRun
from tracker.wording import agreed, counted

_MAX_PICTURES = 120  # switches shown with crops; the page stays a few megabytes
_MAX_DIFFERENCES = 16
_MAX_FALSE_POSITIVE_TRACKS = 12
_NONE = "<p class='soft'>None.</p>"


def table(header: Sequence[str], rows: Sequence[str], kind: str = "") -> str:
    """Return a table in a card that scrolls sideways where it must; rows are HTML."""
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    return f"<div class='card scroll {kind}'><table><tr>{head}</tr>{''.join(rows)}</table></div>"


def differences(runs: Sequence[TrackerRun]) -> str:
    """Return the identities on which the trackers differ most, each with a strip of its life."""
    found = compare_identities([run.events for run in runs], _MAX_DIFFERENCES)
    if not found:
        return ""
    by_name = {stories[0].name: stories for stories in zip(*(run.events for run in runs), strict=True)}
    rows = []
    for one in found:
        cells = (
            f"<td>{share:.0%}<br><span class='soft'>{counted(tracks, 'track')}</span></td>"
            for share, tracks in zip(one.shares, one.tracks, strict=True)
        )
        rows.append(
            f"<tr><td>{escape(one.sequence)}<br><span class='soft'>identity {one.identity}</span></td>"
            f"<td>{one.frames}</td>{''.join(cells)}"
            f"<td class='strip'>{strip(by_name[one.sequence], one.identity)}</td></tr>"
        )
    lanes = legend_of_lanes([run.name for run in runs])
    header = ("identity", "apart", *(run.name for run in runs), "its life")
    return (
        "<h2>Where they differ most</h2><p class='soft'>Identities by the boxes that one tracker matches and another "
        f"does not: share of the boxes matched, by how many tracks, and when. {lanes}</p>"
        f"<div class='lives' style='--columns:{len(runs) + 1}'>{table(header, rows)}</div>"
    )


def timelines(runs: Sequence[TrackerRun]) -> tuple[str, list[dict[str, object]]]:
    """Return the timelines of all sequences, and the data that the page's script needs for them."""
    names = [run.name for run in runs]
    parts = [
        "<h2>Every identity</h2><p class='soft'>A coloured bar: matched, one colour a track. A thin red line: there, "
        "but missed. An upright mark: it goes on under another track. On top: misses (red, upwards) and false "
        f"positives (grey, downwards) of every frame. {legend_of_lanes(names)}</p>"
    ]
    data = []
    for number, stories in enumerate(zip(*(run.events for run in runs), strict=True)):
        by_start = sorted(stories[0].present, key=lambda span: span.first)
        identities = list(dict.fromkeys(span.identity for span in by_start))
        switch_counts = " / ".join(str(len(story.switches)) for story in stories)
        gap_counts = " / ".join(str(len(story.gaps)) for story in stories)
        switches, gaps = len(stories[-1].switches), len(stories[-1].gaps)
        data.append(timeline_data(stories, names, identities))
        parts.append(
            f"<details class='card'{'' if number else ' open'}><summary>{escape(stories[0].name)} <span class='soft'>"
            f"{counted(len(identities), 'identity', 'identities')}, {switch_counts} "
            f"{agreed(switches, 'switch', 'switches')}, "
            f"{gap_counts} {agreed(gaps, 'interruption')}</span></summary>"
            f"{timeline(number, stories)}</details>"
        )
    return "".join(parts), data


def switches(run: TrackerRun, heading: str, images: str | Path | None) -> str:
    """Return all identity switches, and with images a picture before and after."""
    parts = []
    pictures_left = _MAX_PICTURES
    for data, story in zip(run.data, run.events, strict=True):
        if not story.switches:
            continue
        cards = [] if images is None else _switch_pictures(data, story.switches[:pictures_left], images)
        pictures_left -= len(cards)
        rows = [
            f"<tr><td>{s.frame}</td><td>{s.identity}</td><td>{s.previous_track}</td><td>{s.track}</td>"
            f"<td>{s.previous_frame}</td></tr>"
            for s in story.switches
        ]
        shown = f", pictures of the first {len(cards)}" if 0 < len(cards) < len(rows) else ""
        header = ("frame", "identity", "from track", "to track", "last matched")
        parts.append(
            f"<details{' open' if cards else ''}><summary>{escape(story.name)} <span class='soft'>{len(rows)}{shown}"
            f"</span></summary><div class='cards'>{''.join(cards)}</div>{table(header, rows, 'narrow')}</details>"
        )
    return heading + ("".join(parts) or _NONE)


def _switch_pictures(data: SequenceData, switches: Sequence[Switch], images: str | Path) -> list[str]:
    from tracker.report.crops import crop_as_data_url, find_frames  # opencv, only for pictures

    frames = find_frames(images, data.name)
    cards = []
    for switch in switches:
        halves = []
        for frame, track in ((switch.previous_frame, switch.previous_track), (switch.frame, switch.track)):
            row = (data.gt_frames == frame) & (data.gt_labels[data.gt_ids] == switch.identity)
            url = crop_as_data_url(frames[frame], data.gt_xywh[row][0]) if frame in frames else None
            if url:
                halves.append(
                    f"<div><img src='{url}' alt='identity {switch.identity} in frame {frame}'>"
                    f"<small>frame {frame}<br>track {track}</small></div>"
                )
        if len(halves) == 2:
            cards.append(
                f"<figure class='card'><figcaption>identity {switch.identity}</figcaption>"
                f"<div class='pair'>{''.join(halves)}</div></figure>"
            )
    return cards


def interruptions(run: TrackerRun, heading: str) -> str:
    """Return for each identity the frames in which it was lost in between, the most interrupted first."""
    parts = []
    for story in run.events:
        lost: dict[int, list[str]] = {}
        for gap in story.gaps:
            lost.setdefault(gap.identity, []).append(
                f"{gap.first}-{gap.last}" if gap.last > gap.first else f"{gap.first}"
            )
        most_first = sorted(lost.items(), key=lambda item: -len(item[1]))
        lines = "".join(f"<p><b>{identity}</b>: {', '.join(gaps)}</p>" for identity, gaps in most_first)
        if lines:
            parts.append(
                f"<details><summary>{escape(story.name)} <span class='soft'>{len(story.gaps)}, of {len(lost)} "
                f"identities</span></summary><div class='card columns'>{lines}</div></details>"
            )
    about = "<p class='soft'>Identity: the frames in which it was lost in between.</p>"
    return heading + (about + "".join(parts) if parts else _NONE)


def false_positive_tracks(run: TrackerRun, heading: str) -> str:
    """Return the tracks with the most false positives."""
    false_positives = (
        (boxes, story.name, track) for story in run.events for track, boxes in story.false_positive_tracks
    )
    worst = sorted(false_positives, reverse=True)[:_MAX_FALSE_POSITIVE_TRACKS]
    if not worst:
        return heading + _NONE
    rows = [f"<tr><td>{escape(name)}</td><td>{track}</td><td>{boxes}</td></tr>" for boxes, name, track in worst]
    return heading + table(("sequence", "track", "false positives"), rows, "narrow")
