"""`phasic cache info`: where traces are kept, how much room they take, what happened to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import typer

from phasic.cli.options import JsonOption
from phasic.cli.results import Fields, Json, Result
from phasic.errors import CacheError, FormatError

if TYPE_CHECKING:
    from phasic._engine.stored_trace import StoredTrace
    from phasic.cache.counts import Counts
    from phasic.cache.redis_lease import RedisLeases
    from phasic.cache.remote import RemoteTier
    from phasic.cache.store import Store
    from phasic.cache.summary import Summary


def info(context: typer.Context, as_json: JsonOption = False) -> Result:
    """Where traces are kept, how many and how large they are, hits and misses, failures, limits.

    What is counted over time (hits, misses, saved, failed_saves, damaged, evicted) is what you did
    with this cache on this machine. Ages are times since the last use, which are noted where there
    are limits, else since writing. `pending` are still to be saved in the tiers behind. `shared` is
    the same of the cache in PHASIC_CACHE_SHARED_DIR, `remote` of that in PHASIC_CACHE_REMOTE_URL
    (bytes are those after compression), `leases` tells of PHASIC_CACHE_REDIS_URL; each is null
    where there is none. `daemon` is what it does with this cache, and whether it runs.

    \b
    Examples:
      phasic cache info
      PHASIC_CACHE_DIR=/scratch/traces phasic cache info --json
    """
    from phasic import config
    from phasic.cache import pending
    from phasic.trace_cache import file_remote, file_store, leases, tiers

    among = leases()
    store = file_store()
    limits = ("high_bytes", "low_bytes", "max_age_days", "min_free_bytes")
    fields = {
        "directory": store.directory.path,
        "source": config.setting("cache_dir").source,
        "enabled": not config.get_bool("disable_cache"),
        **_held(store),
        "pending": len(pending.keys(store.directory)),
        **{name: config.get_int(f"cache_{name}") for name in limits},
        "shared": _shared(file_store("shared")) if "shared" in tiers() else None,
        "remote": _remote(file_remote()) if "remote" in tiers() else None,
        "leases": None if among is None else _leases(among),
        "daemon": _daemon(),
    }
    return Result(Fields(fields))


def _held(store: Store[StoredTrace]) -> dict[str, Json]:
    from phasic.cache.summary import summarise

    return _numbers(store.reach(lambda: summarise(store.directory, time.time())), store.counts)


def _numbers(summary: Summary, counts: Counts) -> dict[str, Json]:
    return {
        "traces": summary.entries,
        "bytes": summary.bytes,
        "pinned": summary.pinned,
        "quarantined": summary.quarantined,
        **counts.read(),
        "not_counted": counts.problem(),
        "ages": summary.ages,
        "sizes": summary.sizes,
    }


def _daemon() -> dict[str, Json]:
    """Whether one runs, and what it does with the local cache, which it counts apart."""
    from phasic import config, daemon_settings
    from phasic.daemon.client import ask
    from phasic.trace_cache import served_counts

    place = daemon_settings.place()
    found: dict[str, Json] = {"mode": config.get_str("daemon"), "socket": place.socket}
    try:
        answer = ask(place, "status") if place.is_possible() else None
    except (CacheError, FormatError) as error:
        return {**found, "state": "lost", "problem": error.message}
    if answer is None:
        return {**found, "state": "not running", "problem": None}
    counts = served_counts()["local"].read()
    return {**found, "state": "running", "problem": None, "pid": answer["pid"], **counts}


def _shared(store: Store[StoredTrace]) -> dict[str, Json]:
    """What it holds or, where it cannot be asked, why not; what was counted in any case."""
    from phasic import config

    place = {
        "directory": store.directory.path,
        "source": config.setting("cache_shared_dir").source,
    }
    try:
        return {**place, "problem": None, **_held(store)}
    except CacheError as error:
        return {**place, "problem": error.message, **store.counts.read()}


def _remote(remote: RemoteTier[StoredTrace]) -> dict[str, Json]:
    """What it holds or, where it cannot be asked, why not; what was counted in any case."""
    from phasic import config
    from phasic.cache.summary import summary_of

    place = {
        "url": remote.objects.place.url,
        "endpoint": remote.objects.place.endpoint,
        "source": config.setting("cache_remote_url").source,
    }
    try:
        summary = summary_of(list(remote.entries()), time.time())
    except CacheError as error:
        return {**place, "problem": error.message, **remote.counts.read()}
    return {**place, "problem": None, **_numbers(summary, remote.counts)}


def _leases(leases: RedisLeases) -> dict[str, Json]:
    from phasic import config

    return {
        "url": leases.url,
        "source": config.setting("cache_redis_url").source,
        "problem": leases.problem(),
        "unavailable": leases.counts.read()["unavailable"],
    }
