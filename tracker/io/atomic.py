"""Outputs appear under their name only when they are complete."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tracker.errors import InputError


@contextmanager
def atomic_path(target: str | Path, keep_on_error: bool = False) -> Iterator[Path]:
    """Give a temporary path beside `target` to write to, and rename it when the block ends.

    Missing parent folders are made. A reader never sees half a file, and a failed run never destroys the previous one.
    Of a link, the file it points to is replaced; what is no file, such as /dev/stdout, is written to directly.

    Args:
        target: The final path.
        keep_on_error: Also rename when the block raises, so that hours of results survive a crash.

    Yields:
        A path in the same folder, with the same suffix as `target` (writers choose their format by it).

    Raises:
        InputError: The target is a folder, or its folder cannot be made or written to.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder, "new", "rows.txt")) as path:
    ...         _ = path.write_text("1,1")
    ...     Path(folder, "new", "rows.txt").read_text()
    '1,1'
    """
    target = Path(target)
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder; choose another output path")
    if target.exists() and not target.is_file():
        yield target
        return
    final = Path(os.path.realpath(target))
    temporary = final.with_name(f".{final.stem}.{os.getpid()}.part{final.suffix}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        mode = temporary.stat().st_mode
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}; choose another output path") from error
    finished = False
    try:
        yield temporary
        finished = True
    finally:
        try:
            if finished or keep_on_error:
                temporary.chmod(mode)  # some writers make the file anew, for its owner only
                temporary.replace(final)
        finally:
            temporary.unlink(missing_ok=True)
