"""Rendered street scenes as training data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from centertrack.data.sample import Sample, shrink_to
from centertrack.synthetic import SceneConfig, StreetScene

MIN_VISIBILITY = 0.15
IDS_PER_SCENE = 64  # scenes whose number of people is left open have fewer; their ids start at 1


class SyntheticSet:
    """Frames of many short street scenes, each with its own people; drawn when first asked for.

    Args:
        scenes: Number of scenes.
        frames: Frames taken from each, evenly spread over its length.
        size: Width and height of the images in pixels.
        seconds: Length of a scene.
        first_seed: Seed of the first scene; the others follow.
        min_visibility: People less visible than this are ignored, not learnt.
    """

    num_classes = 1

    def __init__(
        self,
        scenes: int = 40,
        frames: int = 8,
        size: tuple[int, int] = (640, 360),
        seconds: float = 8.0,
        first_seed: int = 1000,
        min_visibility: float = MIN_VISIBILITY,
    ) -> None:
        self.configs = [
            SceneConfig(size=(size[0], size[1]), seconds=seconds, seed=first_seed + i) for i in range(scenes)
        ]
        self.class_names = ["person"]
        self.frames = frames
        self.min_visibility = min_visibility
        self._stored: dict[int, list[Sample]] = {}
        self.num_identities = scenes * IDS_PER_SCENE

    def __len__(self) -> int:
        """Return the number of frames of all scenes."""
        return len(self.configs) * self.frames

    def __getitem__(self, index: int) -> Sample:
        """Return one frame; the first from a scene draws all of them, which shares its set-up."""
        scene, frame = divmod(index, self.frames)
        if scene not in self._stored:
            self._stored[scene] = self._render(scene)
        return self._stored[scene][frame]

    def size(self, index: int) -> tuple[int, int]:
        """Return width and height of the images in pixels, which all frames share."""
        return self.configs[index // self.frames].size

    def read(self, index: int, reduction: int = 1) -> Sample:
        """Return one frame, its sides divided by 1, 2, 4 or 8."""
        sample = self[index]
        longest_side = max(sample.image.shape) / reduction
        image, factor = shrink_to(sample.image, longest_side)
        scale = np.float32(factor)
        return replace(sample, image=image, boxes=sample.boxes * scale, ignore=sample.ignore * scale)

    def _render(self, scene: int) -> list[Sample]:
        street = StreetScene(self.configs[scene])
        samples = []
        for number in np.linspace(0, len(street) - 1, self.frames).round().astype(int):
            shot = street.frame(int(number))
            seen = shot.visibility >= self.min_visibility
            hidden = ~seen & (shot.visibility > 0)
            ids = shot.ids[seen] + scene * IDS_PER_SCENE
            labels = np.zeros(len(ids), np.int64)
            samples.append(Sample(shot.frame.image, shot.boxes[seen], labels, ids, shot.boxes[hidden]))
        return samples
