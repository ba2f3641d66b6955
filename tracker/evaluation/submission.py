"""A submission as MOTChallenge's server wants it: one checked zip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from tracker.errors import InputError
from tracker.evaluation.benchmarks import DANCETRACK_TEST_VIDEOS, TEST_SEQUENCES, video_name
from tracker.evaluation.format_check import validate
from tracker.io.atomic import atomic_path
from tracker.wording import counted


@dataclass(frozen=True, slots=True)
class Submission:
    """What was packed.

    Attributes:
        path: The zip.
        members: Name in the zip to the file it was made from.
    """

    path: Path
    members: dict[str, Path]

    def summary(self) -> str:
        """Return one line."""
        sources = len(set(self.members.values()))
        copies = f", made from {counted(sources, 'file')}" if sources < len(self.members) else ""
        return f"{self.path}: {counted(len(self.members), 'sequence')}{copies}"


def pack_submission(results: str | Path, output: str | Path, benchmark: str) -> Submission:
    """Pack the results of a benchmark's test set into a zip, after checking every row.

    MOT17 has three names for each video, one for each public detector: a result of a video under one name only
    (MOT17-01.txt, or MOT17-01-FRCNN.txt alone) is packed under all three.

    Args:
        results: Folder with a txt file for each test sequence.
        output: The zip to write.
        benchmark: MOT15, MOT16, MOT17, MOT20 or DanceTrack.

    Raises:
        InputError: A sequence is missing, or a row breaks the format; names the first ones.
    """
    results = Path(results)
    if not results.is_dir():
        raise InputError(f"expected a folder of SEQUENCE.txt, got {results}, which is not a folder")
    files = {path.stem: path for path in sorted(results.glob("*.txt"))}
    if benchmark == "DanceTrack":
        members = _dancetrack_members(files, results)
    elif benchmark in TEST_SEQUENCES:
        members = _mot_members(files, results, benchmark)
    else:
        raise InputError(f"expected a benchmark of {', '.join(TEST_SEQUENCES)}, DanceTrack, got {benchmark}")
    for path in dict.fromkeys(members.values()):
        report = validate(path, kind="results")
        if not report.is_valid:
            raise InputError(f"{report.violations[0]} ({report.summary()}; `centertrack validate --fix` cleans it)")
    with atomic_path(output) as temporary, ZipFile(temporary, "w", ZIP_DEFLATED) as archive:
        for name, path in members.items():
            archive.writestr(ZipInfo(name), path.read_bytes(), ZIP_DEFLATED)  # without the time: same results, same zip
    return Submission(Path(output), members)


def _mot_members(files: dict[str, Path], results: Path, benchmark: str) -> dict[str, Path]:
    of_video: dict[str, list[Path]] = {}
    for name, path in files.items():
        of_video.setdefault(video_name(name), []).append(path)
    members, missing = {}, []
    for name in TEST_SEQUENCES[benchmark]:
        others = of_video.get(video_name(name), [])
        if name in files:
            members[f"{name}.txt"] = files[name]
        elif len(others) == 1:
            members[f"{name}.txt"] = others[0]
        else:
            missing.append(name)
    if missing:
        raise InputError(
            f"a submission to {benchmark} needs {len(TEST_SEQUENCES[benchmark])} sequences; {results} lacks "
            f"{', '.join(missing)} (a sequence without boxes needs an empty file)"
        )
    return members


def _dancetrack_members(files: dict[str, Path], results: Path) -> dict[str, Path]:
    members = {f"tracker/{name}.txt": path for name, path in files.items() if name.startswith("dancetrack")}
    if len(members) != DANCETRACK_TEST_VIDEOS:
        raise InputError(
            f"a submission to DanceTrack needs {DANCETRACK_TEST_VIDEOS} files dancetrackNNNN.txt; "
            f"{results} holds {len(members)}"
        )
    return members
