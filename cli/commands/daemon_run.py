"""`phasic daemon run`, `phasic daemon start`: the daemon here, or in the background."""

from __future__ import annotations

import os
import sys
import time
from typing import IO, TYPE_CHECKING

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Fields, Result
from phasic.errors import CacheError, ConfigError

if TYPE_CHECKING:
    from phasic.daemon.place import Place

_START_SECONDS = 20.0
_LOOK_SECONDS = 0.05


def run(context: typer.Context, as_json: JsonOption = False) -> Result:
    """Be the cache's daemon in the foreground, until told to stop or idle for daemon_idle_seconds.

    What happens goes to its log. Under systemd, `phasic daemon unit` prints what it needs.

    \b
    Examples:
      phasic daemon run
      PHASIC_DAEMON_METRICS_PORT=9477 phasic daemon run
      PHASIC_DAEMON_IDLE_SECONDS=0 phasic daemon run
    """
    from phasic import config, daemon_settings, trace_stores
    from phasic.daemon.run import run as serve
    from phasic.daemon.server import Terms

    _check_enabled()
    place = daemon_settings.place()
    terms = Terms(
        places=daemon_settings.served(trace_stores.places()),
        idle_seconds=config.get_int("daemon_idle_seconds"),
        grace_seconds=config.get_float("cache_deadline_seconds"),
        counts=trace_stores.served_counts(),
    )
    serve(
        place,
        daemon_settings.log_path(),
        trace_stores.served_tiers,
        terms,
        config.get_int("daemon_metrics_port"),
    )
    return Result(Fields({"state": "stopped", "socket": place.address}))


def start(context: typer.Context, as_json: JsonOption = False) -> Result:
    """Start the cache's daemon of this node and user; one that runs already is left as it is.

    It brings entries of the shared and the remote cache to this node once, saves there what is
    recorded, holds to deadlines, and keeps the local cache within its limits. It has the
    configuration and the environment of this command. That one runs which serves another cache
    than is configured now is an error.

    \b
    Examples:
      phasic daemon start
      PHASIC_CACHE_SHARED_DIR=/group/traces phasic daemon start
    """
    from phasic import daemon_settings

    _check_enabled()
    place = daemon_settings.place()
    place.make()
    found = _answer(place)
    if found is not None:
        return Result(Fields({"state": "running already", "pid": found, "socket": place.address}))
    pid, reader = _spawned()
    with open(reader, "rb") as output:
        return _awaited(place, pid, output)


def _awaited(place: Place, pid: int, output: IO[bytes]) -> Result:
    """Until the new process answers, or another that was started meanwhile."""
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        if os.waitpid(pid, os.WNOHANG)[0]:
            found = _answer(place)  # another start has won
            if found is None:
                raise _not_started(output)
            return Result(
                Fields({"state": "running already", "pid": found, "socket": place.address})
            )
        if os.path.lexists(place.address):
            found = _answer(place)
            if found == pid:
                return Result(Fields({"state": "started", "pid": found, "socket": place.address}))
        time.sleep(_LOOK_SECONDS)
    raise CacheError(
        f"the daemon, process {pid}, does not answer after {_START_SECONDS:g} s",
        code="DAEMON_LOST",
        hint="`phasic daemon logs` shows what it says",
    )


def _answer(place: Place) -> int | None:
    """The process that answers; None: none does, and one may be started."""
    from phasic import daemon_settings, trace_stores
    from phasic.daemon.client import ask
    from phasic.daemon.protocol import LOST

    try:
        status = ask(place, "status", daemon_settings.served(trace_stores.places()))
    except CacheError as error:
        if error.code != LOST:
            raise
        return None
    return None if status is None else int(status["pid"])


def _spawned() -> tuple[int, int]:
    """A daemon in a session of its own, with none of our streams; and where to read its end."""
    reader, writer = os.pipe()
    # -P: modules of the directory where we are, a user's queue.py, are none of the daemon's.
    command = [sys.executable, "-P", "-m", "phasic.cli", "daemon", "run", "--json"]
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, writer, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
    ]
    try:
        pid = os.posix_spawn(command[0], command, os.environ, file_actions=streams, setsid=True)
    finally:
        os.close(writer)
    return pid, reader


def _not_started(output: IO[bytes]) -> CacheError:
    import json

    try:
        error = json.loads(output.read())["error"]
        return CacheError(
            f"the daemon does not start: {error['message']}", code=error["code"], hint=error["hint"]
        )
    except (ValueError, KeyError, TypeError):
        return CacheError(
            "the daemon does not start: its process ended without a word",
            code="DAEMON_FAILED",
            hint="`phasic daemon run` shows why",
        )


def _check_enabled() -> None:
    from phasic import config

    if config.get_bool("disable_cache"):
        raise ConfigError(
            "PHASIC_DISABLE_CACHE is set, so there is nothing for a daemon to do",
            code="CACHE_DISABLED",
            hint="unset it, or `phasic config set disable_cache --default`",
        )
