"""The sequences of MOTChallenge's benchmarks and their lengths in frames."""

from __future__ import annotations

import re

PUBLIC_DETECTORS = ("DPM", "FRCNN", "SDP")  # MOT17 has every video three times, once for each
_DETECTOR_SUFFIX = re.compile(rf"-({'|'.join(PUBLIC_DETECTORS)})$", re.IGNORECASE)

_MOT17_TRAIN = {"02": 600, "04": 1050, "05": 837, "09": 525, "10": 654, "11": 900, "13": 750}
_MOT17_TEST = {"01": 450, "03": 1500, "06": 1194, "07": 500, "08": 625, "12": 900, "14": 750}
_MOT20_TRAIN = {"01": 429, "02": 2782, "03": 2405, "05": 3315}
_MOT20_TEST = {"04": 2080, "06": 1008, "07": 585, "08": 806}
_MOT15_TEST = {
    "TUD-Crossing": 201,
    "PETS09-S2L2": 436,
    "ETH-Jelmoli": 440,
    "ETH-Linthescher": 1194,
    "ETH-Crossing": 219,
    "AVG-TownCentre": 450,
    "ADL-Rundle-1": 500,
    "ADL-Rundle-3": 625,
    "KITTI-16": 209,
    "KITTI-19": 1059,
    "Venice-1": 450,
}
DANCETRACK_TEST_VIDEOS = 35
_NAMES = ("mot15", "mot16", "mot17", "mot20", "dancetrack")

TEST_SEQUENCES = {
    "MOT15": tuple(_MOT15_TEST),
    "MOT16": tuple(f"MOT16-{number}" for number in _MOT17_TEST),
    "MOT17": tuple(f"MOT17-{number}-{detector}" for number in _MOT17_TEST for detector in PUBLIC_DETECTORS),
    "MOT20": tuple(f"MOT20-{number}" for number in _MOT20_TEST),
}
_LENGTHS = {
    **_MOT15_TEST,
    **{f"{name}-{number}": n for name in ("MOT16", "MOT17") for number, n in {**_MOT17_TRAIN, **_MOT17_TEST}.items()},
    **{f"MOT20-{number}": length for number, length in {**_MOT20_TRAIN, **_MOT20_TEST}.items()},
}


def video_name(sequence: str) -> str:
    """Return the name without that of a public detector.

    >>> video_name("MOT17-02-FRCNN")
    'MOT17-02'
    """
    return _DETECTOR_SUFFIX.sub("", sequence)


def is_of_benchmark(sequence: str) -> bool:
    """Tell whether a sequence belongs to a benchmark of MOTChallenge or DanceTrack, by its name.

    >>> is_of_benchmark("MOT17-02-SDP"), is_of_benchmark("my-street")
    (True, False)
    """
    return known_length(sequence) is not None or sequence.lower().startswith(_NAMES)


def known_length(sequence: str) -> int | None:
    """Return the frames of a benchmark's sequence, None if it is of no benchmark.

    >>> known_length("MOT17-02-SDP"), known_length("my-street")
    (600, None)
    """
    return _LENGTHS.get(video_name(sequence))
