"""The truth about a scene as a MOTChallenge sequence folder."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from centertrack.synthetic.frame import SyntheticFrame
from tracker.io.atomic import atomic_path
from tracker.io.images import write_image


class SequenceWriter:
    """Collects frames of a scene into `gt/gt.txt` and `seqinfo.ini`, and their images into `img1` on request.

    The two text files appear when the writer is closed without an exception.

    Args:
        folder: The sequence folder; its name becomes the name of the sequence.
        size: Width and height of the images in pixels.
        frame_rate: Frames per second.
        images: Whether to write the images too, as JPEG.

    Raises:
        InputError: The folder cannot be written to.
    """

    def __init__(self, folder: str | Path, size: tuple[int, int], frame_rate: float, images: bool = False) -> None:
        self.folder, self.size, self.frame_rate, self.images = Path(folder), size, frame_rate, images
        self._rows: list[str] = []
        self._length = 0
        self._stack = ExitStack()

    def write(self, shot: SyntheticFrame) -> None:
        """Add a frame: one row of 9 columns for every figure of which anything is seen."""
        number = shot.frame.number
        for (x1, y1, x2, y2), identity, seen in zip(shot.boxes, shot.ids, shot.visibility, strict=True):
            if seen > 0:
                box = f"{x1 + 1:.2f},{y1 + 1:.2f},{x2 - x1:.2f},{y2 - y1:.2f}"  # columns are 1-based
                self._rows.append(f"{number},{identity},{box},1,1,{seen:.4f}\n")
        self._length = max(self._length, number)
        if self.images:
            with atomic_path(self.folder / "img1" / f"{number:06d}.jpg") as path:
                write_image(path, shot.frame.image)

    def __enter__(self) -> SequenceWriter:
        self._truth = self._stack.enter_context(atomic_path(self.folder / "gt" / "gt.txt"))
        self._info = self._stack.enter_context(atomic_path(self.folder / "seqinfo.ini"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._truth.write_text("".join(self._rows), encoding="utf-8")
        self._info.write_text(
            f"[Sequence]\nname={self.folder.resolve().name}\nimDir=img1\nframeRate={self.frame_rate:g}\n"
            f"seqLength={self._length}\nimWidth={self.size[0]}\nimHeight={self.size[1]}\nimExt=.jpg\n",
            encoding="utf-8",
        )
        self._stack.__exit__(kind, error, trace)
