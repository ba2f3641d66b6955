"""Run a tracker over the detections of another program, without frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracker.errors import InputError
from tracker.factory import make_tracker
from tracker.io.detected import DetectedSequence
from tracker.io.detected_coco import read_coco_detections
from tracker.io.detected_mot import read_detection_file, read_sequence_detections
from tracker.io.detected_yolo import find_label_files, read_yolo_detections
from tracker.io.json_file import cached_json
from tracker.io.names import STANDARD_OUTPUT, clean_name, refuse_labels
from tracker.io.sequence_table import SequenceTable
from tracker.io.track_formats import OWN_FORMATS, guess_track_format
from tracker.io.track_writer import TrackedSource
from tracker.io.track_writers import WRITERS, check_tracks_format, open_tracks
from tracker.io.tracks_json import is_json_tracks
from tracker.postprocess import postprocess, record


def associate(
    sources: Sequence[str | Path],
    tracker: str,
    results: str | Path,
    offline: Sequence[str] = (),
    image_size: tuple[int, int] | None = None,
    classes: Sequence[str | int] | None = None,
    coasting: bool = True,
    **options: Any,
) -> dict[str, Path]:
    """Run a tracker over the detections of sequences and write its tracks.

    Every sequence starts with a fresh tracker at the sequence's own frame rate. All of its frames are visited, also
    those without detections. Where detections have several classes, the rows tell them.

    Args:
        sources: See `read_detected`.
        tracker: A name of `tracker.TRACKERS`; it must not need embeddings or frames, of which there are none.
        results: Folder for one NAME.txt a sequence, made if missing; a file for one sequence, whose suffix says the
            format (see `tracker.io.track_writers`), or `-` for standard output; or a file name in which `*` stands for
            the name of the sequence.
        offline: Steps of `tracker.postprocess.STEPS` to better each sequence afterwards.
        image_size: Width and height of the images of YOLO labels.
        classes: Only detections of these, as in `DetectedSequence.of_classes`.
        coasting: Write also where tracks are by their motion while they are not detected, as far as the tracker tells.
        options: Options of the tracker.

    Returns:
        Name of each sequence, as `clean_name` makes it -> the file written.

    Raises:
        InputError: A folder, file, row or option cannot be used; nothing has been written if two sequences have the
            same name, or one cannot be read.
    """
    if not sources:
        raise InputError("expected at least one sequence, got none")
    make_tracker(tracker, **options)  # a typo shows before the first file is read
    postprocess(record(()), offline)
    sequences: dict[str, DetectedSequence] = {}
    for source in sources:
        for sequence in read_detected(source, image_size):
            name = clean_name(sequence.name)
            if name in sequences:
                raise InputError(f"several sources hold sequence {name}, and their results would have the same name")
            sequences[name] = sequence if classes is None else sequence.of_classes(classes)
    paths = name_results(str(results), list(sequences))
    for name, sequence in sequences.items():
        _associate_one(sequence, tracker, paths[name], offline, coasting, options)
    return paths


def name_results(results: str, names: Sequence[str]) -> dict[str, Path]:
    """Return the file of each sequence.

    Args:
        results: As of `associate`.
        names: Of the sequences.

    Raises:
        InputError: One file is given for several sequences, or there is no such format.

    >>> name_results("out", ["a", "b"])["b"].as_posix(), name_results("out/*.csv", ["a"])["a"].as_posix()
    ('out/b.txt', 'out/a.csv')
    """
    path = Path(results)
    if results != STANDARD_OUTPUT and (results.endswith(("/", os.sep)) or path.is_dir() or not path.suffix):
        return {name: path / f"{name}.txt" for name in names}
    if results != STANDARD_OUTPUT and path.suffix.lower() not in WRITERS:
        raise InputError(f"{results}: expected a file name ending in {', '.join(WRITERS)}, or a folder with a slash")
    check_tracks_format(results)
    if "*" in path.name:
        return {name: path.with_name(path.name.replace("*", name)) for name in names}
    if len(names) > 1:
        raise InputError(
            f"{len(names)} sequences need a folder, or a name with a * for theirs, and the results are one file, "
            f"{results}"
        )
    return dict.fromkeys(names, path)


def _associate_one(
    sequence: DetectedSequence,
    tracker: str,
    path: Path,
    offline: Sequence[str],
    coasting: bool,
    options: dict[str, Any],
) -> None:
    rate = {} if sequence.frame_rate is None else {"frame_rate": sequence.frame_rate}
    follower = make_tracker(tracker, **{**rate, **options})
    known_rate = {**rate, **options}.get("frame_rate")
    refuse_labels(path)
    found = ((number, follower.update(detections)) for number, detections in sequence)
    shown = ((number, tracks if coasting else tracks[tracks.seen]) for number, tracks in found)
    better = postprocess(record(shown), offline, follower.options.frame_rate) if offline else shown
    writer = open_tracks(path, _described(sequence, known_rate))
    try:
        for number, tracks in better:
            writer.write(number, tracks, (number - 1) / known_rate if known_rate else None)
    except BaseException:
        writer.abandon()
        raise
    writer.close()


def _described(sequence: DetectedSequence, frame_rate: float | None) -> TrackedSource:
    names = [sequence.names.get(number, f"class {number}") for number in range(1, max(sequence.names, default=0) + 1)]
    return TrackedSource(sequence.name, frame_rate, None, names, sequence.has_classes)


def read_detected(source: str | Path, image_size: tuple[int, int] | None = None) -> list[DetectedSequence]:
    """Read what another program has detected, in whatever form it wrote it.

    Args:
        source: A MOTChallenge sequence folder with det/det.txt, a .txt file in its format, COCO JSON (a list of
            results, or what `centertrack detect` writes), a folder of YOLO label files, or the tracks that `track`
            writes in one of its formats, whose ids do not matter.
        image_size: Width and height of the images of YOLO labels, where nothing else tells.

    Raises:
        InputError: It is none of these, or broken; with file and line.
    """
    path = Path(source)
    suffix = path.suffix.lower()
    is_own = suffix in (".csv", ".jsonl", ".parquet") or (suffix == ".json" and is_json_tracks(cached_json(path)))
    if is_own and (format_name := guess_track_format(path)) in OWN_FORMATS:
        return [_of_tracks(path, OWN_FORMATS[format_name].results(path, path.stem))]
    if suffix == ".json":
        return read_coco_detections(path)
    if suffix == ".txt" and not path.is_dir():
        folder = path.parent.parent
        is_in_sequence = path.parent.name == "det" and (folder / "seqinfo.ini").is_file()
        return [read_sequence_detections(folder) if is_in_sequence else read_detection_file(path)]
    if path.is_dir() and not (path / "det").is_dir() and find_label_files(path):
        return [read_yolo_detections(path, image_size)]
    return [read_sequence_detections(path)]


def _of_tracks(path: Path, table: SequenceTable) -> DetectedSequence:
    table.rows.warn_of_no_size("are left out")
    kept = table.rows.have_size
    rows = table.rows.where(kept)
    return DetectedSequence.of(
        path.stem,
        table.frame_rate,
        table.length or int(rows.frames.max(initial=0)),
        rows.frames,
        rows.boxes_xyxy,
        table.scores[kept],
        rows.classes if (rows.classes > 0).any() else None,
        path,
        table.names,
    )
