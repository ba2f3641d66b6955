"""Take one frame of a tracked video as the picture of the README.

python tools/readme_picture.py runs/demo/street-tracked.mp4
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from jsonargparse import auto_cli

from tracker.io.atomic import atomic_path
from tracker.io.images import write_image
from tracker.io.video import open_source


def save_frame(video: Path, picture: Path = Path("docs/images/demo.jpg"), frame: int = 181, quality: int = 85) -> None:
    """Write one frame of a video as JPEG.

    Args:
        video: Of the demo.
        picture: Where to.
        frame: Counted from 1.
        quality: Of the JPEG, 1 to 100.
    """
    with open_source(video) as source:
        image = next(islice(source, frame - 1, None)).image
    with atomic_path(picture) as temporary:
        write_image(temporary, image, quality)


if __name__ == "__main__":
    auto_cli(save_frame)
