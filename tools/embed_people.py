"""Let an embedding network look at everybody in the training data, for a small network to learn from.

    python tools/embed_people.py CONFIGURATION FOLDER_OF_DATA NETWORK.xml

For every data set of a training configuration that names a file under `embeddings`, that file is written: the array
`embeddings` (identities, length) of unit rows, the mean over an identity's boxes, NaN for those who are too small.
Files that exist are kept. NETWORK.xml is an OpenVINO model from a BGR crop in [0, 255] to a vector, as
person-reidentification-retail-0277 of Intel's Open Model Zoo is.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import openvino
from jsonargparse import auto_cli

from centertrack.data.mixture import open_source_set
from centertrack.data.plan import DataPlan
from centertrack.data.sample import Sample, SampleSet
from tracker.io.atomic import atomic_path
from tracker.wording import counted

MIN_SIDES = (12, 32)  # px, width and height from which a crop says something
PER_IDENTITY = 12  # boxes, evenly spread


def embed_people(training: Path, data: Path, network: Path, threads: int = 1) -> None:
    """Write the embeddings that a configuration names.

    Args:
        training: Its configuration.
        data: Where its paths start.
        network: An OpenVINO model.
        threads: Of the processor.
    """
    embed = Embedder(network, threads)
    for source in DataPlan.read(training, data).train:
        if source.embeddings is None or (data / source.embeddings).is_file():
            continue
        embeddings = embed_set(open_source_set(source, data), embed)
        target = data / source.embeddings
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(target) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, embeddings=embeddings.astype(np.float16))
        print(
            f"{target}: {np.isfinite(embeddings[:, 0]).sum()} of {counted(len(embeddings), 'identity', 'identities')}",
            flush=True,
        )


class Embedder:
    """An embedding network.

    Args:
        path: An OpenVINO model, (1, 3, height, width) BGR in [0, 255] -> (1, D, ...).
        threads: Of the processor, 0 for all.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        core = openvino.Core()
        options = {"INFERENCE_NUM_THREADS": threads} if threads else {}
        self.network = core.compile_model(core.read_model(path), "CPU", options)
        _, _, self.height, self.width = self.network.input(0).shape

    def __call__(self, crop: np.ndarray) -> np.ndarray:
        """Return the unit embedding (D,) of an RGB crop (H, W, 3) uint8."""
        shown = cv2.resize(crop[..., ::-1], (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        vector = np.array(self.network(shown.transpose(2, 0, 1)[None].astype(np.float32))[0]).ravel()
        return np.asarray(vector / np.linalg.norm(vector))


def embed_set(samples: SampleSet, embed: Embedder) -> np.ndarray:
    """Return the mean embedding (I, D) of every identity of a data set, NaN where there is none."""
    crops: dict[int, list[np.ndarray]] = {}
    seen: dict[int, int] = {}
    step = max(1, len(samples) // (PER_IDENTITY * 4)) if samples.num_identities < len(samples) else 1
    for index in range(0, len(samples), step):
        sample = samples[index]
        for row, identity in enumerate(sample.ids.tolist()):
            crop = _cut(sample, row)
            if identity >= 0 and crop is not None and seen.get(identity, 0) < PER_IDENTITY:
                seen[identity] = seen.get(identity, 0) + 1
                crops.setdefault(identity, []).append(embed(crop))
    length = len(next(iter(crops.values()))[0]) if crops else 1
    table = np.full((samples.num_identities, length), np.nan, np.float32)
    for identity, vectors in crops.items():
        mean = np.mean(vectors, axis=0)
        table[identity] = mean / np.linalg.norm(mean)
    return table


def _cut(sample: Sample, row: int) -> np.ndarray | None:
    height, width = sample.image.shape[:2]
    left, top, right, bottom = sample.boxes[row].round().astype(int)
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if right - left < MIN_SIDES[0] or bottom - top < MIN_SIDES[1]:
        return None
    return np.ascontiguousarray(sample.image[top:bottom, left:right])


if __name__ == "__main__":
    auto_cli(embed_people)
