"""`phasic daemon stop`, `status`: the end of the daemon, and what it is and has done."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import JsonOption
from phasic.cli.results import Fields, Result, Value
from phasic.errors import CacheError

if TYPE_CHECKING:
    from phasic.daemon.place import Place

_LOOK_SECONDS = 0.05


def stop(context: typer.Context, as_json: JsonOption = False) -> Result:
    """Stop the daemon: what is under way is finished, or marked for whoever comes next.

    Also one of another version of phasic. Exits 0 too where none runs.

    \b
    Examples:
      phasic daemon stop
      phasic daemon stop && phasic daemon start
    """
    from phasic import config, daemon_settings
    from phasic.daemon.client import ask

    place = daemon_settings.place()
    if not place.check() or not place.is_locked():
        return Result(Fields({"state": "not running", "pid": None}))
    pid = place.holder()
    try:
        told = ask(place, "stop")
    except CacheError:
        told = None  # it hangs, or is of another version
    if told is None and pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    _await_end(place, pid, 2 * config.get_float("cache_deadline_seconds"))
    return Result(Fields({"state": "stopped", "pid": pid}))


def status(
    context: typer.Context,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Its numbers as Prometheus reads them.")
    ] = False,
    as_json: JsonOption = False,
) -> Result:
    """Whether the daemon runs, what it serves, and what it has done. Exits 1 where none runs.

    \b
    Examples:
      phasic daemon status
      phasic daemon status --json
      phasic daemon status --metrics
    """
    from phasic import daemon_settings
    from phasic.daemon.client import ask

    place = daemon_settings.place()
    answer = ask(place, "metrics" if metrics else "status")
    if answer is None:
        return Result(Fields({"state": "not running", "socket": place.address}), ExitCode.NO)
    if metrics:
        return Result(Value("metrics", answer["text"].rstrip("\n")))
    fields = {name: value for name, value in answer.items() if name != "op"}
    return Result(
        Fields(
            {
                "state": "running",
                "socket": place.address,
                "log": daemon_settings.log_path(),
                **fields,
            }
        )
    )


def _await_end(place: Place, pid: int | None, seconds: float) -> None:
    end = time.monotonic() + seconds
    while place.is_locked():
        if time.monotonic() > end:
            raise CacheError(
                f"the daemon, process {pid or 'unknown'}, does not end within {seconds:g} s",
                code="DAEMON_HANGS",
                hint=f"nothing is lost by `kill -9 {pid}`" if pid else None,
            )
        time.sleep(_LOOK_SECONDS)
