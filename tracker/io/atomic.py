"""Outputs appear under their name only when they are complete; what there is of the others is kept beside it."""

from __future__ import annotations

import glob
import logging
import os
import sys
import weakref
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from tracker.errors import InputError

_log = logging.getLogger(__name__)
_own: set[Path] = set()  # parts that this process is writing
Self = TypeVar("Self", bound="OutputFile")


class BusyError(InputError):
    """Another process is writing the same file."""


class PendingFile:
    """A file that takes its name once it is complete.

    Until then it lies in the same folder as `.STEM.PROCESS.part.SUFFIX`. Missing parent folders are made. A reader
    never sees half a file, and a failed run never destroys an earlier file. Of a link, the file it points to is
    replaced; what is no file, such as /dev/stdout, is written to directly.

    Args:
        target: The final path.
        exclusive: Refuse a file that another process is writing, and keep what killed ones had written of it, with a
            warning; see `recover_parts`.

    Attributes:
        path: Where to write, with the suffix of the target, by which writers choose their format.

    Raises:
        BusyError: Another process is writing it.
        InputError: The target is a folder, or its folder cannot be made or written to.
    """

    def __init__(self, target: str | Path, exclusive: bool = False) -> None:
        self.target = Path(target)
        if self.target.is_dir():
            raise InputError(f"cannot write {target}: it is a folder; choose another output path")
        self._is_direct = self.target.exists() and not self.target.is_file()
        self._final = self.target if self._is_direct else Path(os.path.realpath(self.target))
        self.path = self.target
        if self._is_direct:
            return
        self.path = _part_of(self._final, os.getpid())
        for kept in recover_parts(self._final) if exclusive else ():
            _log.warning("%s holds what an earlier run that was killed had written", kept)
        try:
            self._final.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()
            self._mode = self.path.stat().st_mode
        except OSError as error:
            raise cannot_write(target, error) from error
        if exclusive and (rival := _rival_of(self._final, self.path)) is not None:
            self.path.unlink(missing_ok=True)
            raise BusyError(f"cannot write {target}: process {rival} is writing it; choose another output path")
        _own.add(self.path)
        self._forgotten = weakref.finalize(self, _keep_part, self.path, self._final)

    def commit(self) -> None:
        """Give the file its name, in place of an earlier one.

        Raises:
            OSError: It cannot be renamed; it is still there.
        """
        if self._is_direct:
            return
        self.path.chmod(self._mode)  # some writers make the file anew, for its owner only
        self.path.replace(self._final)
        self._let_go()

    def keep(self) -> Path | None:
        """Leave what was written as `NAME.partial.SUFFIX`, and an earlier file as it is.

        Returns:
            That path; None where nothing was written.
        """
        if self._is_direct:
            return None
        self._let_go()
        return _keep_part(self.path, self._final)

    def discard(self) -> None:
        """Take what was written away."""
        if not self._is_direct:
            self._let_go()
            self.path.unlink(missing_ok=True)

    def _let_go(self) -> None:
        self._forgotten.detach()
        _own.discard(self.path)


@contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Give a path beside `target` to write to, which takes its name when the block ends, and goes when it raises.

    Args:
        target: As of `PendingFile`, also its errors.

    Yields:
        A path in the same folder, with the same suffix.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder, "new", "rows.txt")) as path:
    ...         _ = path.write_text("1,1")
    ...     Path(folder, "new", "rows.txt").read_text()
    '1,1'
    """
    pending = PendingFile(target)
    try:
        yield pending.path
        pending.commit()
    except BaseException:
        pending.discard()
        raise


class OutputFile(ABC):
    """A file that is written bit by bit: `close` completes it, `abandon` keeps what there is beside an earlier one.

    As a context manager it is completed at the end of the block, and abandoned when the block raises.

    Args:
        path: The file; see `PendingFile`.

    Attributes:
        temporary: Where it lies until it is complete.
        partial: Where an abandoned file is; None if it was completed, or nothing had been written.

    Raises:
        InputError: The file cannot be written.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.partial: Path | None = None
        self._pending: PendingFile | None = PendingFile(path, exclusive=True)
        self.temporary = self._pending.path

    @abstractmethod
    def _finish(self) -> None:
        """Write what is left and close the file."""

    def close(self) -> None:
        """Complete the file and give it its name; further calls do nothing.

        Raises:
            InputError: It cannot be written; what there is was kept as `partial`.
        """
        if self._pending is None:
            return
        try:
            self._finish()
            self._pending.commit()
        except (OSError, InputError) as error:
            self._keep()
            raise cannot_write(self.path, error, self.partial) from error
        self._pending = None

    def abandon(self) -> None:
        """Keep what there is as `partial`, and an earlier file as it is; further calls do nothing."""
        if self._pending is None:
            return
        with suppress(OSError, InputError):  # the reason to abandon it may be the disk
            self._finish()
        self._keep()
        if self.partial is not None:
            _log.warning("%s is not complete; what was written is in %s", self.path, self.partial)

    def _keep(self) -> None:
        if self._pending is not None:
            self.partial = self._pending.keep()
            self._pending = None

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()


def cannot_write(path: str | Path, error: Exception, kept: Path | None = None) -> InputError:
    """Return the sentence for a file that cannot be written, and where what there is of it was kept."""
    reason = getattr(error, "strerror", None) or str(error)
    prefix = f"cannot write {path}: "
    rest = f"; what was written is in {kept}" if kept else "; choose another output path"
    return InputError(prefix + reason.removeprefix(prefix) + rest)


def partial_path(target: Path) -> Path:
    """Return where what there is of a file is kept.

    >>> partial_path(Path("runs/street.txt")).as_posix()
    'runs/street.partial.txt'
    """
    return target.with_name(f"{target.stem}.partial{target.suffix}")


def recover_parts(target: str | Path) -> list[Path]:
    """Keep what killed processes have left of a file as `NAME.partial.SUFFIX`, `NAME.partial-2.SUFFIX` and so on.

    Returns:
        These paths.
    """
    final = Path(os.path.realpath(target))
    left = [path for path, process in _parts_of(final) if not _is_written(path, process)]
    return [kept for path in left if (kept := _keep_part(path, final)) is not None]


def _keep_part(part: Path, final: Path) -> Path | None:
    """Rename a part, without replacing an earlier one; an empty one goes."""
    try:
        if part.stat().st_size == 0:
            part.unlink()
            return None
        kept, number = partial_path(final), 2
        while kept.exists():
            kept, number = final.with_name(f"{final.stem}.partial-{number}{final.suffix}"), number + 1
        part.replace(kept)
    except OSError:  # gone, or not ours
        return None
    return kept


def _part_of(final: Path, process: int) -> Path:
    return final.with_name(f".{final.stem}.{process}.part{final.suffix}")


def _parts_of(final: Path) -> Iterator[tuple[Path, int]]:
    """Give the parts of a file that lie beside it, and the processes that write or wrote them."""
    start, end = f".{final.stem}.", f".part{final.suffix}"
    for path in final.parent.glob(f"{glob.escape(start)}*{glob.escape(end)}"):
        number = path.name.removeprefix(start).removesuffix(end)
        if number.isdecimal():
            yield path, int(number)


def _rival_of(final: Path, own: Path) -> int | None:
    """Return the running process that writes the same file: one that has written something, or came first."""
    for path, process in _parts_of(final):
        if path == own or not _is_running(process):
            continue
        with suppress(OSError):  # it is done meanwhile
            theirs, ours = path.stat(), own.stat()
            if theirs.st_size or (theirs.st_mtime_ns, process) < (ours.st_mtime_ns, os.getpid()):
                return process
    return None


def _is_written(part: Path, process: int) -> bool:
    """Return whether somebody still writes a part; in containers runs often have the number of the one before them."""
    return part in _own if process == os.getpid() else _is_running(process)


def _is_running(process: int) -> bool:
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
        if handle:
            ctypes.windll.kernel32.CloseHandle(handle)
        return bool(handle)
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True
