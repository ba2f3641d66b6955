"""Tracks corrected where one sees them: a page in the browser, and the small server on this computer behind it."""
