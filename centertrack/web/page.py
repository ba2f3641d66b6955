"""The page: Gradio's components, and what happens when they are used."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr

from centertrack.web.offer import Offer
from centertrack.web.run import News, Order, Outcome, run_order
from centertrack.web.visitors import Visitor, Visitors
from tracker.errors import InputError
from tracker.factory import DEFAULT_TRACKER, TRACKERS
from tracker.wording import counted

_LOG = logging.getLogger(__name__)
TITLE = "centertrack"
STYLE = """
.gradio-container { max-width: 1500px !important; padding: 12px 20px !important; }
#message p { margin: 0; padding: 8px 12px; border-radius: 8px; background: var(--background-fill-secondary); }
#message p.error { background: var(--error-background-fill); color: var(--error-text-color); }
#progress { min-height: 2.5rem; overflow: visible !important; }
#progress .wrap { overflow: visible; max-height: none; height: 2rem; }
#progress .bar { height: 10px; border-radius: 5px; background: var(--border-color-primary); overflow: hidden; }
#progress .bar div { height: 100%; background: #2f6db3; }
#progress img, #report iframe { width: 100%; border: 1px solid var(--border-color-primary); border-radius: 8px; }
#report iframe { height: 620px; }
#files .label-clear-button, #files td:last-child button { display: none; }
#frame img { cursor: crosshair; }
"""
# The timeline lies in a frame of its own; where it is clicked, the video goes to that moment.
SCRIPT = """() => addEventListener("message", (event) => {
  const frame = event.data && event.data.centertrackFrame, holder = document.querySelector("#report [data-rate]");
  const video = document.querySelector("#video video");
  if (Number.isFinite(frame) && holder && video)
    video.currentTime = (frame - Number(holder.dataset.first) + 0.5) / Number(holder.dataset.rate);
})"""


class Page:
    """The page and its visitors.

    Args:
        offer: What they may choose from.
        visitors: Who they are.

    Attributes:
        blocks: To be served.
    """

    def __init__(self, offer: Offer, visitors: Visitors) -> None:
        self._offer, self._visitors = offer, visitors
        self.blocks = gr.Blocks(title=TITLE, analytics_enabled=False)
        with self.blocks:
            self._message = gr.HTML(_said("Drop a video to begin."), elem_id="message")
            with gr.Row(equal_height=False):
                with gr.Column(scale=2, min_width=300):
                    self._add_choices()
                with gr.Column(scale=5, min_width=420):
                    self._add_drawing()
                    self._add_results()
            self._connect()
        self.blocks.queue(api_open=False, max_size=32)

    def _add_choices(self) -> None:
        limits = self._offer.limits
        self._file = gr.File(
            label=f"Video, at most {limits.megabytes:g} MB and {_minutes(limits.seconds)}", height=110, elem_id="file"
        )
        self._camera = gr.Dropdown(
            [("none", ""), *self._offer.cameras],
            value="",
            label="or a camera",
            visible=bool(self._offer.cameras),
            elem_id="camera",
        )
        choices = [(Path(one).name, one) for one in self._offer.weights]
        self._weights = gr.Dropdown(choices, value=self._offer.weights[0], label="Weights", elem_id="weights")
        self._tracker = gr.Dropdown(list(TRACKERS), value=DEFAULT_TRACKER, label="Tracker", elem_id="tracker")
        self._classes = gr.Textbox(label="Classes", placeholder="all, or names with commas", elem_id="classes")
        with gr.Row():
            self._start = gr.Textbox(label="Start", placeholder="0, 1:30 or 300f", min_width=90, elem_id="start")
            self._end = gr.Textbox(label="End", placeholder="the end", min_width=90, elem_id="end")
        with gr.Row():
            self._track = gr.Button("Track", variant="primary", min_width=90, elem_id="track")
            self._stop = gr.Button("Stop", min_width=90, elem_id="stop")

    def _add_drawing(self) -> None:
        with gr.Accordion("Count at lines and in zones: click on the picture", visible=False) as self._drawing:
            with gr.Row():
                self._kind = gr.Radio(["line", "zone"], value="line", show_label=False, min_width=190, elem_id="kind")
                self._name = gr.Textbox(show_label=False, placeholder="name", min_width=120, elem_id="name")
                self._close = gr.Button("Close zone", size="md", scale=0, min_width=120, elem_id="close")
                self._undo = gr.Button("Undo", size="md", scale=0, min_width=90, elem_id="undo")
            self._frame = gr.Image(
                show_label=False, interactive=False, buttons=[], type="filepath", height=360, elem_id="frame"
            )

    def _add_results(self) -> None:
        self._progress = gr.HTML(elem_id="progress")
        with gr.Column(visible=False) as self._results:
            self._video = gr.Video(label="Tracked", interactive=False, buttons=[], height=400, elem_id="video")
            self._report = gr.HTML(elem_id="report")
            self._files = gr.File(label="Files", file_count="multiple", interactive=False, elem_id="files")

    def _connect(self) -> None:
        drawn = [self._message, self._drawing, self._frame]
        at_once: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        self._file.upload(self._take_file, [self._file], [*drawn, self._camera], **at_once)
        self._file.clear(self._forget, None, drawn, **at_once)
        self._camera.input(self._take_camera, [self._camera], [*drawn, self._file], **at_once)
        self._frame.select(self._click, [self._kind, self._name], [*drawn, self._name], **at_once)
        self._close.click(self._finish, [self._name], [*drawn, self._name], **at_once)
        self._undo.click(self._take_back, None, drawn, **at_once)
        self._stop.click(self._end_run, None, None, **at_once)
        waiting = self._track.click(lambda: _said("Waiting for its turn."), None, [self._message], **at_once)
        waiting.then(
            self._run,
            [self._weights, self._tracker, self._classes, self._start, self._end],
            [self._message, self._drawing, self._progress, self._results, self._video, self._report, self._files],
            concurrency_limit=1,
            concurrency_id="track",
            api_visibility="private",
            show_progress="minimal",
            show_progress_on=[self._progress],
        )
        self.blocks.unload(self._leave)

    def _visitor(self, request: gr.Request) -> Visitor:
        return self._visitors.of(str(request.session_hash))

    def _leave(self, request: gr.Request) -> None:
        self._visitors.leave(str(request.session_hash))

    def _take_file(self, file: str, request: gr.Request) -> list[Any]:
        visitor = self._visitor(request)
        try:
            visitor.take_upload(Path(file), self._offer.limits)
        except (InputError, OSError) as error:
            return [*_refused(visitor, error), ""]
        return [*_shown(visitor, f"{Path(file).name} is here: track it, or draw lines and zones first."), ""]

    def _take_camera(self, camera: str, request: gr.Request) -> list[Any]:
        visitor = self._visitor(request)
        if camera not in self._offer.cameras:
            return [*self._forget(request), None]
        try:
            visitor.take_camera(camera)
        except (InputError, OSError) as error:
            return [*_refused(visitor, error), None]
        text = f"Camera {camera} is on: it is watched for {_minutes(self._offer.limits.seconds)}, or until Stop."
        return [*_shown(visitor, text), None]

    def _forget(self, request: gr.Request) -> list[Any]:
        visitor = self._visitor(request)
        visitor.forget_source()
        return _shown(visitor, "Drop a video to begin.")

    def _click(self, kind: str, name: str, request: gr.Request, event: gr.SelectData) -> list[Any]:
        visitor = self._visitor(request)
        if visitor.sketch is None:
            return [*_shown(visitor, "Drop a video to begin."), name]
        x, y = event.index
        before = len(visitor.sketch.places)
        try:
            text = visitor.sketch.click(int(x), int(y), kind, name)
        except InputError as error:
            return [*_refused(visitor, error), name]
        return [*_shown(visitor, text), name if len(visitor.sketch.places) == before else ""]

    def _finish(self, name: str, request: gr.Request) -> list[Any]:
        visitor = self._visitor(request)
        if visitor.sketch is None:
            return [*_shown(visitor, "Drop a video to begin."), name]
        try:
            return [*_shown(visitor, visitor.sketch.finish("zone", name)), ""]
        except InputError as error:
            return [*_refused(visitor, error), name]

    def _take_back(self, request: gr.Request) -> list[Any]:
        visitor = self._visitor(request)
        if visitor.sketch is not None:
            visitor.sketch.undo()
        return _shown(visitor, "Taken back.")

    def _end_run(self, request: gr.Request) -> None:
        self._visitor(request).stop.set()

    def _run(
        self, weights: str, tracker: str, classes: str, start: str, end: str, request: gr.Request
    ) -> Iterator[list[Any]]:
        visitor = self._visitor(request)
        yield [_said("Loading the network."), gr.Accordion(open=False), "", gr.Column(visible=False), None, "", None]
        try:
            if visitor.source is None or visitor.sketch is None:
                raise InputError("there is nothing to track yet; drop a video first")
            order = Order(visitor.source, weights, tracker, classes, start, end, tuple(visitor.sketch.places))
            with visitor.running() as folder:
                for one in run_order(order, folder, self._offer.limits, visitor.stop):
                    yield _news(one) if isinstance(one, News) else _outcome(one)
        except (InputError, OSError) as error:
            yield [_said(_sentence(visitor, error), "error"), gr.Accordion(open=True), "", *[gr.skip()] * 4]
        except Exception as error:
            _LOG.warning("a run failed", exc_info=True)
            text = f"{type(error).__name__}: {error}; nobody foresaw this: please report it"
            yield [_said(text, "error"), gr.Accordion(open=True), "", *[gr.skip()] * 4]


def _shown(visitor: Visitor, text: str) -> list[Any]:
    """Return a message and the picture with what is drawn."""
    has_picture = visitor.sketch is not None
    return [_said(text), gr.Accordion(visible=has_picture, open=True), visitor.picture()]


def _refused(visitor: Visitor, error: Exception) -> list[Any]:
    return [_said(_sentence(visitor, error), "error"), *_shown(visitor, "")[1:]]


def _news(news: News) -> list[Any]:
    of = f" of {news.total}" if news.total else ""
    share = f"{100 * min(1.0, news.frames / news.total):.0f}" if news.total else ""
    bar = (
        f'<div class="bar" role="progressbar" aria-valuenow="{share}"><div style="width: {share}%"></div></div>'
        if share
        else ""
    )
    done = f"{news.frames}{of} frames" if of else counted(news.frames, "frame")
    text = f"<p>{done}, {news.rate:.3g} frames per second, {counted(news.ids, 'id')}</p>" if news.frames else ""
    picture = f'<img alt="newest frame" src="data:image/jpeg;base64,{b64encode(news.jpeg).decode()}">'
    return [_said("Tracking."), gr.skip(), bar + text + (picture if news.jpeg else ""), *[gr.skip()] * 4]


def _outcome(outcome: Outcome) -> list[Any]:
    paths = outcome.paths
    page = escape(paths["report"].read_text(encoding="utf-8"), quote=True)
    frame = (
        f'<div data-rate="{outcome.frame_rate}" data-first="{outcome.first_frame}">'
        f'<iframe title="tracks" sandbox="allow-scripts" srcdoc="{page}"></iframe></div>'
    )
    lines = [outcome.summary, *outcome.remarks]
    return [
        _said("; ".join(lines) + "."),
        gr.skip(),
        "",
        gr.Column(visible=True),
        str(paths["video"]),
        frame,
        [str(path) for path in paths.values()],
    ]


def _said(text: str, kind: str = "") -> str:
    return f'<p class="{kind}" role="{"alert" if kind else "status"}">{escape(text)}</p>'


def _sentence(visitor: Visitor, error: Exception) -> str:
    """Say what is wrong; what the operating system found as well, with the file."""
    text = str(error)
    if isinstance(error, OSError):
        text = f"{error.strerror or error}" + (f": {error.filename}" if error.filename else "")
    return visitor.without_folder(text)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"
