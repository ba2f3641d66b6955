"""Convert the weights that come with the package for OpenVINO, so that a first start takes a second: after every
change of the weights or of the network's code.

    python tools/convert_shipped_weights.py
"""

from __future__ import annotations

from centertrack.runtime.shipped import write_shipped
from centertrack.runtime.weights import find_weights, list_weights


def convert_shipped_weights() -> None:
    """Write one file beside each."""
    for name in list_weights():
        path = write_shipped(find_weights(name))
        print(f"{path} ({path.stat().st_size / 1e6:.1f} MB)")


if __name__ == "__main__":
    convert_shipped_weights()
