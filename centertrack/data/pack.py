"""Training data at training resolution, in archives small enough for a machine that is at hand only for minutes."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from centertrack.data.formats.coco import write_coco
from centertrack.data.labels import LabelledImages, Labels
from centertrack.data.mixture import SourceOptions, open_source_set
from centertrack.data.sample import Sample, SampleSet, shrink_to
from tracker.io.images import write_image

JPEG_QUALITY = 90


def pack_sources(
    sources: Sequence[SourceOptions], root: Path, target: Path, longest_side: int = 800
) -> list[SourceOptions]:
    """Write every source as a COCO data set of small JPEG images, with all that its labels say.

    Identities, a teacher's embeddings of them, ignore regions and masks come along.

    Args:
        sources: The mixture of a training.
        root: Where their relative paths start.
        target: Folder of the new sets: `000/annotations.json`, `000/images`, perhaps `000/masks`, `001/...`.
        longest_side: Of the images, in pixels; smaller ones stay as they are.

    Returns:
        The same mixture, reading the new sets; relative paths start at `target`. Synthetic sources stay synthetic.
    """
    packed = []
    for number, source in enumerate(sources):
        if source.format == "synthetic":
            packed.append(source)
            continue
        name = f"{number:03d}"
        samples = open_source_set(source, root)
        _write_set(samples, target / name, longest_side)
        options = {"identities": "labels" if samples.num_identities else "none"}
        if (target / name / "masks").is_dir():
            options["masks"] = f"{name}/masks"
        embeddings = None
        if source.embeddings is not None:  # row i belongs to identity i, here as there
            embeddings = f"{name}/embeddings.npz"
            shutil.copyfile(root / source.embeddings, target / embeddings)
        path = f"{name}/annotations.json"
        packed.append(replace(source, format="coco", path=path, options=options, embeddings=embeddings))
    return packed


def write_archives(folder: Path, target: Path, max_mb: float = 60.0) -> list[Path]:
    """Write all files of a folder into `target/pack-000.tar`, `pack-001.tar`, ..., each of at most `max_mb` megabytes.

    Unpacking all of them into one folder gives the folder back.
    """
    target.mkdir(parents=True, exist_ok=True)
    archives = []
    files_of_all = sorted(path for path in folder.rglob("*") if path.is_file())
    limit = max_mb * 1e6 - tarfile.RECORDSIZE  # an archive ends with a whole record
    for number, files in enumerate(_groups(files_of_all, limit)):
        archives.append(target / f"pack-{number:03d}.tar")
        with tarfile.open(archives[-1], "w") as archive:
            for file in files:
                archive.add(file, file.relative_to(folder).as_posix())
    return archives


def _write_set(samples: SampleSet, folder: Path, longest_side: int) -> None:
    entries = [_write_sample(samples[i], folder, f"{i:06d}", longest_side) for i in range(len(samples))]
    write_coco(LabelledImages(entries, samples.class_names), [entry.image for entry in entries], folder)


def _write_sample(sample: Sample, folder: Path, stem: str, longest_side: int) -> Labels:
    image, factor = shrink_to(sample.image, longest_side)
    path = folder / "images" / f"{stem}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, image, JPEG_QUALITY)
    if sample.masks is not None:
        size = (image.shape[1], image.shape[0])
        (folder / "masks").mkdir(exist_ok=True)
        masks = cv2.resize(sample.masks, size, interpolation=cv2.INTER_NEAREST)
        write_image(folder / "masks" / f"{stem}.png", np.asarray(masks, np.uint8))
    scale = np.float32(factor)
    boxes, ignore = sample.boxes * scale, sample.ignore * scale
    return Labels(path, path.name, folder, boxes, sample.labels, sample.ids, ignore=ignore)


def _groups(files: Iterable[Path], limit: float) -> Iterator[list[Path]]:
    """Split files into runs of at most `limit` bytes in an archive, where each costs a header and is padded."""
    group: list[Path] = []
    used = 0
    for file in files:
        size = 2048 + file.stat().st_size // 512 * 512
        if group and used + size > limit:
            yield group
            group, used = [], 0
        group.append(file)
        used += size
    if group:
        yield group
