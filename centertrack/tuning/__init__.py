"""Options of a tracker, searched on some videos and judged on others."""
