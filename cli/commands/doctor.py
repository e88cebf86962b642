"""`phasic doctor`: whether this installation works, and what to do where it does not."""

from __future__ import annotations

from itertools import chain
from typing import Annotated

import typer

from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import JsonOption
from phasic.cli.results import Result, Table


def doctor(
    context: typer.Context,
    deadline: Annotated[
        int,
        typer.Option(
            "--deadline", metavar="SECONDS", min=1, help="How long JAX may take to answer."
        ),
    ] = 60,
    as_json: JsonOption = False,
) -> Result:
    """Check engine, packages, JAX, configuration, caches, file system and daemon.

    Each finding is ok, advice (it works, and something may be better) or problem; those two say
    what to do. Exits 1 where there is a problem. Nothing is changed and nothing is left behind.

    \b
    Examples:
      phasic doctor
      phasic doctor --json
      phasic doctor --deadline 300
      PHASIC_CACHE_DIR=/scratch/traces phasic doctor
    """
    from phasic.cli.checks.cache import check_cache
    from phasic.cli.checks.daemon import check_daemon
    from phasic.cli.checks.engine import check_engine
    from phasic.cli.checks.finding import State
    from phasic.cli.checks.jax import check_jax
    from phasic.cli.checks.remote import check_remote
    from phasic.cli.checks.settings import check_settings
    from phasic.cli.checks.software import check_software

    findings = list(
        chain(
            check_engine(),
            check_software(),
            check_jax(deadline),
            check_settings(),
            check_cache(),
            check_remote(),
            check_daemon(),
        )
    )
    rows = [(one.check, str(one.state), one.found, one.advice or None) for one in findings]
    healthy = all(one.state is not State.PROBLEM for one in findings)
    table = Table(("check", "state", "found", "advice"), rows, noun="finding")
    return Result(table, ExitCode.DONE if healthy else ExitCode.NO)
