"""Detectors of other projects: what their files look like, one module a family, and how their boxes are read."""
