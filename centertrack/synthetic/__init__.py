"""Street scenes drawn by the computer, with exact ground truth and no external assets."""

from centertrack.synthetic.frame import SyntheticFrame
from centertrack.synthetic.scene import DEMO_SCENE, SceneConfig, StreetScene
from centertrack.synthetic.sequence_writer import SequenceWriter

__all__ = ["DEMO_SCENE", "SceneConfig", "SequenceWriter", "StreetScene", "SyntheticFrame"]
