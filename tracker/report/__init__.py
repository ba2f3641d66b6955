"""The HTML page about the scores of trackers and where they fail. It imports the metrics; they do not import it.

`page` is the page, `details` and `charts` its parts, `style` its look; `runs` loads what it shows.
"""

from tracker.report.page import write_report

__all__ = ["write_report"]
