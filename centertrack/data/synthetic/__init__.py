"""Street scenes drawn by the computer, with exact ground truth and no external assets."""

from centertrack.data.synthetic.scene import DEMO_SCENE, SceneConfig, StreetScene, SyntheticFrame

__all__ = ["DEMO_SCENE", "SceneConfig", "StreetScene", "SyntheticFrame"]
