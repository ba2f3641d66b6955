"""How the camera moved between two frames, from the pixels of the background."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np

from tracker.arrays import Array, check_frame
from tracker.errors import InputError

IDENTITY = np.eye(2, 3)
_MIN_POINTS = 8  # below, four parameters fit anything
_MIN_AGREEING = 0.3  # share of the points that must move as one; noise reaches a tenth
_MAX_SCALE_CHANGE = 0.2  # between two frames; more is a wrong fit


class CameraMotion:
    """Estimates the similarity (shift, rotation, zoom) from each frame to the next.

    Where it cannot (first frame, black or blurred frame, too few points), the answer is the identity: tracking goes on
    as with a still camera.

    Args:
        method: "sparse_flow" follows up to 1,000 corners (Lucas-Kanade) and fits with RANSAC; "orb" matches features,
            for large jumps; "ecc" aligns all pixels, slow but needs no corners; "none" always gives the identity.
        downscale: The frame is made smaller by this factor first.

    >>> CameraMotion("none").estimate(np.zeros((90, 160, 3), np.uint8)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """

    def __init__(self, method: str = "sparse_flow", downscale: float = 2.0) -> None:
        if method not in ("none", "sparse_flow", "orb", "ecc"):
            raise InputError(f"camera motion must be none, sparse_flow, orb or ecc, got {method!r}")
        if not downscale >= 1:
            raise InputError(f"downscale must be 1 or more, got {downscale}")
        self._method = method
        self._downscale = downscale
        self._last: Array | None = None

    def estimate(self, frame: Array) -> Array:
        """Return the motion from the last frame to this one.

        Args:
            frame: (H, W, 3) uint8 RGB, or (H, W) grey.

        Returns:
            (2, 3) float64: x' = M[:, :2] x + M[:, 2] in pixels of the source.

        Raises:
            InputError: The frame is no such image.
        """
        check_frame(frame)
        if self._method == "none":
            return IDENTITY.copy()
        image, last = self._prepare(frame), self._last
        self._last = image
        if last is None or last.shape != image.shape:
            return IDENTITY.copy()
        estimate = {"sparse_flow": _sparse_flow, "orb": _orb, "ecc": _ecc}[self._method]
        motion = estimate(last, image)
        if motion is None or not _is_plausible(motion):
            return IDENTITY.copy()
        motion = motion.astype(np.float64)
        motion[:, 2] *= self._downscale
        return motion

    def state_dict(self) -> dict[str, Array | None]:
        """Return the last frame as it is remembered, small and grey; None before the first."""
        return {"last": None if self._last is None else self._last.copy()}

    def load_state_dict(self, state: Mapping[str, Array | None]) -> None:
        """Take over what `state_dict` returned."""
        self._last = None if state["last"] is None else np.array(state["last"])

    def _prepare(self, frame: Array) -> Array:
        grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) if frame.ndim == 3 else frame
        if self._downscale == 1:
            return grey.copy()
        height, width = grey.shape
        size = max(1, round(width / self._downscale)), max(1, round(height / self._downscale))
        return cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def _sparse_flow(last: Array, image: Array) -> Array | None:
    corners = cv2.goodFeaturesToTrack(last, maxCorners=1000, qualityLevel=0.01, minDistance=1, blockSize=3)
    if corners is None or len(corners) < _MIN_POINTS:
        return None
    # OpenCV's types leave out that the start of the search may be missing.
    moved, found, _ = cv2.calcOpticalFlowPyrLK(last, image, corners, None)  # type: ignore[call-overload]
    found = found.ravel().astype(bool)
    return _fit(corners[found], moved[found])


def _orb(last: Array, image: Array) -> Array | None:
    detector = cv2.ORB.create(1000)
    try:
        points, features = detector.detectAndCompute(last, None)
        points_now, features_now = detector.detectAndCompute(image, None)
    except cv2.error:  # the images are too small to be made smaller
        return None
    if features is None or features_now is None:
        return None
    matches = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True).match(features, features_now)
    start = np.array([points[match.queryIdx].pt for match in matches], np.float32).reshape(-1, 2)
    end = np.array([points_now[match.trainIdx].pt for match in matches], np.float32).reshape(-1, 2)
    return _fit(start, end)


def _ecc(last: Array, image: Array) -> Array | None:
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-5)
    start = np.eye(2, 3, dtype=np.float32)
    try:
        # OpenCV's types leave out that the mask may be missing.
        _, motion = cv2.findTransformECC(  # type: ignore[call-overload]
            last, image, start, cv2.MOTION_EUCLIDEAN, criteria, None, 5
        )
    except cv2.error:  # it did not converge
        return None
    return np.asarray(motion)


def _fit(start: Array, end: Array) -> Array | None:
    if len(start) < _MIN_POINTS:
        return None
    cv2.setRNGSeed(0)  # RANSAC draws; the same frames give the same motion
    motion, agreeing = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC)
    if motion is None or agreeing.sum() < max(_MIN_POINTS, _MIN_AGREEING * len(start)):
        return None
    return np.asarray(motion)


def _is_plausible(motion: Array) -> bool:
    scale = np.sqrt(abs(np.linalg.det(motion[:, :2])))
    return bool(np.isfinite(motion).all() and abs(scale - 1) <= _MAX_SCALE_CHANGE)
