"""Traces in the cache directory: find one, keep one, never fail a computation for it.

A trace is a pure function of its key, so an entry is right or damaged and never stale. A damaged
one is moved to `.quarantine`, said, and recorded again. A save that fails is a warning: the caller
has its trace.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from . import config, errors
from .cache.directory import CacheDirectory
from .messages import debug

if TYPE_CHECKING:
    from ._engine.trace import TraceHandle

SUFFIX = ".trace"


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


def trace_directory() -> CacheDirectory:
    """The cache directory with its entries."""
    return CacheDirectory(config.get_str("cache_dir"), SUFFIX)


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


def clear_trace_cache() -> int:
    """Removes all traces from the cache directory.

    Returns:
        How many there were.

    Raises:
        CacheError: an entry cannot be removed.
    """
    return len(trace_directory().clear())


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
    if not cache_is_enabled():
        return None
    from ._engine.trace import TraceHandle

    directory = config.get_str("cache_dir")
    try:
        trace = TraceHandle.load_entry(directory, key)
    except errors.FormatError as error:
        _quarantine(directory, key, error)
        return None
    except errors.CacheError as error:
        errors.warn("CACHE_READ_FAILED", f"the cache entry cannot be read: {error.message}")
        return None
    debug(f"cache {'hit' if trace else 'miss'}: {key.hex()} in {directory}")
    return trace


def _quarantine(directory: str, key: bytes, error: errors.FormatError) -> None:
    from ._engine.trace import TraceHandle

    moved = "it was moved to .quarantine and is recorded again"
    try:
        TraceHandle.quarantine_entry(directory, key)
    except errors.CacheError as failure:
        moved = f"it could not be moved aside ({failure.message})"
    errors.warn("CACHE_ENTRY_BAD", f"a bad cache entry: {error.message}; {moved}")
    debug(f"cache entry bad: {key.hex()} [{error.code}]")


def keep(trace: TraceHandle) -> bool:
    """Saves a trace under its own key; whether it is there now. A failure is a warning."""
    if not cache_is_enabled():
        return False
    directory = config.get_str("cache_dir")
    try:
        trace.save_entry(directory)
    except errors.CacheError as error:
        errors.warn(
            "CACHE_SAVE_FAILED",
            f"the trace could not be saved in the cache, and is used all the same: {error.message}",
        )
        return False
    debug(f"saved: {trace.hashes[1].hex()} in {directory}, {trace.n_bytes} bytes")
    return True
