"""Labelled data on disk, one file a format."""
