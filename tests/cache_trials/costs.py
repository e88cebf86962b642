"""What entries cost: memory beyond a large one, time of a hit."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import Any

from phasic import EliminationTrace, trace_cache, trace_stores
from phasic._engine.stored_trace import StoredTrace
from phasic.trace_elimination import record_elimination_trace
from rules import coalescent_graph

from . import wide
from .setting import Child, Tally, cache_in, replaced, scratch

MOST_BYTES = 64 << 20
MOST_SECONDS = 0.001


def planted_bug(planted: bool) -> AbstractContextManager[Any]:
    """Saving and loading make a copy of the whole."""
    usual_save, usual_load = StoredTrace.save_entry, StoredTrace.load_entry.__func__

    def save(self: Any, directory: str) -> None:
        self.copied = self.encode()
        usual_save(self, directory)

    def load(cls: Any, directory: str, key: bytes) -> Any:
        time.sleep(MOST_SECONDS)
        found = usual_load(cls, directory, key)
        if found is not None:
            found.copied = found.encode()
        return found

    return replaced(planted, StoredTrace, save_entry=save, load_entry=classmethod(load))


def large(mebibytes: int, *, planted: bool) -> Tally:
    """An entry of so many MiB is published and loaded with less than 64 MiB beyond it."""
    tally = Tally()
    with scratch() as place, cache_in(place / "cache"), planted_bug(planted):
        saved = Child(lambda: _save(mebibytes << 20)).wait().result
        tally.must(saved is not None, "the process that saves survives")
        if saved is None:
            return tally
        loaded = Child(lambda: _load(saved["key"])).wait().result
        tally.must(loaded is not None, "the process that loads survives")
        if loaded is None:
            return tally
        tally.counts |= {
            "MiB": saved["entry"] >> 20,
            "KiB beyond it to publish": saved["beyond"] >> 10,
            "s to publish": round(saved["s"], 3),
            "KiB beyond it to load": loaded["beyond"] >> 10,
            "s to load": round(loaded["s"], 3),
        }
        tally.must(saved["kept"], "it is published")
        tally.must(abs(loaded["mean"] - wide.MEAN) < 1e-12, "its answer is right")
        tally.must(saved["beyond"] < MOST_BYTES, "little memory to publish")
        tally.must(loaded["beyond"] < MOST_BYTES, "little memory to load")
    return tally


def _save(n_bytes: int) -> dict[str, Any]:
    trace = record_elimination_trace(wide.graph(n_bytes), max_trace_bytes=2 * n_bytes)
    store = trace_stores.trace_store()
    Path("/proc/self/clear_refs").write_text("5")
    before = _memory("VmHWM")
    began = time.perf_counter()
    kept = store.keep(trace.key, trace.handle)
    seconds = time.perf_counter() - began
    # It reads what it has written never again, so a mapping of the entry does not count.
    beyond = _memory("VmHWM") - before
    return {"key": trace.key, "entry": trace.n_bytes, "beyond": beyond, "kept": kept, "s": seconds}


def _load(key: str) -> dict[str, Any]:
    before = _memory("RssAnon")
    began = time.perf_counter()
    handle = trace_cache.find(bytes.fromhex(key))
    seconds = time.perf_counter() - began
    assert handle is not None
    mean = float(EliminationTrace(handle).moments([wide.THETA], 1)[0, 0])
    return {"beyond": _memory("RssAnon") - before, "mean": mean, "s": seconds}


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) << 10
    raise AssertionError(f"the system says {name}")


def hit(rounds: int, *, planted: bool) -> Tally:
    """A trace of 100 vertices is found in at most a millisecond, in half of the cases at least."""
    tally = Tally()
    graph = coalescent_graph(99)
    key = graph.frozen.trace_key
    with scratch() as place, cache_in(place / "cache"), planted_bug(planted):
        trace_cache.obtain(key, lambda: record_elimination_trace(graph).handle)
        seconds = []
        for _ in range(rounds):
            began = time.perf_counter()
            obtained = trace_cache.obtain(key, lambda: record_elimination_trace(graph).handle)
            seconds.append(time.perf_counter() - began)
            tally.must(not obtained.recorded, "it is found")
    tally.counts |= {"hits": rounds, "ms in the middle": round(1e3 * median(seconds), 3)}
    tally.must(median(seconds) <= MOST_SECONDS, f"a hit takes {median(seconds):.5f} s")
    return tally
