"""The daemon's socket: who may talk, one thread a connection, all of it bounded; start and end.

A connection has seconds to say who it is and what it wants; it costs a thread and at most two
messages of memory, and there are at most `MOST_CLIENTS` of them. A client of another user, version
or configuration is told so. While a request takes its time the client hears so every second; from
what it then does not hear it knows that the daemon hangs.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..cache.counts import EVENTS, Counts
from ..errors import CacheError, FormatError, PhasicError
from . import protocol
from .housekeeping import Housekeeper
from .log import LOG
from .metrics import Metrics, text
from .protocol import Connection, Message
from .service import Service

MOST_CLIENTS = 256
FIRST_WORDS_SECONDS = 5.0  # for hello and the request
SEND_SECONDS = 5.0
TICK_SECONDS = 1.0
_KEY_DIGITS = 64


@dataclass(frozen=True)
class Terms:
    """Under which it serves.

    Attributes:
        places: what it serves, by name; clients must be configured for the same.
        idle_seconds: without a request after which it ends; 0: never.
        grace_seconds: for what is under way at the end.
        counts: of the tiers, by name, to be shown among the metrics.
    """

    places: Mapping[str, str]
    idle_seconds: float
    grace_seconds: float
    counts: Mapping[str, Counts]


class Server:
    """Serves on a socket until it is told to stop, by a request or a signal, or is idle."""

    def __init__(
        self,
        service: Service[Any],
        housekeeper: Housekeeper,
        metrics: Metrics,
        terms: Terms,
    ) -> None:
        self._service = service
        self._housekeeper = housekeeper
        self._metrics = metrics
        self._terms = terms
        self._stopping = threading.Event()
        self._serving: set[_Serving] = set()
        self._guard = threading.Lock()
        self._used = time.monotonic()

    def heed_signals(self) -> None:
        """From here on they end `run`; before there is a socket, by which others see it started."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stopping.set())

    def run(self, listener: socket.socket, ready: Callable[[], object]) -> None:
        """Serves; calls `ready` once clients are answered."""
        listener.settimeout(TICK_SECONDS)
        self._housekeeper.begin()
        LOG.info("started: process %d, version %d", os.getpid(), protocol.PROTOCOL)
        ready()
        beaten = time.monotonic()
        while not self._stopping.is_set():
            self._accept(listener)
            now = time.monotonic()
            if now - beaten >= TICK_SECONDS:
                beaten = now
                self._beat()
                if self._is_idle(now):
                    LOG.info("idle for %g s", self._terms.idle_seconds)
                    break

    def settle(self) -> None:
        """At the end: what is under way has a while; what is not done then is marked."""
        end = time.monotonic() + self._terms.grace_seconds
        self._housekeeper.stop(self._terms.grace_seconds)
        while self._working() and time.monotonic() < end:
            time.sleep(0.02)
        LOG.info("stopped")

    def stop(self) -> None:
        """Ends `run` within a second."""
        self._stopping.set()

    def status(self) -> dict[str, Any]:
        """What it is and does."""
        return {
            "pid": os.getpid(),
            "protocol": protocol.PROTOCOL,
            "uptime_seconds": round(self._metrics.uptime(), 3),
            "places": dict(self._terms.places),
            "clients": len(self._serving),
            "pending": self._housekeeper.has_pending(),
            "idle_seconds": self._terms.idle_seconds,
            "counts": self._metrics.read(),
        }

    def page(self) -> str:
        """Its numbers as Prometheus reads them."""
        gauges = {
            "uptime_seconds": ("seconds since the start", self._metrics.uptime()),
            "clients": ("connections being served", float(len(self._serving))),
            "pending": ("1 while something is to be saved behind", self._housekeeper.has_pending()),
        }
        tiers = {name: counts.read() for name, counts in self._terms.counts.items()}
        return text(self._metrics, gauges, tiers, EVENTS)

    # ---- connections

    def _accept(self, listener: socket.socket) -> None:
        try:
            stream, _ = listener.accept()
        except TimeoutError:
            return
        except OSError as error:
            LOG.warning("no connection: %s", error.strerror)
            time.sleep(TICK_SECONDS / 10)  # no more descriptors; some will be given back
            return
        serving = _Serving(self, Connection(stream))
        with self._guard:
            crowded = len(self._serving) >= MOST_CLIENTS
            if not crowded:
                self._serving.add(serving)
        if crowded:
            serving.refuse("DAEMON_BUSY", f"the daemon serves {MOST_CLIENTS} connections already")
            serving.connection.close()
            return
        try:
            threading.Thread(target=serving.run, name="phasic-client", daemon=True).start()
        except RuntimeError:
            LOG.warning("no thread for a connection")
            self.done(serving)

    def done(self, serving: _Serving) -> None:
        """A connection has ended."""
        serving.connection.close()
        with self._guard:
            self._serving.discard(serving)
        self._used = time.monotonic()

    def _working(self) -> list[_Serving]:
        with self._guard:
            return [serving for serving in self._serving if serving.is_at_work]

    def _beat(self) -> None:
        for serving in self._working():
            serving.connection.beat()

    def _is_idle(self, now: float) -> bool:
        idle = self._terms.idle_seconds
        if not idle or self._serving or now - self._used < idle:
            return False
        return not self._housekeeper.has_pending()

    # ---- for connections

    @property
    def terms(self) -> Terms:
        return self._terms

    @property
    def metrics(self) -> Metrics:
        return self._metrics

    @property
    def service(self) -> Service[Any]:
        return self._service


