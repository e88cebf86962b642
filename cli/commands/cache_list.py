"""`phasic cache list`: the traces in the cache."""

from __future__ import annotations

import typer

from phasic.cli.options import JsonOption, TierOption
from phasic.cli.results import Result, Table
from phasic.cli.times import utc


def list_entries(
    context: typer.Context, tier: TierOption = "local", as_json: JsonOption = False
) -> Result:
    """The traces in the cache, the newest first: key, bytes, when written (UTC), pinned or not.

    \b
    Examples:
      phasic cache list
      phasic cache list | cut -f1 | head -1 | phasic evaluate - --theta 1.0
    """
    from phasic.cache.pins import pinned
    from phasic.trace_cache import trace_directory

    directory = trace_directory(tier)
    kept = pinned(directory)
    found = sorted(directory.entries(), key=lambda entry: (-entry.modified, entry.key))
    rows = ((entry.key, entry.n_bytes, utc(entry.modified), entry.key in kept) for entry in found)
    return Result(Table(("key", "bytes", "written", "pinned"), rows, noun="trace in the cache"))
