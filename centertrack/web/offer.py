"""What visitors of the page may choose from, and how much: no file that is too large, too long, or leads to others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tracker.errors import InputError
from tracker.io.frame import FrameSource

_HEAD = 8  # bytes that tell text from a video
_VIDEOS_IN_LETTERS = (b"RIFF", b"YUV4MPEG")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one run takes.

    Attributes:
        seconds: Of video that are tracked at most.
        megabytes: Of an upload at most, 10**6 bytes each.
    """

    seconds: float = 600.0
    megabytes: float = 500.0

    def check_file(self, file: Path) -> None:
        """Refuse an upload that is too large, or text: playlists would make the server open what they name.

        Raises:
            InputError: Such a file.
        """
        size = file.stat().st_size
        if size > self.megabytes * 1e6:
            raise InputError(
                f"{file.name} has {size / 1e6:.1f} MB, and at most {self.megabytes:g} MB are taken; cut or compress it"
            )
        with file.open("rb") as opened:
            head = opened.read(_HEAD)
        if not head or (not head.startswith(_VIDEOS_IN_LETTERS) and _is_text(head)):
            raise InputError(f"{file.name} is no video; expected a file such as .mp4, .mov, .mkv, .webm or .avi")

    def check_length(self, frames: FrameSource) -> None:
        """Refuse the part of a source that is too long, where its length is known.

        Raises:
            InputError: It is.
        """
        if frames.frame_count and (seconds := frames.frame_count / frames.frame_rate) > self.seconds:
            raise InputError(
                f"{frames.name} lasts {seconds:.0f} s between start and end, and at most {self.seconds:g} s are "
                "tracked; set a later start or an earlier end"
            )


@dataclass(frozen=True, slots=True)
class Offer:
    """What visitors may choose from.

    Attributes:
        weights: Names and files, the first one is chosen.
        cameras: Numbers, devices and addresses; may be empty.
        limits: Of a run.
    """

    weights: Sequence[str]
    cameras: Sequence[str]
    limits: Limits


def _is_text(head: bytes) -> bool:
    """Tell whether bytes begin like text.

    >>> _is_text(b"#EXTM3U "), _is_text(bytes([0, 0, 0, 32]) + b"ftyp"), _is_text(bytes([0xEF, 0xBB, 0xBF]) + b"#EXTM")
    (True, False, True)
    """
    return all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in head.removeprefix(b"\xef\xbb\xbf"))