class _Serving:
    """One connection, from its first word to the end of its request."""

    def __init__(self, server: Server, connection: Connection) -> None:
        self._server = server
        self.connection = connection
        self.is_at_work = False

    def run(self) -> None:
        """In a thread of its own."""
        metrics = self._server.metrics
        try:
            if self._is_welcome():
                request = self.connection.receive(FIRST_WORDS_SECONDS)
                metrics.add("requests")
                self._serve(request)
        except FormatError as error:
            metrics.add("bad_messages")
            LOG.warning("a connection was ended: %s", error.message)
        except CacheError as error:
            if error.code != protocol.LOST:
                LOG.warning("a request failed: %s", error.message)
                self._tell_or_not("direct", error.message)
            else:
                metrics.add("lost_clients")
        except PhasicError as error:
            LOG.error("a request failed: %s", error.message)
            self._tell_or_not("direct", error.message)
        finally:
            self.is_at_work = False
            self._server.done(self)

    def refuse(self, code: str, message: str) -> None:
        """Says why it is not served."""
        self._server.metrics.add("refused")
        LOG.warning("refused [%s]: %s", code, message)
        try:
            self.connection.send("refused", SEND_SECONDS, code=code, message=message)
        except CacheError:
            return  # it did not wait for it

    def _is_welcome(self) -> bool:
        pid, uid = self.connection.peer()
        if uid != os.geteuid():
            self.refuse("DAEMON_USER", f"user {uid} (process {pid}) asked; we serve {os.geteuid()}")
            return False
        hello = self.connection.receive(FIRST_WORDS_SECONDS)
        if hello["op"] != "hello":
            raise protocol.no_message("the first word is not hello")
        version = hello.get("protocol")
        if version != protocol.PROTOCOL:
            told = version if isinstance(version, int) else "unknown"
            self.refuse(
                "DAEMON_VERSION",
                f"the client speaks version {told} of the protocol, and the daemon "
                f"{protocol.PROTOCOL}: restart the older one",
            )
            return False
        served = dict(self._server.terms.places)
        given = hello.get("places")
        if given is not None and given != served:
            names = [name for name in served if not _has(given, name, served[name])]
            first = (
                f"{names[0]} is {served[names[0]] or 'not set'}" if names else "a tier is missing"
            )
            self.refuse(protocol.OTHER_CACHE, f"the daemon serves another cache: {first} there")
            return False
        self.connection.send("welcome", SEND_SECONDS, protocol=protocol.PROTOCOL, pid=os.getpid())
        return True

    def _serve(self, request: Message) -> None:
        match request["op"]:
            case "obtain":
                self.is_at_work = True
                self._server.service.obtain(_key(request), self._tell, self._hear)
            case "find":
                self.is_at_work = True
                self._tell(**self._server.service.find(_key(request)))
            case "keep":
                self.is_at_work = True
                self._server.service.keep(_key(request), self._tell)
            case "status":
                self._tell("status", **self._server.status())
            case "metrics":
                self._tell("metrics", text=self._server.page())
            case "stop":
                LOG.info("told to stop")
                self._tell("stopping")
                self._server.stop()
            case _:
                raise protocol.no_message("no request of this protocol")

    def _tell(self, op: str, **fields: Any) -> None:
        self.connection.send(op, SEND_SECONDS, **fields)

    def _hear(self) -> Message:
        self.is_at_work = False  # it is the client's turn
        try:
            return self.connection.receive(None)
        finally:
            self.is_at_work = True

    def _tell_or_not(self, op: str, message: str) -> None:
        try:
            self._tell(op, message=message)
        except CacheError:
            return  # it has gone


def _has(given: object, name: str, value: str) -> bool:
    return isinstance(given, dict) and given.get(name) == value


def _key(request: Message) -> str:
    key = request.get("key")
    if (
        not isinstance(key, str)
        or len(key) != _KEY_DIGITS
        or not set(key) <= set("0123456789abcdef")
    ):
        raise protocol.no_message("no key in a request")
    return key
