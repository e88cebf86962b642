"""`phasic cache clear`: removes all traces from the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import AnyTierOption, JsonOption
from phasic.cli.results import Fields, Result
from phasic.cli.session import Session, session_of

if TYPE_CHECKING:
    from phasic.cache.directory import CacheDirectory, Entry
    from phasic.trace_stores import DirectoryTier


def clear(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    pinned: Annotated[
        bool, typer.Option("--pinned", help="Remove pinned traces too, and their pins.")
    ] = False,
    tier: AnyTierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """Remove all traces but pinned ones. Asks on a terminal; needs --force elsewhere.

    `pinned` is how many stay since they are pinned; --pinned removes them too.
    What is removed from the shared or the remote cache is gone for all who use it.
    Those that are still to be saved in the caches behind go too; `phasic cache info` counts them.

    \b
    Examples:
      phasic cache clear
      phasic cache clear --dry-run
      phasic cache clear --force
    """
    from phasic.trace_stores import where

    session, place = session_of(context), where(tier)
    found, stay = (_remote_entries(), 0) if tier == "remote" else _unpinned(tier, pinned)
    if not dry_run:
        if found and not force and not _confirmed(session, found, place):
            return _outcome(place, [], stay, dry_run, ExitCode.NO)
        found = _remove_remote(found) if tier == "remote" else _clear(tier, pinned)
    return _outcome(place, found, stay, dry_run, ExitCode.DONE)


def _unpinned(tier: DirectoryTier, pinned: bool) -> tuple[list[Entry], int]:
    """What may go, and how many stay."""
    cache, kept = _kept(tier, pinned)
    entries = cache.entries()
    found = [entry for entry in entries if entry.key not in kept]
    return found, len(entries) - len(found)


def _clear(tier: DirectoryTier, pinned: bool) -> list[Entry]:
    from phasic.cache import pins

    cache, kept = _kept(tier, pinned)
    removed = cache.clear(kept)
    for key in pins.pinned(cache) - kept:
        pins.unpin(cache, key)
    return removed


def _kept(tier: DirectoryTier, pinned: bool) -> tuple[CacheDirectory, frozenset[str]]:
    from phasic.cache import pins
    from phasic.cli.tier_directory import tier_directory

    cache = tier_directory(tier)
    return cache, frozenset() if pinned else pins.pinned(cache)


def _remote_entries() -> list[Entry]:
    from phasic.trace_stores import file_remote

    return list(file_remote().entries())


def _remove_remote(entries: list[Entry]) -> list[Entry]:
    from phasic.trace_stores import file_remote

    remote = file_remote()
    for entry in entries:
        remote.remove(entry.key)
    return entries


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


def _outcome(
    directory: str, entries: list[Entry], stay: int, dry_run: bool, code: ExitCode
) -> Result:
    fields = {
        "directory": directory,
        "removed": len(entries),
        "bytes": sum(entry.n_bytes for entry in entries),
        "pinned": stay,
        "dry_run": dry_run,
    }
    return Result(Fields(fields), code)
