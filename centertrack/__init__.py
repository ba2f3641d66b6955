"""Multi-object tracking that installs: CenterNet with a re-identification head (FairMOT), and what one does with it."""

from typing import TYPE_CHECKING

from centertrack.doors import door
from centertrack.shadow import refuse_shadow
from centertrack.version import __version__

if TYPE_CHECKING:
    from centertrack.app.pipeline import FrameResult
    from centertrack.app.session import Session, detect, track
    from centertrack.models.weights_file import save_weights
    from centertrack.predictor import Predictor
    from centertrack.training.checkpoints import build_centernet, from_pretrained, load_published
    from centertrack.training.module import CenterNet

__all__ = [
    "CenterNet",
    "FrameResult",
    "Predictor",
    "Session",
    "__version__",
    "build_centernet",
    "detect",
    "from_pretrained",
    "load_published",
    "save_weights",
    "track",
]

refuse_shadow()

__getattr__, __dir__ = door(
    __name__,
    {
        "FrameResult": "centertrack.app.pipeline",
        "Session": "centertrack.app.session",
        "detect": "centertrack.app.session",
        "track": "centertrack.app.session",
        "save_weights": "centertrack.models.weights_file",
        "Predictor": "centertrack.predictor",
        "build_centernet": "centertrack.training.checkpoints",
        "from_pretrained": "centertrack.training.checkpoints",
        "load_published": "centertrack.training.checkpoints",
        "CenterNet": "centertrack.training.module",
    },
)
