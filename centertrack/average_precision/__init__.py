"""Detections in files, and their average precision."""
