"""The daemon: whether it answers, is ours, and serves what we are configured for."""

from __future__ import annotations

from collections.abc import Iterator

from phasic import config
from phasic.cli.checks.finding import Finding, advice, ok, problem
from phasic.errors import CacheError, ConfigError, FormatError


def check_daemon() -> Iterator[Finding]:
    """As a process finds it that wants an entry."""
    from phasic import daemon_settings, trace_stores
    from phasic.daemon.client import STATUS_SECONDS, answer, call

    try:
        mode = config.get_str("daemon")
        place = daemon_settings.place()
        places = trace_stores.places()
    except ConfigError:
        return  # the settings say so
    if mode == "off" or config.get_bool("disable_cache"):
        yield ok("daemon", "not used")
        return
    found = advice if mode == "auto" else problem
    try:
        connection = call(place, "status", places, STATUS_SECONDS)
        if connection is not None:
            with connection:
                status = answer(connection, STATUS_SECONDS)
    except (CacheError, FormatError) as error:
        yield found("daemon", error.message, error.hint or "")
        return
    if connection is not None:
        yield ok("daemon", f"process {status['pid']} answers at {place.address}")
    elif mode == "require":
        yield problem(
            "daemon",
            f"none is running at {place.address}",
            "`phasic daemon start` starts one; PHASIC_DAEMON=auto goes on without",
        )
    else:
        yield ok("daemon", "none is running")
