"""`phasic daemon logs`, `phasic daemon unit`: what it says, and what systemd needs to run it."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Result, Table, Value


def logs(
    context: typer.Context,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="N", min=1, help="How many of the last lines.")
    ] = 100,
    path: Annotated[bool, typer.Option("--path", help="Only say where the log is.")] = False,
    as_json: JsonOption = False,
) -> Result:
    """The last lines of the daemon's log.

    \b
    Examples:
      phasic daemon logs
      phasic daemon logs -n 1000 | grep WARNING
      tail -F "$(phasic daemon logs --path)"
    """
    from phasic import daemon_settings
    from phasic.daemon.log import last_lines

    where = daemon_settings.log_path()
    if path:
        return Result(Value("path", where))
    return Result(Table(("line",), [(line,) for line in last_lines(where, lines)], noun="line"))


def unit(
    context: typer.Context,
    socket: Annotated[
        bool, typer.Option("--socket", help="The socket unit instead of the service.")
    ] = False,
    as_json: JsonOption = False,
) -> Result:
    """Units with which systemd starts the daemon when it is first needed, for this configuration.

    They repeat the PHASIC_* variables of the environment. Credentials (AWS_*, REDISCLI_AUTH) they
    do not: name a file that holds them with EnvironmentFile= (`systemctl --user edit phasic`).

    \b
    Examples:
      phasic daemon unit > ~/.config/systemd/user/phasic.service
      phasic daemon unit --socket > ~/.config/systemd/user/phasic.socket
      systemctl --user enable --now phasic.socket
    """
    from phasic import config, daemon_settings
    from phasic.daemon.units import SERVICE, SOCKET, units

    place = daemon_settings.place()
    # Our own variables, none of which holds a secret; others may.
    environment = {
        key.variable: _text(config.setting(key.name).value)
        for key in config.KEYS
        if config.setting(key.name).source == "environment"
    }
    command = [sys.executable, "-P", "-m", "phasic.cli", "daemon", "run"]
    texts = units(command, place.address, environment)
    name = SOCKET if socket else SERVICE
    return Result(Value("unit", texts[name].rstrip("\n"), {"name": name}))


def _text(value: bool | int | float | str) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)
