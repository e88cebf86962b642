"""`phasic cache list`: the traces in the cache."""

from __future__ import annotations

import typer

from phasic.cli.options import AnyTierOption, JsonOption
from phasic.cli.results import Result, Table
from phasic.cli.times import utc


def list_entries(
    context: typer.Context, tier: AnyTierOption = "local", as_json: JsonOption = False
) -> Result:
    """The traces in the cache, the newest first: key, bytes, when written (UTC), pinned or not.

    In the remote cache bytes are those after compression, and nothing is pinned.

    \b
    Examples:
      phasic cache list
      phasic cache list --tier remote
      phasic cache list | cut -f1 | head -1 | phasic evaluate - --theta 1.0
    """
    from phasic.cache.pins import pinned
    from phasic.trace_stores import file_remote, trace_directory

    if tier == "remote":
        kept, entries = frozenset[str](), list(file_remote().entries())
    else:
        directory = trace_directory(tier)
        kept, entries = pinned(directory), directory.entries()
    found = sorted(entries, key=lambda entry: (-entry.modified, entry.key))
    rows = ((entry.key, entry.n_bytes, utc(entry.modified), entry.key in kept) for entry in found)
    return Result(Table(("key", "bytes", "written", "pinned"), rows, noun="trace in the cache"))
