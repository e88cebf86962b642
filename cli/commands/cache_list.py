"""`phasic cache list`: the traces in the cache."""

from __future__ import annotations

from datetime import UTC, datetime

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
    from phasic.trace_cache import trace_directory

    found = sorted(trace_directory().entries(), key=lambda entry: (-entry.modified, entry.key))
    rows = ((entry.key, entry.n_bytes, _written(entry.modified)) for entry in found)
    return Result(Table(("key", "bytes", "written"), rows, noun="trace in the cache"))


def _written(modified: float) -> str:
    return datetime.fromtimestamp(modified, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
