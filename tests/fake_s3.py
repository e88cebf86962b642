"""An S3-compatible server of our own: what the remote tier asks for, and every way to fail at it.

It checks no signatures; `test_cache_remote_moto` has a server that does more.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "traces"


@dataclass
class Asked:
    """A request: its method, the object's name, its headers in lower case."""

    method: str
    name: str
    headers: dict[str, str]
    query: dict[str, list[str]] = field(default_factory=dict)


class Fault(Exception):
    """What a request is answered with instead."""

    def __init__(self, status: int, code: str = "", detail: str = "") -> None:
        super().__init__(status, code)
        self.status, self.code, self.detail = status, code, detail


class FakeS3:
    """The server's objects by name, what it was asked, and how it misbehaves.

    Attributes:
        fault: called with each request first; may raise `Fault`, wait for `over`, or close the
            connection by raising `ConnectionError`.
        changed: makes of an object's bytes those that are sent.
        pace: seconds between the pieces of `piece` bytes of an answer's body.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.asked: list[Asked] = []
        self.fault: Callable[[Asked], object] = lambda asked: None
        self.changed: Callable[[bytes], bytes] = lambda data: data
        self.pace, self.piece = 0.0, 1 << 16
        self.lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.over = threading.Event()
        self.connections: list[socket.socket] = []
        self._server.handle_error = lambda request, client: None  # type: ignore[method-assign]
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends all its threads."""
        self.over.set()
        self._server.shutdown()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
        self._thread.join()

    def count(self, method: str) -> int:
        """How often it was asked so."""
        return sum(asked.method == method for asked in self.asked)


@contextmanager
def serving() -> Iterator[FakeS3]:
    server = FakeS3()
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _tag(data: bytes) -> str:
    return f'"{md5(data, usedforsecurity=False).hexdigest()}"'


def _handler(server: FakeS3) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            server.connections.append(self.connection)

        def log_message(self, *_: object) -> None:
            pass

        def _serve(
            self, answer: Callable[[Asked, bytes], tuple[int, dict[str, str], bytes]]
        ) -> None:
            parts = urlsplit(self.path)
            bucket, _, name = unquote(parts.path).lstrip("/").partition("/")
            headers = {key.lower(): value for key, value in self.headers.items()}
            query = parse_qs(parts.query, keep_blank_values=True)
            asked = Asked(self.command, name, headers, query)
            body = self.rfile.read(int(headers.get("content-length", 0)))
            server.asked.append(asked)
            try:
                server.fault(asked)
                if bucket != BUCKET:
                    raise Fault(404, "NoSuchBucket")
                with server.lock:
                    status, answered, data = answer(asked, body)
            except ConnectionError:
                self.close_connection = True
                return
            except Fault as fault:
                text = f"<Code>{fault.code}</Code><Message>{escape(fault.detail)}</Message>"
                status, answered, data = fault.status, {}, f"<Error>{text}</Error>".encode()
            try:
                self.send_response(status)
                for key, value in answered.items():
                    self.send_header(key, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                for start in range(0, len(data), server.piece):
                    self.wfile.write(data[start : start + server.piece])
                    self.wfile.flush()
                    server.over.wait(server.pace)
            except OSError:
                self.close_connection = True

        def do_GET(self) -> None:
            self._serve(_list_or_get)

        def do_PUT(self) -> None:
            self._serve(_put)

        def do_DELETE(self) -> None:
            self._serve(_delete)

    def _list_or_get(asked: Asked, _: bytes) -> tuple[int, dict[str, str], bytes]:
        if "list-type" in asked.query:
            return 200, {"Content-Type": "application/xml"}, _listing(asked)
        if asked.name not in server.objects:
            raise Fault(404, "NoSuchKey")
        data = server.changed(server.objects[asked.name])
        return 200, {"ETag": _tag(data), "Last-Modified": formatdate(usegmt=True)}, data

    def _listing(asked: Asked) -> bytes:
        start = asked.query.get("prefix", [""])[0]
        after = asked.query.get("continuation-token", asked.query.get("start-after", [""]))[0]
        names = sorted(n for n in server.objects if n.startswith(start) and n > after)
        page = names[:2]  # so that there are several pages
        rows = "".join(
            f"<Contents><Key>{escape(name)}</Key><Size>{len(server.objects[name])}</Size>"
            "<LastModified>2026-01-02T03:04:05.000Z</LastModified>"
            f"<ETag>{_tag(server.objects[name])}</ETag></Contents>"
            for name in page
        )
        more = len(page) < len(names)
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult><IsTruncated>{str(more).lower()}</IsTruncated>"
            f"{token}{rows}</ListBucketResult>"
        ).encode()

    def _put(asked: Asked, body: bytes) -> tuple[int, dict[str, str], bytes]:
        if asked.headers.get("if-none-match") == "*" and asked.name in server.objects:
            raise Fault(412, "PreconditionFailed")
        server.objects[asked.name] = body
        return 200, {"ETag": _tag(body)}, b""

    def _delete(asked: Asked, _: bytes) -> tuple[int, dict[str, str], bytes]:
        server.objects.pop(asked.name, None)
        return 204, {}, b""

    return Handler
