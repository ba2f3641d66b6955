"""Which file each source's output goes to."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from tracker.errors import InputError
from tracker.io.atomic import BusyError, PendingFile
from tracker.io.frames import IMAGE_EXTENSIONS
from tracker.io.names import STANDARD_OUTPUT, clean_name, refuse_labels

DEFAULT_FOLDER = Path("runs")
TRACK_SUFFIXES = (".txt", ".csv", ".json", ".jsonl", ".parquet")  # of `tracker.io.track_writers`, which needs numpy
PICTURES = (*IMAGE_EXTENSIONS, ".mp4", ".m4v", ".mov", ".mkv")


@dataclass(frozen=True)
class OutputKind:
    """One of the things a command writes.

    Attributes:
        name: Of its option, such as `results` for --results.
        suffix: Of its files, such as `.txt`; of what is a folder, a file in it: `/data.yaml`.
        given: What the user said: a file, a folder, or None.
        allowed: Suffixes that a given file may have, so that a slip does not replace an image by rows.
        goes_to_standard_output: Whether `-` may be given for that.
        keeps: Whether what lies in a given folder is kept, and a number added to the name: labels may have been
            corrected.
        always: Whether it is written, to `runs/`, also where others are given and it is not.
    """

    name: str
    suffix: str
    given: str | None
    allowed: tuple[str, ...]
    goes_to_standard_output: bool = False
    keeps: bool = False
    always: bool = False


class OutputPlan:
    """Names the outputs of one source after the other, no two alike.

    With no output given, all kinds go to `runs/`, beside what is there. A given output is a file (one source only) or a
    folder: what exists as one, ends in a slash or has no suffix. In the name of a file, `*` stands for the source.

    Outputs never overwrite a source or the labels of a sequence, and no video is written among a source's images.

    Args:
        kinds: What the command can write.
        sources: All sources.
        others: Further files that no output may replace.

    Raises:
        InputError: A file is given for several sources, two outputs are the same file, or a suffix is not allowed.

    Names are reserved when they are chosen, so that runs side by side choose different ones; `release` gives back those
    that were not used. Sources that are processed at once may ask from threads of their own.

    >>> plan = OutputPlan([OutputKind("results", ".txt", "out/", (".txt", ".csv"))], ["a/cam.mp4", "b/cam.mp4"])
    >>> [plan.paths_for(name)["results"].as_posix() for name in ("cam", "cam")]
    ['out/cam.txt', 'out/cam-2.txt']
    """

    def __init__(self, kinds: Sequence[OutputKind], sources: Sequence[str], others: Sequence[str] = ()) -> None:
        self._is_default = all(kind.given is None for kind in kinds)
        self._is_alone = len(sources) <= 1
        self._kinds = [kind for kind in kinds if self._is_default or kind.given is not None or kind.always]
        local = [source for source in (*sources, *others) if "://" not in source]
        self._sources = {_resolved(Path(source)) for source in local}
        self._folders = {_resolved(folder) for source in local for folder in _image_folders(source)}
        self._taken: set[Path] = set()
        self._reserved: dict[Path, PendingFile] = {}
        self._choosing = Lock()
        files = [kind for kind in self._kinds if kind.given is not None and not _is_folder(kind.given)]
        alone = [kind for kind in files if "*" not in Path(kind.given or "").name]
        if len(sources) > 1 and alone:
            if alone[0].given == STANDARD_OUTPUT:
                raise InputError(f"{len(sources)} sources do not go to standard output together; give one")
            raise InputError(
                f"{len(sources)} sources need a folder for --{alone[0].name}, got the file {alone[0].given}; "
                f"end it with a slash: {Path(alone[0].given or '').with_suffix('')}/"
            )
        for kind in files:
            if kind.given == STANDARD_OUTPUT and kind.goes_to_standard_output:
                continue
            if Path(kind.given or "").suffix.lower() not in kind.allowed:
                raise InputError(
                    f"--{kind.name} {kind.given}: expected a file name ending in {', '.join(kind.allowed)}, "
                    "or a folder with a slash at its end"
                )
        if len({Path(kind.given or "").resolve() for kind in files}) < len(files):
            raise InputError(f"{' and '.join(f'--{kind.name}' for kind in files)} name the same file: {files[0].given}")

    def paths_for(self, source_name: str, photos: bool = False) -> Mapping[str, Path]:
        """Return the path of each kind for the next source.

        Args:
            source_name: Of the source.
            photos: Whether it is a folder of photos, whose pictures go to a folder given for --video, one each.

        Raises:
            InputError: One of them is a source or holds labels, or cannot be written.
        """
        stem = clean_name(source_name, "source")
        pictures = self._pictures_folder(stem) if photos else None
        number = 1
        with self._choosing:
            while (paths := self._candidate(stem, number, pictures)) is None or not self._reserve(paths, pictures):
                number += 1
        return paths

    def _pictures_folder(self, stem: str) -> Path | None:
        """Return where the pictures of photos go; None where a file, or nothing, is given for them."""
        given = next((kind.given for kind in self._kinds if kind.name == "video"), None)
        if given is None or not _is_folder(given):
            return None
        return Path(given) if self._is_alone else Path(given, stem)

    def _reserve(self, paths: Mapping[str, Path], pictures: Path | None) -> bool:
        """Reserve names, before any output is opened and so before any earlier one of its name is replaced.

        Returns:
            Whether they are free; a given file that another process is writing is an error.
        """
        if pictures is not None and _resolved(pictures) in self._folders:
            raise InputError(f"{pictures} holds the images of the source; choose another folder for the pictures")
        files = [path for path in paths.values() if path != pictures and str(path) != STANDARD_OUTPUT]
        for path in files:
            self._check(path)
        reserved = {}
        with ExitStack() as undo:
            try:
                for path in files:
                    reserved[_key(path)] = PendingFile(path, exclusive=True)
                    undo.callback(reserved[_key(path)].discard)
            except BusyError:
                if any(kind.given is not None and not _is_folder(kind.given) for kind in self._kinds):
                    raise
                return False
            if any(paths[kind.name].exists() for kind in self._kinds if kind.given is None):  # just now, by another run
                return False
            undo.pop_all()
        self._reserved.update(reserved)
        self._taken.update(_key(path) for path in paths.values())
        return True

    def _check(self, path: Path) -> None:
        if _resolved(path) in self._sources:
            raise InputError(f"{path} is a source and would be overwritten; choose another output")
        refuse_labels(path)
        if path.suffix.lower() in PICTURES and _resolved(path).parent in self._folders:
            raise InputError(f"{path} lies among the images of the source; choose another folder for it")

    def release(self, paths: Iterable[Path]) -> None:
        """Give back those of the reserved names that nothing was written under."""
        with self._choosing:
            for path in paths:
                if (reserved := self._reserved.pop(_key(path), None)) is not None:
                    reserved.discard()

    def _candidate(self, stem: str, number: int, pictures: Path | None) -> dict[str, Path] | None:
        """Name the outputs with a number added from 2 on; None if one of the names is taken."""
        paths = {}
        for kind in self._kinds:
            if pictures is not None and kind.name == "video":
                paths[kind.name] = pictures if self._is_alone or number == 1 else Path(f"{pictures}-{number}")
                if _key(paths[kind.name]) in self._taken:
                    return None
                continue
            name = f"{stem}{kind.suffix}" if number == 1 else f"{stem}-{number}{kind.suffix}"
            if kind.given is not None and not _is_folder(kind.given):
                given = Path(kind.given)
                path = given.with_name(given.name.replace("*", name.removesuffix(kind.suffix)))
                if "*" in given.name and _key(path) in self._taken:
                    return None
                paths[kind.name] = path
                continue
            path = Path(kind.given or DEFAULT_FOLDER, name)
            labels = Path(kind.given or DEFAULT_FOLDER, name.removesuffix(kind.suffix)) if "/" in kind.suffix else path
            if _key(path) in self._taken or ((kind.given is None or kind.keeps) and labels.exists()):
                return None
            paths[kind.name] = path
        return paths


def check_suffix(option: str, given: str | None, suffix: str) -> None:
    """Refuse a file name that promises another format; /dev/stdout and the like may have any.

    Raises:
        InputError: Such a name.

    >>> check_suffix("--json", "scores.JSON", ".json"), check_suffix("--json", "/dev/stdout", ".json")
    (None, None)
    """
    if given is not None and Path(given).suffix.lower() != suffix and not given.startswith("/dev/"):
        raise InputError(f"{option} {given}: expected a file name ending in {suffix}")


def _is_folder(given: str) -> bool:
    if given == STANDARD_OUTPUT:
        return False
    return given.endswith(("/", os.sep)) or Path(given).is_dir() or not Path(given).suffix


def _image_folders(source: str) -> list[Path]:
    """Return the folders that a folder, a sequence folder, a glob or an image takes its images from."""
    path = Path(source)
    if path.is_dir():
        return [path, path / "img1"]
    if not path.exists():
        base = Path(path.anchor or ".")
        with suppress(ValueError):  # no pattern: `open_source` says so
            return [found.parent for found in base.glob(source[len(path.anchor) :])] if glob.has_magic(source) else []
        return []
    return [path.parent] if path.suffix.lower() in IMAGE_EXTENSIONS else []


def _key(path: Path) -> Path:
    """Tell paths apart as a file system does that ignores case."""
    return Path(str(_resolved(path)).casefold())


def _resolved(path: Path) -> Path:
    """Return the file that a path leads to; a link that leads to itself stays as it is."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()
