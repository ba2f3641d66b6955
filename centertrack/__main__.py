"""`python -m centertrack` is `centertrack`."""

import sys

from centertrack.cli import main

if __name__ == "__main__":
    sys.exit(main())
