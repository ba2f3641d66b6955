"""Run a tracker over the detections of another program, without frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tracker.errors import InputError
from tracker.factory import make_tracker
from tracker.io.detected import DetectedSequence
from tracker.io.detected_coco import read_coco_detections
from tracker.io.detected_mot import read_detection_file, read_sequence_detections
from tracker.io.detected_yolo import find_label_files, read_yolo_detections
from tracker.io.mot import MotWriter
from tracker.io.names import clean_name, refuse_labels
from tracker.postprocess import postprocess, record


def associate(
    sources: Sequence[str | Path],
    tracker: str,
    results: str | Path,
    offline: Sequence[str] = (),
    image_size: tuple[int, int] | None = None,
    **options: Any,
) -> dict[str, Path]:
    """Run a tracker over the detections of sequences and write MOTChallenge rows.

    Every sequence starts with a fresh tracker at the sequence's own frame rate. All of its frames are visited, also
    those without detections. Where detections have several classes, the rows tell them.

    Args:
        sources: See `read_detected`.
        tracker: A name of `tracker.TRACKERS`; it must not need embeddings or frames, of which there are none.
        results: Folder for one NAME.txt a sequence; made if missing.
        offline: Steps of `tracker.postprocess.STEPS` to better each sequence afterwards.
        image_size: Width and height of the images of YOLO labels.
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
            sequences[name] = sequence
    return {
        name: _associate_one(sequence, tracker, Path(results, f"{name}.txt"), offline, options)
        for name, sequence in sequences.items()
    }


def _associate_one(
    sequence: DetectedSequence, tracker: str, path: Path, offline: Sequence[str], options: dict[str, Any]
) -> Path:
    rate = {} if sequence.frame_rate is None else {"frame_rate": sequence.frame_rate}
    follower = make_tracker(tracker, **{**rate, **options})
    tracks = ((number, follower.update(detections)) for number, detections in sequence)
    refuse_labels(path)
    if offline:
        postprocess(record(tracks), offline, follower.options.frame_rate).write(path, sequence.has_classes)
        return path
    with MotWriter(path, sequence.has_classes) as writer:
        for number, found in tracks:
            writer.write(number, found)
    return path


def read_detected(source: str | Path, image_size: tuple[int, int] | None = None) -> list[DetectedSequence]:
    """Read what another program has detected, in whatever form it wrote it.

    Args:
        source: A MOTChallenge sequence folder with det/det.txt, a .txt file in its format, COCO JSON (a list of
            results, or what `centertrack detect` writes), or a folder of YOLO label files.
        image_size: Width and height of the images of YOLO labels, where nothing else tells.

    Raises:
        InputError: It is none of these, or broken; with file and line.
    """
    path = Path(source)
    if path.suffix.lower() == ".json":
        return read_coco_detections(path)
    if path.suffix.lower() == ".txt" and not path.is_dir():
        folder = path.parent.parent
        is_in_sequence = path.parent.name == "det" and (folder / "seqinfo.ini").is_file()
        return [read_sequence_detections(folder) if is_in_sequence else read_detection_file(path)]
    if path.is_dir() and not (path / "det").is_dir() and find_label_files(path):
        return [read_yolo_detections(path, image_size)]
    return [read_sequence_detections(path)]
