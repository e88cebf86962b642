"""Traces in the cache: find one, keep one, have one recorded once; what the cache holds.

A trace is a pure function of its key, so an entry is right or damaged and never stale. What the
cache cannot do is a warning: whoever has recorded a trace has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Required, TypedDict

from . import config, errors
from .cache import pins
from .cache.counts import Counts
from .cache.store import Obtained
from .cache.summary import Summary, summarise, summary_of
from .trace_stores import Tier, file_remote, file_store, trace_directory, trace_tiers, where

if TYPE_CHECKING:
    from ._engine.trace import TraceHandle


class CacheUse(TypedDict, total=False):
    """What a tier holds and what happened to it; `problem` alone where it cannot be asked.

    `counts` are those of `phasic.cache.counts.EVENTS`; `ages` and `sizes` how many traces are in
    each class.
    """

    directory: Required[str]
    problem: Required[str | None]
    counts: Required[dict[str, int]]
    traces: int
    bytes: int
    pinned: int
    quarantined: int
    not_counted: str | None
    ages: dict[str, int]
    sizes: dict[str, int]


class CacheInfo(TypedDict):
    """What the cache directory holds: traces, their bytes together, damaged entries set aside."""

    cache_dir: str
    n_traces: int
    total_size: int
    n_quarantined: int
    disabled: bool


def get_cache_dir() -> Path:
    """The directory in which traces are kept; it need not exist.

    `PHASIC_CACHE_DIR`, else `cache_dir` of the configuration file, else `~/.phasic_cache/traces`.

    Example:
        >>> from phasic.trace_cache import get_cache_dir
        >>> get_cache_dir().is_absolute()
        True
    """
    return Path(config.get_str("cache_dir"))


def get_cache_info() -> CacheInfo:
    """How many traces the cache directory holds and how much room they take.

    Raises:
        CacheError: the directory is there and cannot be read.
    """
    directory = trace_directory()
    entries = directory.entries()
    return CacheInfo(
        cache_dir=directory.path,
        n_traces=len(entries),
        total_size=sum(entry.n_bytes for entry in entries),
        n_quarantined=len(directory.quarantined()),
        disabled=config.get_bool("disable_cache"),
    )


def get_cache_use(tier: Tier = "local") -> CacheUse:
    """What a tier of the cache holds, and what happened to it over time.

    Args:
        tier: "local", or "shared" or "remote" where there is one.

    Raises:
        CacheError: the local directory is there and cannot be read; another tier that cannot be
            has its `problem` said.
        ConfigError: there is no such tier.

    Example:
        >>> from phasic.trace_cache import get_cache_use
        >>> get_cache_use()["problem"] is None
        True
    """
    counts, summarised = _summary(tier)
    use = CacheUse(directory=where(tier), problem=None, counts=counts.read())
    try:
        held = summarised()
    except errors.CacheError as error:
        if tier == "local":
            raise
        use["problem"] = error.message
        return use
    return CacheUse(
        **use,
        traces=held.entries,
        bytes=held.bytes,
        pinned=held.pinned,
        quarantined=held.quarantined,
        not_counted=counts.problem(),
        ages=held.ages,
        sizes=held.sizes,
    )


def _summary(tier: Tier) -> tuple[Counts, Callable[[], Summary]]:
    if tier == "remote":
        remote = file_remote()
        return remote.counts, lambda: summary_of(list(remote.entries()), time.time())
    store = file_store(tier)
    return store.counts, lambda: store.reach(lambda: summarise(store.directory, time.time()))


def clear_trace_cache() -> int:
    """Removes all traces but pinned ones from the cache directory.

    Returns:
        How many were removed.

    Raises:
        CacheError: an entry cannot be removed.
    """
    directory = trace_directory()
    return len(directory.clear(pins.pinned(directory)))


def cache_is_enabled() -> bool:
    """Whether traces are looked up and kept; says it once where they are not."""
    if not config.get_bool("disable_cache"):
        return True
    errors.warn(
        "CACHE_DISABLED",
        "PHASIC_DISABLE_CACHE is set: traces are neither read from nor written to the cache",
        once=True,
    )
    return False


def find(key: bytes) -> TraceHandle | None:
    """The trace of a key, or None: not there, damaged (moved aside and said), or disabled."""
    return trace_tiers().find(key.hex()) if cache_is_enabled() else None


def keep(trace: TraceHandle) -> bool:
    """Saves a trace under its own key; whether it is there now. A failure is a warning."""
    return cache_is_enabled() and trace_tiers().keep(trace.hashes[1].hex(), trace)


def obtain(key: bytes, record: Callable[[], TraceHandle]) -> Obtained[TraceHandle]:
    """The trace of a key from the cache, else recorded, by one process of all that want it."""
    if not cache_is_enabled():
        return Obtained(record(), recorded=True, kept=False)
    return trace_tiers().obtain(key.hex(), record)
