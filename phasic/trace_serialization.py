"""Traces in and out of the cache directory, by hand."""

from __future__ import annotations

from . import trace_cache, trace_stores
from .errors import CacheError
from .trace_cache import get_cache_info
from .trace_elimination import EliminationTrace

__all__ = ["clear_cache", "get_cache_info", "load_trace_from_cache", "save_trace_to_cache"]


def save_trace_to_cache(hash_hex: str, trace: EliminationTrace) -> bool:
    """Publishes a trace in the cache directory under its key. An entry that is there stays.

    Args:
        hash_hex: the trace key, as `compute_graph_hash(graph).hash_hex` gives it.
        trace: the trace of that graph.

    Returns:
        Whether the entry is there now. Where it cannot be written that is a `PhasicWarning`.

    Raises:
        CacheError: the key is that of another graph, or no key.
    """
    trace_stores.trace_directory().entry_path(hash_hex)
    if hash_hex != trace.key:
        raise CacheError(
            f"{hash_hex} is not the key of this trace, which is {trace.key}",
            code="CACHE_KEY",
            hint="take the key from phasic.hash.compute_graph_hash(graph).hash_hex",
        )
    return trace_cache.keep(trace.handle)


def load_trace_from_cache(hash_hex: str) -> EliminationTrace | None:
    """The trace of a key from the cache directory; None where there is none.

    A damaged entry is moved to `.quarantine`, said by a `PhasicWarning`, and then there is none.

    Raises:
        CacheError: `hash_hex` is no key.
    """
    trace_stores.trace_directory().entry_path(hash_hex)
    handle = trace_cache.find(bytes.fromhex(hash_hex))
    return None if handle is None else EliminationTrace(handle)


def clear_cache() -> int:
    """Removes all traces from the cache directory and says how many there were.

    Raises:
        CacheError: an entry cannot be removed.
    """
    return trace_cache.clear_trace_cache()
