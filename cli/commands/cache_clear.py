"""`phasic cache clear`: removes all traces from the cache."""

from __future__ import annotations

from typing import Annotated

import typer

from phasic.cli.errors import UsageError
from phasic.cli.exit_codes import ExitCode
from phasic.cli.options import JsonOption
from phasic.cli.results import Fields, Result
from phasic.cli.session import Session, session_of


def clear(
    context: typer.Context,
    force: Annotated[bool, typer.Option("--force", help="Do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    as_json: JsonOption = False,
) -> Result:
    """Remove all traces from the cache. Asks on a terminal; needs --force elsewhere.

    \b
    Examples:
      phasic cache clear
      phasic cache clear --dry-run
      phasic cache clear --force
    """
    from phasic import config
    from phasic.cli.cache_directory import entries
    from phasic.trace_cache import clear_trace_cache

    session = session_of(context)
    directory = config.get_str("cache_dir")
    found = entries(directory)
    size = sum(entry.bytes for entry in found)
    if found and not dry_run:
        if not force and not _confirmed(session, len(found), size, directory):
            return _outcome(directory, 0, 0, dry_run, ExitCode.NO)
        clear_trace_cache()
    return _outcome(directory, len(found), size, dry_run, ExitCode.DONE)


def _confirmed(session: Session, count: int, size: int, directory: str) -> bool:
    if not session.interactive or session.json:
        raise UsageError(
            f"nobody is there to confirm that {count} traces go",
            code="NEEDS_FORCE",
            hint="--force removes them without asking, --dry-run shows what would go",
        )
    traces = "1 trace" if count == 1 else f"{count} traces"
    session.streams.stderr.write(f"Remove {traces} ({size:,} bytes) from {directory}? [y/N] ")
    session.streams.stderr.flush()
    return session.streams.stdin.readline().strip().lower() in {"y", "yes"}


def _outcome(directory: str, count: int, size: int, dry_run: bool, code: ExitCode) -> Result:
    fields = {"directory": directory, "removed": count, "bytes": size, "dry_run": dry_run}
    return Result(Fields(fields), code)
