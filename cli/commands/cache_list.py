"""`phasic cache list`: the traces in the cache."""

from __future__ import annotations

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Result, Table


def list_entries(context: typer.Context, as_json: JsonOption = False) -> Result:
    """The traces in the cache, the newest first: key, bytes, when it was written (UTC).

    \b
    Examples:
      phasic cache list
      phasic cache list | cut -f1 | head -1 | phasic evaluate - --theta 1.0
    """
    from phasic import config
    from phasic.cli.cache_directory import entries

    found = entries(config.get_str("cache_dir"))
    rows = ((entry.key, entry.bytes, entry.written) for entry in found)
    return Result(Table(("key", "bytes", "written"), rows, noun="trace in the cache"))
