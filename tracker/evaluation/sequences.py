"""Finding ground truth and results: whatever is there, without renaming anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import InputError
from tracker.evaluation.benchmarks import video_name
from tracker.io.mot import read_sequence_info
from tracker.io.names import clean_name
from tracker.io.track_formats import CVAT, FORMATS, MOT, guess_track_format

_DEPTH = 4  # folders to look into, below the one given


@dataclass(frozen=True, slots=True)
class SequenceFiles:
    """Where the two sides of a sequence lie.

    Attributes:
        name: Of the sequence.
        ground_truth: Its gt file.
        results: The tracker's file.
        length: Frames, as seqinfo.ini or the images say; None if nothing says.
        gt_format: Of the ground truth, one of FORMAT_NAMES.
        results_format: Of the results.
        results_name: Of the sequence in the tracker's file.
        top: The path that was given for the ground truth.
    """

    name: str
    ground_truth: Path
    results: Path
    length: int | None
    gt_format: str = MOT
    results_format: str = MOT
    results_name: str = ""
    top: Path | None = None


def find_sequences(
    ground_truth: str | Path,
    results: str | Path,
    sequences: Sequence[str] | None = None,
    gt_format: str | None = None,
    results_format: str | None = None,
) -> list[SequenceFiles]:
    """Pair every ground-truth file with the results of the same sequence.

    Args:
        ground_truth: A folder (at some depth) of sequence folders, one sequence folder, a folder of SEQUENCE.txt, or
            one gt file; or a file or folder of another format.
        results: A folder with SEQUENCE.txt in it or below, or one file where there is one sequence; or a file or folder
            of another format.
        sequences: Only these names.
        gt_format: One of FORMAT_NAMES; told by the files by default.
        results_format: Likewise.

    Raises:
        InputError: Something is missing; says what was found instead.
    """
    gt_path, results_path = Path(ground_truth), Path(results)
    gt_format = gt_format or guess_track_format(gt_path)
    found = _find_in_format(gt_path, gt_format)
    if sequences is not None:
        unknown = [name for name in sequences if name not in found]
        if unknown:
            raise InputError(
                f"no ground truth for {_listed(unknown)} in {ground_truth}; there is {_listed(list(found))}"
            )
        found = {name: found[name] for name in sequences}
    results_format = results_format or guess_track_format(results_path)
    files = _match_in_format(list(found), results_path, results_format)
    return [
        SequenceFiles(
            name, path, files[name][0], find_length(path), gt_format, results_format, files[name][1], gt_path.absolute()
        )
        for name, path in found.items()
    ]


def _find_in_format(path: Path, format_name: str) -> dict[str, Path]:
    """Return the file of the ground truth of every sequence by name."""
    if format_name in (MOT, CVAT):
        return find_ground_truth(path)
    if not path.exists():
        raise InputError(f"ground truth {path} does not exist")
    found = FORMATS[format_name].sequences(path)
    if not found:
        raise InputError(f"expected ground truth in the format {format_name} in {path}, found none")
    return found


def _match_in_format(names: list[str], path: Path, format_name: str) -> dict[str, tuple[Path, str]]:
    """Return the file of the results of every sequence, and what the sequence is called in it."""
    known = FORMATS.get(format_name)
    if known is None or known.is_text or not path.exists():
        return {name: (file, name) for name, file in match_results(names, path).items()}
    found = known.sequences(path)
    if not found and format_name == "coco":  # a list of results, which means the images of the ground truth
        return {name: (path, name) for name in names}
    if len(names) == 1 and len(found) == 1:
        ((name, file),) = found.items()
        return {names[0]: (file, name)}
    own = {name: next((one for one in _file_names(name) if one in found), None) for name in names}
    missing = [name for name, one in own.items() if one is None]
    if missing:
        raise InputError(f"no results for {_listed(missing)} in {path}; there is {_listed(list(found)) or 'nothing'}")
    return {name: (found[one], one) for name, one in own.items() if one is not None}


def find_ground_truth(path: Path) -> dict[str, Path]:
    """Return the gt file of every sequence by name."""
    if path.is_file():
        is_in_sequence = path.parent.name == "gt" and path.stem.startswith("gt")
        return {path.resolve().parents[1].name if is_in_sequence else path.stem: path}
    if not path.is_dir():
        raise InputError(f"ground truth {path} does not exist")
    inside = _sequence_folders(path, _DEPTH)
    if inside:
        return {folder.resolve().name: folder / "gt" / "gt.txt" for folder in inside}
    flat = {file.stem: file for file in sorted(path.glob("*.txt"))}
    if not flat:
        raise InputError(f"expected sequence folders with gt/gt.txt, or SEQUENCE.txt files, in {path}; found neither")
    return flat


def find_length(ground_truth: Path) -> int | None:
    """Return the number of frames of a gt file's sequence folder; None if there is no such folder or nothing says."""
    folder = ground_truth.parent.parent
    if ground_truth.parent.name != "gt" or not ((folder / "seqinfo.ini").is_file() or (folder / "img1").is_dir()):
        return None
    return read_sequence_info(folder).length


def _sequence_folders(folder: Path, depth: int) -> list[Path]:
    if (folder / "gt" / "gt.txt").is_file():
        return [folder]
    if depth == 0:
        return []
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    return [found for path in inside for found in _sequence_folders(path, depth - 1)]


def match_results(names: list[str], results: Path) -> dict[str, Path]:
    """Return the results of each sequence: one file for one sequence, or SEQUENCE.txt in a folder or below.

    Raises:
        InputError: A sequence has none, or several.
    """
    if results.is_file():
        if len(names) > 1:
            raise InputError(
                f"results {results} is one file, but there are {len(names)} sequences ({_listed(names)}); "
                "give a folder of SEQUENCE.txt, or choose one sequence"
            )
        return {names[0]: results}
    if not results.is_dir():
        raise InputError(f"results {results} does not exist")
    files = sorted(path for path in results.rglob("*.txt") if path.is_file())
    matched = {name: _choose(name, files, results) for name in names}
    missing = [name for name, path in matched.items() if path is None]
    if missing:
        there = _listed([path.stem for path in files]) if files else "no txt file"
        raise InputError(
            f"no results for {_listed(missing)} in {results}; there is {there}. A sequence without boxes needs an "
            "empty file; or choose the sequences to evaluate"
        )
    return {name: path for name, path in matched.items() if path is not None}


def _choose(name: str, files: list[Path], results: Path) -> Path | None:
    """Return SEQUENCE.txt; failing that, the file of the same video without the name of the public detector."""
    for wanted in _file_names(name):
        fitting = [path for path in files if path.stem == wanted]
        nearest = min((len(path.parts) for path in fitting), default=0)
        fitting = [path for path in fitting if len(path.parts) == nearest]
        if len(fitting) > 1:
            raise InputError(
                f"{wanted}.txt occurs {len(fitting)} times in {results}: {_listed(list(map(str, fitting)))}"
            )
        if fitting:
            return fitting[0]
    return None


def _file_names(name: str) -> tuple[str, ...]:
    """Return what the results of a sequence may be called."""
    return name, video_name(name), clean_name(name)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return ", ".join(names[:8]) + more
