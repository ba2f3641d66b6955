"""A figure as a picture: the joints of a pose, dressed in an outfit, seen from any side."""

from __future__ import annotations

import numpy as np

from centertrack.synthetic.gait import Pose, walking_pose
from centertrack.synthetic.outfits import Outfit
from centertrack.synthetic.painter import Array, Colour, Painter, Point
from centertrack.synthetic.sprite import Sprite, trimmed

# half widths of a slim torso (to the side, to the front) at heights above the ground, in body heights
_TORSO = [(0.86, 0.03, 0.036), (0.838, 0.062, 0.044), (0.82, 0.104, 0.052), (0.79, 0.116, 0.064), (0.72, 0.11, 0.074)]
_WAIST = [(0.63, 0.094, 0.066), (0.57, 0.098, 0.072)]
_HEM = {"shirt": 0.475, "tee": 0.485, "jacket": 0.44, "coat": 0.3, "dress": 0.48}


def render_figure(outfit: Outfit, yaw: float, phase: float, vigour: float, pixels: int, light: float = 0.0) -> Sprite:
    """Draw a figure.

    Args:
        outfit: Build and clothes.
        yaw: Walking direction in radians: 0 to the right of the image, pi / 2 towards the camera.
        phase: Position in the walking cycle, 0 to 1.
        vigour: 0 stands, 1 walks at full stride.
        pixels: Height of the standing figure in pixels.
        light: Where the light comes from, -1 (left) to 1 (right).
    """
    return _Figure(outfit, yaw, walking_pose(phase, vigour, outfit.girth), pixels, light).draw()


