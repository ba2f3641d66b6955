"""Names that files, labels and other people bring along, before they become names of our files."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from tracker.errors import InputError

STANDARD_OUTPUT = "-"  # as the name of a file
ODD_NAMES = "backslashreplace"  # how names that are not Unicode get into text files
_UNUSUAL = re.compile(r"[^\w.-]+")
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f-\x9f\ud800-\udfff]+')  # in a name on some system
_LABELS = {"gt/gt.txt": "ground truth", "det/det.txt": "detections"}


def clean_name(name: str, default: str = "unnamed") -> str:
    """Return a name that is one file's, in the folder where it is put, on every system.

    Args:
        name: From seqinfo.ini, a URL, a label file.
        default: Where nothing is left of it.

    >>> clean_name("../S2/gt/gt"), clean_name("rtsp://camera/stream"), clean_name("..")
    ('S2_gt_gt', 'rtsp_camera_stream', 'unnamed')
    """
    return _UNUSUAL.sub("_", name).strip("._") or default


def clean_path(name: str) -> Path:
    r"""Return a relative path that stays below the folder where it is put.

    >>> clean_path("....//....//x.jpg").as_posix(), clean_path("../a/./C:\\b.jpg").as_posix()
    ('unnamed/unnamed/x.jpg', 'a/C_/b.jpg')
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    return Path(
        *(_UNFIT.sub("_", part).rstrip(". ") or "unnamed" for part in parts if part not in ("/", "//", ".", ".."))
    )


def refuse_labels(path: Path) -> None:
    """Refuse to write where a MOTChallenge sequence folder keeps its labels.

    Raises:
        InputError: There are such labels.
    """
    resolved = Path(path.resolve())
    kept = _LABELS.get("/".join(resolved.parts[-2:]).casefold())
    if kept and resolved.exists():
        raise InputError(f"{path} holds the {kept} of a sequence; choose another output")
