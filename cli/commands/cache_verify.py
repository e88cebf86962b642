"""`phasic cache verify`: which traces in the cache are damaged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import AnyTierOption, JsonOption, KeysArgument
from phasic.cli.results import Result, Table
from phasic.cli.session import session_of

if TYPE_CHECKING:
    from phasic._engine.stored_trace import StoredTrace
    from phasic.cache.turns import Look
    from phasic.errors import PhasicError
    from phasic.trace_stores import Tier


def verify(
    context: typer.Context,
    keys: KeysArgument = None,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="Move what is damaged to .quarantine.")
    ] = False,
    tier: AnyTierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """Read traces in the cache whole and list those that are damaged: key, code, what is wrong.

    Checksums, all indices and the hash of the graph are checked. Exits 1 if there is any. What is
    damaged in the remote cache is left there: `phasic cache push --replace` replaces it.

    \b
    Examples:
      phasic cache verify
      phasic cache verify 3f2a90cc
      phasic cache verify --quarantine
    """
    from phasic.cache.breaker import TIER_DOWN
    from phasic.cli.keys import no_such_key, whole_key
    from phasic.cli.progress import ProgressBar
    from phasic.trace_stores import file_store

    session = session_of(context)
    if tier == "remote" and quarantine:
        raise UsageError(
            "what is damaged in the remote cache is not moved",
            code="USAGE",
            hint="`phasic cache push --replace KEY` replaces it by what this machine has",
        )
    asked = [whole_key(key, tier) for key in keys or ()]
    chosen = asked or _all_keys(tier)
    look = _look(tier)
    damaged: list[tuple[str, PhasicError]] = []
    with ProgressBar(session, "verifying") as bar:
        for done, key in enumerate(chosen):
            if bar.callback is not None:
                bar.callback(done, len(chosen))
            value, problem = look(key)
            if problem is not None and problem.code == TIER_DOWN:
                raise problem
            if problem is not None:
                damaged.append((key, problem))
            elif value is None and key in asked:
                raise no_such_key(key, tier)
    if quarantine and tier != "remote":
        store = file_store(tier)
        for key, problem in damaged:
            store.set_aside(key, problem)
    count = "1 trace" if len(chosen) == 1 else f"{len(chosen):,} traces"
    session.note(f"{count} read, {len(damaged):,} damaged")
    rows = [(key, problem.code, problem.message) for key, problem in damaged]
    table = Table(("key", "code", "problem"), rows, noun="damaged trace")
    return Result(table, ExitCode.NO if damaged else ExitCode.DONE)


def _all_keys(tier: Tier) -> list[str]:
    from phasic.trace_stores import file_remote, trace_directory

    if tier == "remote":
        return [entry.key for entry in file_remote().entries()]
    directory = trace_directory(tier)
    return sorted({entry.key for entry in directory.entries()} | set(directory.irregular()))


def _look(tier: Tier) -> Look[StoredTrace]:
    from phasic.trace_stores import file_remote, file_store

    return file_remote().look if tier == "remote" else file_store(tier).look
