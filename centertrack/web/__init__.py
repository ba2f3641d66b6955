"""Tracking in the browser: a page that takes a video, shows what is found, and hands out the files of `track`."""
