"""`phasic cache prune`: keeps the cache within its limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from phasic.cli.options import JsonOption, TierOption
from phasic.cli.results import Fields, Result


def prune(
    context: typer.Context,
    max_bytes: Annotated[
        str | None,
        typer.Option(
            "--max-bytes",
            metavar="N",
            help="Leave at most N bytes of traces, as in 500M.  [default: cache_high_bytes]",
        ),
    ] = None,
    max_age: Annotated[
        int | None,
        typer.Option(
            "--max-age",
            metavar="DAYS",
            min=1,
            help="Remove traces unused for longer.  [default: cache_max_age_days]",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be removed.")
    ] = False,
    tier: TierOption = "local",
    as_json: JsonOption = False,
) -> Result:
    """Remove what exceeds the limits, those unused for longest first, and what dead processes left.

    Pinned traces stay. The limits are those of the configuration unless given; without any, only
    files that nobody has been writing to for an hour go. The shared cache has no limits but those
    given here, and no notes of uses: the traces written longest ago go first.

    \b
    Examples:
      phasic cache prune
      phasic cache prune --max-bytes 2G --dry-run
      phasic cache prune --max-age 30
    """
    from phasic import config, trace_stores
    from phasic.cache.collector import DAY

    limits = trace_stores.limits(tier)
    if max_bytes is not None:
        with config.override(cache_high_bytes=max_bytes):
            high_bytes = config.get_int("cache_high_bytes")
        limits = replace(limits, high_bytes=high_bytes, low_bytes=high_bytes)
    if max_age is not None:
        limits = replace(limits, max_age=max_age * DAY)
    store = trace_stores.file_store(tier, limits)
    collected = store.collector.collect(dry_run=dry_run)
    if collected.entries and not dry_run:
        store.counts.add("evicted", len(collected.entries))
    fields = {
        "directory": store.directory.path,
        "removed": len(collected.entries),
        "bytes": sum(entry.n_bytes for entry in collected.entries),
        "orphans": len(collected.orphans),
        "dry_run": dry_run,
    }
    return Result(Fields(fields))
