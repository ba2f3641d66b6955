"""Street scenes drawn by the computer, with exact ground truth and no external assets."""

from centertrack.data.synthetic.scene import SceneConfig, StreetScene, SyntheticFrame

__all__ = ["SceneConfig", "StreetScene", "SyntheticFrame"]
