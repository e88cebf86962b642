"""The daemon as a process: alone, listening, logging, from its start to its end."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..cache.write_behind import WriteBehind
from . import activation
from .housekeeping import Housekeeper, Pace
from .log import log_to
from .metrics import Metrics
from .place import Place
from .server import Server, Terms
from .service import Service


def run(
    place: Place,
    log_path: str,
    tiers: Callable[[], WriteBehind[Any]],
    terms: Terms,
    metrics_port: int = 0,
    pace: Pace | None = None,
) -> None:
    """Serves until it is stopped or idle. Starting asks nothing of what is behind the local store.

    Args:
        place: of the socket.
        log_path: of the log.
        tiers: makes what is served.
        terms: under which.
        metrics_port: of the loopback; 0: none.
        pace: of the housekeeping.

    Raises:
        CacheError: another daemon runs (`DAEMON_RUNNING`), the directory is not to be trusted, or
            the socket, the log or the port cannot be had.
    """
    with place.alone():
        log_to(log_path)
        metrics = Metrics()
        served = tiers()
        housekeeper = Housekeeper(served, metrics, pace or Pace())
        server = Server(Service(served), housekeeper, metrics, terms)
        port = _metrics_port(metrics_port, server)
        os.chdir("/")  # no mount is held by where it was started
        server.heed_signals()
        with _listener(place) as listener:
            server.run(listener, lambda: activation.notify(f"READY=1\nMAINPID={os.getpid()}"))
        activation.notify("STOPPING=1")
        if port is not None:
            port.shutdown()
        server.settle()


def _metrics_port(port: int, server: Server) -> Any:
    if not port:
        return None
    from .metrics_port import MetricsServer  # few want it

    listening = MetricsServer(port, server.page)
    listening.begin()
    return listening


@contextmanager
def _listener(place: Place) -> Iterator[socket.socket]:
    handed_over = activation.inherited(place.address)
    if handed_over is None:
        with place.listening() as made:
            yield made
        return
    with handed_over:
        yield handed_over  # systemd's, which listens on when we have ended
