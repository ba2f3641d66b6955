"""Detections to tracks, and tracks to scores."""
