"""Tracks as CVAT for video 1.1, for correction by hand: a track an object, with key frames; frames count from 0."""

from __future__ import annotations

from itertools import pairwise
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from typing_extensions import override

from tracker.io.key_frames import KeyFrameTracks
from tracker.io.track_writer import TrackRow


class CvatVideoTracks(KeyFrameTracks):
    """Writes the XML once all frames are known; the arguments are those of `TrackFile`.

    Between two key frames CVAT moves a box evenly; frames whose box is near enough to that are left out (`find_keys`).
    Where a track is not there, it is `outside`; where it is not detected, it is `occluded`. The id is that of the
    track.
    """

    @override
    def _write_rest(self) -> None:
        root = Element("annotations")
        _leaf(root, "version", "1.1")
        self._describe(SubElement(SubElement(root, "meta"), "task"))
        for identity, keys in self._keys():
            attributes = {"id": str(identity), "label": _printable(keys[-1].row.class_name), "source": "auto"}
            track = SubElement(root, "track", attributes)
            for row, gone in keys:
                _add_box(track, row, row.frame - 1, is_outside=False)
                if gone is not None:
                    _add_box(track, row, gone - 1, is_outside=True)
        indent(root)
        ElementTree(root).write(str(self.temporary), encoding="utf-8", xml_declaration=True)

    def _describe(self, task: Element) -> None:
        seen = {rows[-1].class_name for rows in self._tracks.values()}
        names = [*self.source.class_names, *sorted(seen - set(self.source.class_names))]
        _leaf(task, "name", self.source.name)
        for name, value in (("size", len(self._frames)), ("mode", "interpolation"), ("overlap", 0)):
            _leaf(task, name, str(value))
        _leaf(task, "start_frame", str(min(self._frames, default=1) - 1))
        _leaf(task, "stop_frame", str(max(self.frame_count - 1, 0)))
        steps = {after - before for before, after in pairwise(self._frames)}
        _leaf(task, "frame_filter", f"step={min(steps)}" if len(steps) == 1 and steps != {1} else "")
        labels = SubElement(task, "labels")
        for name in names:
            label = SubElement(labels, "label")
            _leaf(label, "name", name)
            _leaf(label, "attributes", "")
        if self.source.size is not None:
            original = SubElement(task, "original_size")
            for side, pixels in zip(("width", "height"), self.source.size, strict=True):
                _leaf(original, side, str(pixels))


def _add_box(track: Element, row: TrackRow, frame: int, is_outside: bool) -> None:
    corners = zip(("xtl", "ytl", "xbr", "ybr"), row[5:9], strict=True)
    attributes = {
        "frame": str(frame),
        "outside": str(int(is_outside)),
        "occluded": str(int(not row.seen)),
        "keyframe": "1",
        **{name: f"{value:.2f}" for name, value in corners},
        "z_order": "0",
    }
    SubElement(track, "box", attributes)


def _leaf(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _printable(text)


def _printable(text: str) -> str:
    """Write out what XML cannot hold."""
    return "".join(
        letter if letter >= " " and not "\ud800" <= letter <= "\udfff" else f"\\x{ord(letter):02x}" for letter in text
    )
