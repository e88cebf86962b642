"""The daemon's metrics on a loopback port: numbers only, no names of files, users or keys."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import cast

from ..cache.directory import failed

_SECONDS = 5.0  # for a request


class MetricsServer(HTTPServer):
    """One reader at a time, each for a bounded time."""

    def __init__(self, port: int, page: Callable[[], str]) -> None:
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise failed(f"port {port} of the loopback", error) from error
        self.page = page

    def begin(self) -> None:
        """Serves in a thread until `shutdown`."""
        threading.Thread(target=self.serve_forever, name="phasic-metrics", daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A reader that goes away is nothing to speak of."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _SECONDS

    def do_GET(self) -> None:
        """The one page."""
        if self.path not in ("/", "/metrics"):
            self.send_error(404)
            return
        page = cast(MetricsServer, self.server).page().encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: readers come every few seconds."""
