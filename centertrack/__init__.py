"""Pixels to detections, and the tracking application on top."""

from centertrack.shadow import refuse_shadow
from centertrack.version import __version__

refuse_shadow()

__all__ = ["__version__"]
