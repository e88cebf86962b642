"""`phasic cache info`: where traces are kept and how much room they take."""

from __future__ import annotations

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Fields, Result


def info(context: typer.Context, as_json: JsonOption = False) -> Result:
    """Where traces are kept, how many there are and how many bytes they take.

    \b
    Examples:
      phasic cache info
      PHASIC_CACHE_DIR=/scratch/traces phasic cache info --json
    """
    from phasic import config
    from phasic.trace_cache import trace_directory

    directory = config.setting("cache_dir")
    cache = trace_directory()
    found = cache.entries()
    return Result(
        Fields(
            {
                "directory": directory.value,
                "source": directory.source,
                "enabled": not config.get_bool("disable_cache"),
                "traces": len(found),
                "bytes": sum(entry.n_bytes for entry in found),
                "quarantined": len(cache.quarantined()),
            }
        )
    )