class _Figure:
    def __init__(self, outfit: Outfit, yaw: float, pose: Pose, pixels: int, light: float) -> None:
        self.outfit, self.pose, self.pixels = outfit, pose, pixels
        self.forward, self.toward = float(np.cos(yaw)), float(np.sin(yaw))  # of the walking direction
        self.centre, self.ground = pixels * 0.5, pixels * 1.05
        self.painter = Painter(pixels, round(pixels * 1.09), light)

    def draw(self) -> Sprite:
        near, far = ("left", "right") if self._depth("left_hip") > self._depth("right_hip") else ("right", "left")
        facing_away = self.toward < -0.3
        if self.outfit.bag == "backpack" and not facing_away:
            self._backpack()
        self._arm(far)
        self._leg(far)
        self._leg(near)
        if self.outfit.bottom == "skirt":
            self._skirt()
        self._torso()
        if abs(self.toward) > 0.5:  # seen from front or back, both arms hang beside the body
            self._arm(far)
        if self.outfit.bag == "backpack" and facing_away:
            self._backpack()
        self._head()
        if self.outfit.bag == "shoulder":
            self._shoulder_bag()
        self._arm(near)
        if self.outfit.bag == "hand":
            self._hand_bag(near)
        sole = self.ground + 0.018 * self.pixels  # the joints of the feet lie inside the shoes
        return trimmed(self.painter.finish(), (self.centre, sole), self.pixels / self.outfit.height)

    def _project(self, joint: Array) -> Point:
        across = joint[0] * self.forward + joint[1] * self.toward
        return self.centre + float(across) * self.pixels, self.ground - float(joint[2]) * self.pixels

    def _depth(self, name: str) -> float:
        """How near a joint is to the camera, in body heights."""
        return float(self.pose[name][0] * self.toward - self.pose[name][1] * self.forward)

    def _half_width(self, side: float, front: float) -> float:
        """Half the width of an elliptic cross-section, seen at the figure's yaw."""
        return self.outfit.girth * float(np.hypot(side * self.toward, front * self.forward)) * self.pixels

    def _limb(self, start: str, end: str, radius: float, end_radius: float, colour: Colour) -> None:
        thickness = self.pixels * self.outfit.girth**0.7
        self.painter.capsule(
            self._project(self.pose[start]), self._project(self.pose[end]),
            radius * thickness, end_radius * thickness, colour, self.outfit.folds,
        )  # fmt: skip

    def _leg(self, side: str) -> None:
        outfit = self.outfit
        lower = outfit.bottom_colour if outfit.bottom == "trousers" else outfit.skin
        upper = outfit.bottom_colour if outfit.bottom != "skirt" else outfit.skin
        far = 0.82 if self._depth(f"{side}_hip") < -0.02 else 1.0  # the far leg lies in the near one's shade
        self._limb(f"{side}_heel", f"{side}_toe", 0.021, 0.016, _times(outfit.shoes_colour, far))
        self._limb(f"{side}_knee", f"{side}_ankle", 0.036, 0.024, _times(lower, far))
        self._limb(f"{side}_hip", f"{side}_knee", 0.055, 0.038, _times(upper, far))

    def _arm(self, side: str) -> None:
        outfit = self.outfit
        far = 0.82 if self._depth(f"{side}_shoulder") < -0.04 else 1.0
        sleeve = _times(outfit.top_colour, 0.96 * far)
        bare = outfit.top in ("tee", "dress")
        wrist, elbow = self.pose[f"{side}_wrist"], self.pose[f"{side}_elbow"]
        hand = self._project(wrist + 0.25 * (wrist - elbow))
        self.painter.ellipse(hand, (0.018 * self.pixels, 0.024 * self.pixels), _times(outfit.skin, far))
        self._limb(f"{side}_elbow", f"{side}_wrist", 0.025, 0.018, _times(outfit.skin, far) if bare else sleeve)
        self._limb(f"{side}_shoulder", f"{side}_elbow", 0.031, 0.027, sleeve)

    def _torso(self) -> None:
        rise = float(self.pose["neck"][2]) - 0.86
        hem = _HEM[self.outfit.top]
        flare = 0.112 if self.outfit.top == "coat" else 0.1
        levels = [*_TORSO, *_WAIST, (hem, flare, flare * 0.8)]
        right = [(self.centre + self._half_width(a, b), self.ground - (z + rise) * self.pixels) for z, a, b in levels]
        if self.outfit.top == "coat":
            reach = self._reach(hem)
            right[-1] = (max(right[-1][0], self.centre + reach), right[-1][1])
        left = [(2 * self.centre - x, y) for x, y in reversed(right)]
        corners = [*right, *left]
        self.painter.polygon(
            corners, self.outfit.top_colour, roundness=self._half_width(0.1, 0.07), texture=self.outfit.fabric
        )
        if self.toward > 0.35:
            self._neckline(rise)

    def _neckline(self, rise: float) -> None:
        """What an open front shows: a shirt below a jacket, a little skin otherwise."""
        open_front = self.outfit.top in ("jacket", "coat")
        depth, half = (0.24, 0.03) if open_front else (0.04, 0.028)
        x, top = self.centre + 0.045 * self.forward * self.pixels, self.ground - (0.855 + rise) * self.pixels
        width, bottom = half * self.toward * self.pixels, top + depth * self.pixels
        colour = self.outfit.shirt_colour if open_front else _times(self.outfit.skin, 0.95)
        self.painter.polygon([(x - width, top), (x + width, top), (x + 0.2 * width, bottom), (x - 0.2 * width, bottom)],
                             colour)  # fmt: skip

    def _skirt(self) -> None:
        hem = 0.3 if self.outfit.top == "dress" else 0.36
        top, bottom = self.ground - 0.6 * self.pixels, self.ground - hem * self.pixels
        waist, width = self._half_width(0.095, 0.07), max(self._half_width(0.125, 0.105), self._reach(hem))
        corners = [(self.centre - waist, top), (self.centre + waist, top),
                   (self.centre + width, bottom), (self.centre - width, bottom)]  # fmt: skip
        self.painter.polygon(corners, self.outfit.bottom_colour, width * 0.7, self.outfit.folds)

    def _reach(self, height: float) -> float:
        """How far the legs stand out from the centre at a height (body heights), in pixels."""
        reach = 0.0
        for side in ("left", "right"):
            hip, knee, ankle = (self.pose[f"{side}_{name}"] for name in ("hip", "knee", "ankle"))
            upper, lower = (hip, knee) if height > knee[2] else (knee, ankle)
            share = np.clip((upper[2] - height) / max(upper[2] - lower[2], 1e-6), 0, 1)
            reach = max(reach, abs(self._project(upper + share * (lower - upper))[0] - self.centre))
        return reach + 0.04 * self.pixels

    def _head(self) -> None:
        outfit, pixels = self.outfit, self.pixels
        x, y = self._project(self.pose["head"])
        child = 1.25 if outfit.height < 1.5 else 1.0
        width, height = 0.05 * child * pixels, 0.068 * child * pixels
        turned = 0.35 * self.forward * width
        self.painter.capsule(
            self._project(self.pose["neck"]), (x, y), 0.034 * pixels, 0.034 * pixels, _times(outfit.skin, 0.85)
        )
        if outfit.hair == "long":
            self.painter.ellipse(
                (x - turned * 0.6, y + 0.5 * height), (width * 1.15, height * 1.45), outfit.hair_colour
            )
        crown = outfit.skin if outfit.hair == "bald" else outfit.hair_colour
        if outfit.hair in ("cap", "scarf"):
            crown = outfit.bag_colour
        self.painter.ellipse((x, y), (width * 1.08, height * 1.04), crown)
        if self.toward > -0.5:
            self._face(x, y, width, height, turned)
        if outfit.hair == "bun":
            self.painter.ellipse(
                (x - 2.6 * turned, y - 0.75 * height), (width * 0.45, width * 0.42), outfit.hair_colour
            )
        if outfit.hair == "cap":
            self.painter.ellipse((x, y - 0.52 * height), (width * 1.1, height * 0.5), crown)
            brim = (x + 2.4 * turned, y - 0.22 * height)
            self.painter.ellipse(brim, (width * 0.75, height * 0.13), _times(crown, 0.8))

    def _face(self, x: float, y: float, width: float, height: float, turned: float) -> None:
        """The skin below the hair line; in profile only its front part shows."""
        visible = 0.62 + 0.3 * max(self.toward, 0.0)
        centre = (x + turned + 0.1 * np.sign(self.forward) * width, y + 0.2 * height)
        self.painter.ellipse(centre, (width * visible, height * 0.8), self.outfit.skin)
        if self.pixels < 90:
            return
        for eye in (-1, 1):
            at = (centre[0] + eye * 0.38 * width * max(self.toward, 0.3) + 0.2 * turned, y + 0.05 * height)
            self.painter.ellipse(at, (0.13 * width, 0.08 * height), _times(self.outfit.skin, 0.42), roundness=0)
        mouth = (centre[0] + 0.3 * turned, y + 0.62 * height)
        self.painter.ellipse(mouth, (0.28 * width, 0.06 * height), _times(self.outfit.skin, 0.62), roundness=0)

    def _backpack(self) -> None:
        x = self.centre - 0.11 * self.forward * self.pixels
        width = self._half_width(0.095, 0.065)
        top, bottom = self.ground - 0.82 * self.pixels, self.ground - 0.57 * self.pixels
        cut = width * 0.35
        corners = [(x - width + cut, top), (x + width - cut, top), (x + width, top + cut), (x + width, bottom),
                   (x - width, bottom), (x - width, top + cut)]  # fmt: skip
        self.painter.polygon(corners, self.outfit.bag_colour, width, self.outfit.folds)

    def _shoulder_bag(self) -> None:
        side = self.pose["left_hip"] * np.array([1.0, 2.2, 1.0])
        x, y = self._project(side)
        shoulder = self._project(self.pose["right_shoulder"] + np.array([0.0, 0.05, 0.02]))
        self.painter.capsule(shoulder, (x, y), 0.007 * self.pixels, 0.007 * self.pixels, self.outfit.bag_colour)
        width, height = self._half_width(0.04, 0.075), 0.055 * self.pixels
        self.painter.polygon(
            [(x - width, y - height), (x + width, y - height), (x + width, y + height), (x - width, y + height)],
            self.outfit.bag_colour, width * 0.5,
        )  # fmt: skip

    def _hand_bag(self, side: str) -> None:
        x, y = self._project(self.pose[f"{side}_wrist"])
        width, top, bottom = self._half_width(0.035, 0.08), y + 0.05 * self.pixels, y + 0.15 * self.pixels
        self.painter.polygon(
            [(x - width, top), (x + width, top), (x + 1.1 * width, bottom), (x - 1.1 * width, bottom)],
            self.outfit.bag_colour, width * 0.5,
        )  # fmt: skip


def _times(colour: Colour, factor: float) -> Colour:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor
