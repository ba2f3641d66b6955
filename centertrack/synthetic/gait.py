"""How a body walks: a skeleton of joints over one cycle of two steps."""

from __future__ import annotations

import numpy as np

from centertrack.synthetic.painter import Array

Pose = dict[str, Array]

STRIDE = 0.755  # length of a cycle of two steps at full vigour, in body heights: 4 legs x sin(swing)

_HIP, _SHOULDER, _HEAD = 0.52, 0.8, 0.932  # heights above the ground of a standing body
_THIGH, _SHIN, _UPPER_ARM, _FOREARM = 0.245, 0.24, 0.17, 0.155


def walking_pose(phase: float, vigour: float, girth: float = 1.0) -> Pose:
    """Return the joints of a walking body.

    Thighs swing as a cosine; the knee of the leg that comes forward bends; arms swing against the legs. The body is
    then lowered until the lowest foot stands on the ground, which gives the bobbing of a walk by itself.

    Args:
        phase: Position in the cycle, 0 to 1; at 0 the left leg is foremost.
        vigour: 0 stands still, 1 walks at full stride.
        girth: Width of the body relative to a slim one.

    Returns:
        Joint name -> (3,) forward, left and up, in body heights; the origin is on the ground below the body's centre.
    """
    pose: Pose = {}
    for side, sign, shift in (("left", 1.0, 0.0), ("right", -1.0, 0.5)):
        cosine, sine = np.cos(2 * np.pi * (phase + shift)), np.sin(2 * np.pi * (phase + shift))
        thigh = 0.4 * vigour * cosine + 0.04 * vigour
        bend = vigour * (0.1 + 0.95 * max(0.0, -sine) ** 1.5)
        push = vigour * 0.55 * max(0.0, -cosine)  # the rear foot rolls over its toes
        hip = np.array([0.0, sign * 0.05 * girth, _HIP])
        knee = hip + _THIGH * _swing(thigh)
        ankle = knee + _SHIN * _swing(thigh - bend)
        pitch = push + 0.5 * bend - 0.25 * vigour * max(0.0, cosine)
        toe = ankle + np.array([0.1 * np.cos(pitch), sign * 0.012, -0.03 - 0.1 * np.sin(pitch)])
        heel = ankle + np.array([-0.03, 0.0, -0.03])
        shoulder = np.array([0.012 * vigour, sign * 0.106 * girth, _SHOULDER])
        arm = -0.38 * vigour * cosine
        elbow = shoulder + _UPPER_ARM * _swing(arm, sign * (0.12 + 0.05 * girth))
        wrist = elbow + _FOREARM * _swing(arm + 0.12 + 0.3 * vigour, sign * 0.03)
        for name, joint in zip(
            ("hip", "knee", "ankle", "toe", "heel", "shoulder", "elbow", "wrist"),
            (hip, knee, ankle, toe, heel, shoulder, elbow, wrist),
            strict=True,
        ):
            pose[f"{side}_{name}"] = joint
    pose["head"] = np.array([0.02 + 0.015 * vigour, 0.0, _HEAD])
    pose["neck"] = np.array([0.008, 0.0, 0.86])
    lowest = min(pose[name][2] for name in ("left_toe", "left_heel", "right_toe", "right_heel"))
    return {name: joint - np.array([0.0, 0.0, lowest]) for name, joint in pose.items()}


def _swing(angle: float, outward: float = 0.0) -> Array:
    """Unit vector of a limb that hangs down at `angle` 0 and points forward at a quarter turn."""
    return np.array([np.sin(angle), np.sin(outward) * np.cos(angle), -np.cos(angle) * np.cos(outward)])
