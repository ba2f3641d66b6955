"""Pixels to detections, and the tracking application on top."""

from centertrack.version import __version__

__all__ = ["__version__"]
