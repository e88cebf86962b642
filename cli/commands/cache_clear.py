"""`phasic cache clear`: removes all traces from the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import JsonOption, TierOption
from phasic.cli.results import Fields, Result
from phasic.cli.session import Session, session_of

if TYPE_CHECKING:
    from phasic.cache.directory import Entry


def clear(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    pinned: Annotated[
        bool, typer.Option("--pinned", help="Remove pinned traces too, and their pins.")
    ] = False,
    tier: TierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """Remove all traces but pinned ones. Asks on a terminal; needs --force elsewhere.

    Those that are still to be saved in the shared cache go too; `phasic cache info` counts them.

    \b
    Examples:
      phasic cache clear
      phasic cache clear --dry-run
      phasic cache clear --force
    """
    from phasic.cache import pins
    from phasic.trace_cache import trace_directory

    session = session_of(context)
    cache = trace_directory(tier)
    pinned_keys = pins.pinned(cache)
    kept = frozenset() if pinned else pinned_keys
    found = [entry for entry in cache.entries() if entry.key not in kept]
    if not dry_run:
        if found and not force and not _confirmed(session, found, cache.path):
            return _outcome(cache.path, [], dry_run, ExitCode.NO)
        found = cache.clear(kept)
        for key in pinned_keys - kept:
            pins.unpin(cache, key)
    return _outcome(cache.path, found, dry_run, ExitCode.DONE)


def _confirmed(session: Session, entries: list[Entry], directory: str) -> bool:
    count = "1 trace" if len(entries) == 1 else f"{len(entries)} traces"
    if not session.interactive or session.json:
        raise UsageError(
            f"nobody is there to confirm that {count} may go",
            code="NEEDS_FORCE",
            hint="--force removes without asking, --dry-run shows what would go",
        )
    size = sum(entry.n_bytes for entry in entries)
    session.streams.say(f"Remove {count} ({size:,} bytes) from {directory}? [y/N] ")
    return session.streams.stdin.readline().strip().lower() in {"y", "yes"}


def _outcome(directory: str, entries: list[Entry], dry_run: bool, code: ExitCode) -> Result:
    fields = {
        "directory": directory,
        "removed": len(entries),
        "bytes": sum(entry.n_bytes for entry in entries),
        "dry_run": dry_run,
    }
    return Result(Fields(fields), code)
