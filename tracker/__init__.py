"""Detections to tracks, and tracks to scores."""

from tracker.detections import Detections, Tracks
from tracker.errors import InputError

__all__ = ["Detections", "InputError", "Tracks"]
