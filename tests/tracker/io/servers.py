"""Cameras on the loopback: a server of MJPEG over HTTP, a sender over UDP, and GStreamer's RTSP server."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import av
import cv2
import numpy as np

SIZE = (96, 64)
RATE = 20.0  # frames per second of all of them


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def picture(number: int) -> np.ndarray:
    """A picture whose red says how manieth it is."""
    image = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    image[..., 0] = number % 200 + 20
    image[..., 1] = np.linspace(0, 200, SIZE[0])
    return image


class MjpegCamera:
    """Pushes JPEGs over HTTP as `multipart/x-mixed-replace`, at `RATE`, until it is stopped.

    Attributes:
        sent: Pictures.
        watched: Set once somebody has got two seconds of them.
    """

    def __init__(self, image: np.ndarray | None = None, path: str = "/anything", port: int = 0) -> None:
        self._stopped, self.watched = threading.Event(), threading.Event()
        self.sent = 0
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
                self.end_headers()
                try:
                    while not camera._stopped.wait(1 / RATE):
                        camera.sent += 1
                        shown = picture(camera.sent) if image is None else image
                        jpeg = cv2.imencode(".jpg", shown[..., ::-1])[1].tobytes()
                        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                        self.wfile.write(head.encode() + jpeg + b"\r\n")
                        if camera.sent > 2 * RATE:
                            camera.watched.set()
                except OSError:
                    pass

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.address = f"http://127.0.0.1:{self.port}{path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> MjpegCamera:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


class UdpCamera:
    """Sends MPEG-TS over UDP at `RATE`, until it is stopped."""

    def __init__(self, port: int) -> None:
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send, args=(port,), daemon=True)
        self._thread.start()

    def _send(self, port: int) -> None:
        address = f"udp://127.0.0.1:{port}?pkt_size=1316"
        with av.open(address, "w", format="mpegts", options={"flush_packets": "1"}) as container:
            stream = container.add_stream("mpeg2video", rate=round(RATE))
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            stream.options = {"g": "5"}
            stream.codec_context.time_base = Fraction(1, round(RATE))
            number = 0
            while not self._stopped.wait(1 / RATE):
                frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, round(RATE))
                container.mux(stream.encode(frame))
                number += 1

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def __enter__(self) -> UdpCamera:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


RTSP_PYTHON = "/usr/bin/python3"  # Debian's, which has GStreamer's bindings
RTSP_SERVER = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=160,height=96,framerate=20/1 "
    "! x264enc tune=zerolatency key-int-max=10 speed-preset=ultrafast ! rtph264pay name=pay0 pt=96 )"
)
factory.set_shared(True)
server.get_mount_points().add_factory("/camera", factory)
if not server.attach(None):
    sys.exit("the port is taken")
print("ready", flush=True)
GLib.MainLoop().run()
"""


def rtsp_is_there() -> bool:
    """Whether GStreamer's RTSP server with an H.264 encoder is installed."""
    probe = (
        "import gi\ngi.require_version('Gst', '1.0')\ngi.require_version('GstRtspServer', '1.0')\n"
        "from gi.repository import Gst, GstRtspServer\nGst.init(None)\n"
        "assert Gst.ElementFactory.find('x264enc') and Gst.ElementFactory.find('rtph264pay')"
    )
    try:
        return subprocess.run([RTSP_PYTHON, "-c", probe], capture_output=True, timeout=60).returncode == 0
    except OSError:
        return False


@contextmanager
def rtsp_camera(port: int) -> Iterator[str]:
    """Serve a moving ball over RTSP; gives its address."""
    command = [RTSP_PYTHON, "-c", RTSP_SERVER, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        try:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
            yield f"rtsp://127.0.0.1:{port}/camera"
        finally:
            server.kill()
