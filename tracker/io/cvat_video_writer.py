"""Tracks as CVAT for video 1.1, for correction by hand: a track an object, with key frames; frames count from 0."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import XMLGenerator

from typing_extensions import override

from tracker.io.key_frames import key_rows
from tracker.io.track_writer import TrackedSource, TrackFile, TrackRow


class CvatVideoTracks(TrackFile):
    """Writes the XML once all frames are known; the arguments are those of `TrackFile`.

    Between two key frames CVAT moves a box evenly, so that frames whose box is at most `key_frames.TOLERANCE` away from
    that are left out. Where a track is not there, it is `outside`; where it is not detected, it is `occluded`. The id
    is that of the track.
    """

    def __init__(self, path: str | Path, source: TrackedSource) -> None:
        super().__init__(path, source)
        self._tracks: dict[int, list[TrackRow]] = {}
        self._frame_count = 0

    @override
    def _take(self, frame_number: int, seconds: float | None, rows: list[TrackRow]) -> None:
        self._frame_count = max(self._frame_count, frame_number)
        for row in rows:
            self._tracks.setdefault(row.id, []).append(row)

    @override
    def _write_rest(self) -> None:
        with self.temporary.open("w", encoding="utf-8", newline="\n") as file:
            xml = XMLGenerator(file, "utf-8", short_empty_elements=True)
            xml.startDocument()
            xml.startElement("annotations", {})
            _leaf(xml, "version", "1.1")
            self._write_meta(xml)
            for identity, rows in sorted(self._tracks.items()):
                label = _printable(rows[-1].class_name)
                xml.ignorableWhitespace("\n")
                xml.startElement("track", {"id": str(identity), "label": label, "source": "auto"})
                for row, is_last in key_rows(rows):
                    _write_box(xml, row, row.frame - 1, is_outside=False)
                    if is_last and row.frame < self._frame_count:
                        _write_box(xml, row, row.frame, is_outside=True)
                xml.endElement("track")
            xml.ignorableWhitespace("\n")
            xml.endElement("annotations")
            xml.endDocument()
            file.write("\n")

    def _write_meta(self, xml: XMLGenerator) -> None:
        seen = {rows[-1].class_name for rows in self._tracks.values()}
        names = [*self.source.class_names, *sorted(seen - set(self.source.class_names))]
        xml.startElement("meta", {})
        xml.startElement("task", {})
        _leaf(xml, "name", _printable(self.source.name))
        for name, value in (("size", self._frame_count), ("mode", "interpolation"), ("overlap", 0)):
            _leaf(xml, name, str(value))
        _leaf(xml, "start_frame", "0")
        _leaf(xml, "stop_frame", str(max(self._frame_count - 1, 0)))
        _leaf(xml, "frame_filter", "")
        xml.startElement("labels", {})
        for name in names:
            xml.startElement("label", {})
            _leaf(xml, "name", _printable(name))
            _leaf(xml, "attributes", "")
            xml.endElement("label")
        xml.endElement("labels")
        if self.source.size is not None:
            xml.startElement("original_size", {})
            for side, pixels in zip(("width", "height"), self.source.size, strict=True):
                _leaf(xml, side, str(pixels))
            xml.endElement("original_size")
        xml.endElement("task")
        xml.endElement("meta")


def _write_box(xml: XMLGenerator, row: TrackRow, frame: int, is_outside: bool) -> None:
    corners = zip(("xtl", "ytl", "xbr", "ybr"), row[5:9], strict=True)
    xml.ignorableWhitespace("\n  ")
    xml.startElement(
        "box",
        {
            "frame": str(frame),
            "outside": str(int(is_outside)),
            "occluded": str(int(not row.seen)),
            "keyframe": "1",
            **{name: f"{value:.2f}" for name, value in corners},
            "z_order": "0",
        },
    )
    xml.endElement("box")


def _leaf(xml: XMLGenerator, name: str, text: str) -> None:
    xml.startElement(name, {})
    xml.characters(text)
    xml.endElement(name)


def _printable(text: str) -> str:
    """Write out what XML cannot hold."""
    return "".join(
        letter if letter >= " " and not "\ud800" <= letter <= "\udfff" else f"\\x{ord(letter):02x}" for letter in text
    )
