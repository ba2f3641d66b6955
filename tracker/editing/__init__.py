"""Corrections of tracks by a person: an edit list beside the results, applied to them without changing the file."""
