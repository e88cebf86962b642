"""`phasic cache info`: where traces are kept, how much room they take, what happened to them."""

from __future__ import annotations

import time

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Fields, Result


def info(context: typer.Context, as_json: JsonOption = False) -> Result:
    """Where traces are kept, how many and how large they are, hits and misses, failures, limits.

    What is counted over time (hits, misses, saved, failed_saves, damaged, evicted) is what you did
    with this cache on this machine. Ages are times since the last use, which are noted where there
    are limits, else since writing.

    \b
    Examples:
      phasic cache info
      PHASIC_CACHE_DIR=/scratch/traces phasic cache info --json
    """
    from phasic import config
    from phasic.cache.summary import summarise
    from phasic.trace_cache import file_store

    place = config.setting("cache_dir")
    store = file_store()
    summary = summarise(store.directory, time.time())
    limits = ("high_bytes", "low_bytes", "max_age_days", "min_free_bytes")
    fields = {
        "directory": place.value,
        "source": place.source,
        "enabled": not config.get_bool("disable_cache"),
        "traces": summary.entries,
        "bytes": summary.bytes,
        "pinned": summary.pinned,
        "quarantined": summary.quarantined,
        **store.counts.read(),
        "not_counted": store.counts.problem(),
        **{name: config.get_int(f"cache_{name}") for name in limits},
        "ages": summary.ages,
        "sizes": summary.sizes,
    }
    return Result(Fields(fields))
