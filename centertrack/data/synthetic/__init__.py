"""Street scenes drawn by the computer, with exact ground truth and no external assets."""

from centertrack.data.synthetic.scene import DEMO_SCENE, SceneConfig, StreetScene, SyntheticFrame
from centertrack.data.synthetic.sequence_writer import SequenceWriter

__all__ = ["DEMO_SCENE", "SceneConfig", "SequenceWriter", "StreetScene", "SyntheticFrame"]
