"""`phasic cache info`: where traces are kept, how much room they take, what happened to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Fields, Json, Result
from phasic.errors import CacheError, FormatError

if TYPE_CHECKING:
    from phasic.cache.redis_lease import RedisLeases
    from phasic.trace_cache import CacheUse


def info(context: typer.Context, as_json: JsonOption = False) -> Result:
    """Where traces are kept, how many and how large they are, hits and misses, failures, limits.

    What is counted over time (hits, misses, saved, failed_saves, damaged, evicted) is what you did
    with this cache on this machine. Ages are times since the last use, which are noted where there
    are limits, else since writing. `pending` are still to be saved in the tiers behind. `shared` is
    the same of the cache in PHASIC_CACHE_SHARED_DIR, `remote` of that in PHASIC_CACHE_REMOTE_URL
    (bytes are those after compression), `leases` tells of PHASIC_CACHE_REDIS_URL; each is null
    where there is none. `daemon` is what it does with this cache, and whether it runs. `phasic
    cache plot` draws it.

    \b
    Examples:
      phasic cache info
      PHASIC_CACHE_DIR=/scratch/traces phasic cache info --json
    """
    from phasic import config
    from phasic.cache import pending
    from phasic.trace_cache import get_cache_use
    from phasic.trace_stores import leases, tiers, trace_directory

    among = leases()
    limits = ("high_bytes", "low_bytes", "max_age_days", "min_free_bytes")
    use = get_cache_use()
    fields = {
        "directory": use["directory"],
        "source": config.setting("cache_dir").source,
        "enabled": not config.get_bool("disable_cache"),
        **_held(use),
        "pending": len(pending.keys(trace_directory())),
        **{name: config.get_int(f"cache_{name}") for name in limits},
        "shared": _shared(get_cache_use("shared")) if "shared" in tiers() else None,
        "remote": _remote(get_cache_use("remote")) if "remote" in tiers() else None,
        "leases": None if among is None else _leases(among),
        "daemon": _daemon(),
    }
    return Result(Fields(fields))


def _held(use: CacheUse) -> dict[str, Json]:
    return {
        "traces": use["traces"],
        "bytes": use["bytes"],
        "pinned": use["pinned"],
        "quarantined": use["quarantined"],
        **use["counts"],
        "not_counted": use["not_counted"],
        "ages": use["ages"],
        "sizes": use["sizes"],
    }


def _daemon() -> dict[str, Json]:
    """Whether one runs, and what it does with the local cache, which it counts apart."""
    from phasic import config, daemon_settings
    from phasic.daemon.client import ask
    from phasic.trace_stores import served_counts

    place = daemon_settings.place()
    found: dict[str, Json] = {"mode": config.get_str("daemon"), "socket": place.address}
    try:
        answer = ask(place, "status")
    except (CacheError, FormatError) as error:
        return {**found, "state": "lost", "problem": error.message}
    if answer is None:
        return {**found, "state": "not running", "problem": None}
    counts = served_counts()["local"].read()
    return {**found, "state": "running", "problem": None, "pid": answer["pid"], **counts}


def _shared(use: CacheUse) -> dict[str, Json]:
    """What it holds or, where it cannot be asked, why not; what was counted in any case."""
    from phasic import config

    return {
        "directory": use["directory"],
        "source": config.setting("cache_shared_dir").source,
        "problem": use["problem"],
        **(use["counts"] if use["problem"] else _held(use)),
    }


def _remote(use: CacheUse) -> dict[str, Json]:
    """What it holds or, where it cannot be asked, why not; what was counted in any case."""
    from phasic import config

    return {
        "url": use["directory"],
        "endpoint": config.get_str("cache_remote_endpoint"),
        "source": config.setting("cache_remote_url").source,
        "problem": use["problem"],
        **(use["counts"] if use["problem"] else _held(use)),
    }


def _leases(leases: RedisLeases) -> dict[str, Json]:
    from phasic import config

    return {
        "url": leases.url,
        "source": config.setting("cache_redis_url").source,
        "problem": leases.problem(),
        "unavailable": leases.counts.read()["unavailable"],
    }
