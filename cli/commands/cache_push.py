"""`phasic cache push` and `pull`: traces to and from the remote cache."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import JsonOption
from phasic.cli.results import Result, Table
from phasic.cli.session import Session, session_of
from phasic.errors import FormatError

if TYPE_CHECKING:
    from phasic._engine.stored_trace import StoredTrace
    from phasic.cache.remote import RemoteTier
    from phasic.trace_stores import Tier

_Keys = Annotated[
    list[str] | None,
    typer.Argument(metavar="[KEY]...", help="Keys of traces, or their first 8 digits or more."),
]
_All = Annotated[bool, typer.Option("--all", help="All that there are, instead of KEYs.")]
_DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def push(
    context: typer.Context,
    keys: _Keys = None,
    everything: _All = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Also write what is there already, as if damaged.")
    ] = False,
    dry_run: _DryRun = False,
    as_json: JsonOption = False,
) -> Result:
    """Save traces of this machine's cache in the remote one, each after it is found to be whole.

    Prints for each key what came of it: pushed, there (already), or damaged (here). Exits 1 if any
    is damaged, 3 if the remote cache cannot be asked.

    \b
    Examples:
      phasic cache push --all
      phasic cache push 3f2a90cc
      phasic cache push --all --dry-run
      phasic record model.py | xargs phasic cache push
    """
    from phasic.cli.keys import no_such_key
    from phasic.trace_stores import file_remote, file_store

    store, remote = file_store(), file_remote()
    chosen = _chosen(keys, everything, "local", [one.key for one in store.directory.entries()])
    there = frozenset() if replace else _held(remote, chosen, everything)

    def send(key: str) -> str:
        if key in there:
            return "there"
        trace, problem = store.look(key)
        if isinstance(problem, FormatError):
            return f"damaged: {problem.message}"
        if problem is not None:
            raise problem
        if trace is None:
            raise no_such_key(key, "local")
        if dry_run:
            return "would be pushed"
        if not remote.store(key, trace, replace):
            return "there"
        remote.counts.add("saved")
        return "pushed"

    return _moved(session_of(context), "pushing", chosen, send)


def pull(
    context: typer.Context,
    keys: _Keys = None,
    everything: _All = False,
    dry_run: _DryRun = False,
    as_json: JsonOption = False,
) -> Result:
    """Take traces of the remote cache into this machine's, each after it is found to be whole.

    Prints for each key what came of it: pulled, there (already), or damaged (in the remote cache).
    Exits 1 if any is damaged, 3 if the remote cache cannot be asked.

    \b
    Examples:
      phasic cache pull --all
      phasic cache pull 3f2a90cc
      phasic cache pull --all --dry-run
    """
    from phasic.cli.keys import no_such_key
    from phasic.trace_stores import file_remote, file_store

    store, remote = file_store(), file_remote()
    found = [one.key for one in remote.entries()] if everything else []
    chosen = _chosen(keys, everything, "remote", found)
    here = {one.key for one in store.directory.entries()}

    def take(key: str) -> str:
        if key in here:
            return "there"
        if dry_run:
            if not everything and not _held(remote, [key], False):
                raise no_such_key(key, "remote")
            return "would be pulled"
        try:
            trace = remote.fetch(key)
        except FormatError as error:
            return f"damaged: {error.message}"
        if trace is None:
            raise no_such_key(key, "remote")
        remote.counts.add("hits")
        return "pulled" if store.keep(key, trace) else "could not be saved here"

    return _moved(session_of(context), "pulling", chosen, take)


def _chosen(keys: list[str] | None, everything: bool, tier: Tier, found: list[str]) -> list[str]:
    from phasic.cli.keys import whole_key

    if bool(keys) == everything:
        raise UsageError(
            "either some KEYs or --all",
            code="USAGE",
            hint="`phasic cache list` shows the keys here, `--tier remote` those there",
        )
    return found if everything else [whole_key(key, tier) for key in dict.fromkeys(keys or ())]


def _held(remote: RemoteTier[StoredTrace], keys: list[str], everything: bool) -> frozenset[str]:
    """Which of the keys the remote cache has."""
    if everything:
        return frozenset(entry.key for entry in remote.entries())
    return frozenset(entry.key for key in keys for entry in remote.entries(key))


def _moved(
    session: Session, description: str, keys: list[str], move: Callable[[str], str]
) -> Result:
    from phasic.cli.progress import ProgressBar

    rows = []
    with ProgressBar(session, description, "traces") as bar:
        for done, key in enumerate(keys):
            if bar.callback is not None:
                bar.callback(done, len(keys))
            rows.append((key, move(key)))
    fine = all(outcome in _FINE for _, outcome in rows)
    table = Table(("key", "outcome"), rows, noun="trace")
    return Result(table, ExitCode.DONE if fine else ExitCode.NO)


_FINE = ("pushed", "pulled", "there", "would be pushed", "would be pulled")
