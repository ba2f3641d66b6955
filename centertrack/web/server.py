"""The server of the page: Gradio in a small web application of our own, which nobody else's page can ask."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from centertrack.app.web_view import LOOPBACK
from centertrack.web.visitors import Visitors
from tracker.errors import InputError

if TYPE_CHECKING:
    from centertrack.web.offer import Offer

_SHUTDOWN_SECONDS = 2  # for which open connections are waited for
_SETTINGS = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "1"}
_POLICY = (  # what the browser may load: from this server, and what the page itself holds
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; frame-ancestors 'self'"
)
_Scope = MutableMapping[str, Any]
_Send = Callable[[_Scope], Awaitable[None]]


class AppServer:
    """Serves the page until `run` is interrupted. Everything that visitors bring and make lies in one folder.

    Args:
        offer: What visitors may choose from.
        folder: Of all visitors; Gradio keeps uploads there as well.
        host: Address to listen at; others than those of the loopback let the network in.
        port: 0 takes any that is free.

    Raises:
        InputError: The address cannot be listened at.
    """

    def __init__(self, offer: Offer, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        os.environ.update({**_SETTINGS, "GRADIO_TEMP_DIR": str(folder)})  # before Gradio is imported
        import uvicorn

        self._visitors = Visitors(folder)
        self._socket = _listen(host, port)
        self._host = host
        application = _build(offer, self._visitors, host)
        config = uvicorn.Config(application, log_level="critical", timeout_graceful_shutdown=_SHUTDOWN_SECONDS)
        visitors = self._visitors

        class Server(uvicorn.Server):
            @override
            def handle_exit(self, sig: int, frame: FrameType | None) -> None:
                visitors.stop()  # runs end with what they have, before connections are waited for
                super().handle_exit(sig, frame)

        self._server = Server(config)

    @property
    def url(self) -> str:
        """Where the page is."""
        shown = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{shown}:{self._socket.getsockname()[1]}/"

    def run(self) -> None:
        """Serve.

        Raises:
            KeyboardInterrupt: After Ctrl-C, once runs and connections have ended.
        """
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._visitors.stop()
            self._socket.close()


@contextmanager
def own_folder() -> Iterator[Path]:
    """Give a temporary folder, which is deleted with all that lies in it, whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix="centertrack-app-")).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        if os.name != "nt":  # where it would let two servers take the same port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        raise InputError(
            f"cannot serve at {host}:{port}: {error.strerror or error}; choose another --port or --host"
        ) from error
    return listening


def _build(offer: Offer, visitors: Visitors, host: str) -> Any:
    """Return the web application: the page, with headers that keep everybody else out."""
    import gradio
    from fastapi import FastAPI
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    from centertrack.web.page import SCRIPT, STYLE, Page

    application = FastAPI(openapi_url=None)
    application.add_middleware(_Policy)
    if host in LOOPBACK:  # a page of another name that leads here is not ours to answer
        application.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
    theme = gradio.themes.Default(  # with fonts that are there: others would come from elsewhere
        primary_hue="blue", font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
    return gradio.mount_gradio_app(
        application,
        Page(offer, visitors).blocks,
        path="/",
        server_name=host,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=round(offer.limits.megabytes * 1e6),
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
        theme=theme,
        css=STYLE,
        js=SCRIPT,
    )


class _Policy:
    """Adds to every answer what the browser may load.

    Args:
        application: That answers.
    """

    def __init__(self, application: Callable[..., Awaitable[None]]) -> None:
        self._application = application

    async def __call__(self, scope: _Scope, receive: Callable[[], Awaitable[_Scope]], send: _Send) -> None:
        """Answer a request."""

        async def send_with_policy(message: _Scope) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"content-security-policy", _POLICY.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                ]
            await send(message)

        await self._application(scope, receive, send_with_policy)
