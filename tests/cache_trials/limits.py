"""A cache far over its limits, with readers, writers and collectors at work in it."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from phasic import trace_stores
from phasic._engine.trace import TraceHandle
from phasic.cache import pins
from phasic.cache.collector import Collector
from phasic.cache.directory import Entry
from phasic.cache.lease import Lease, Turn
from phasic.trace_elimination import record_elimination_trace
from rules import queue_graph

from .setting import Child, Tally, cache_in, replaced, scratch

READERS = WRITERS = 8
OVERFULL = 10
KEPT = 20  # entries within the high-water mark


@contextmanager
def planted_bug(planted: bool) -> Iterator[None]:
    """Pins are forgotten, and every collector believes to be the only one."""
    usual = Lease.ask

    def own_lease(self: Lease) -> Turn:
        self._name = f"collector{os.getpid()}"
        return usual(self)

    with (
        replaced(planted, Lease, ask=own_lease),
        replaced(planted, pins, pinned=lambda directory: frozenset()),
    ):
        yield


def watched_collections(place: Path) -> AbstractContextManager[Any]:
    """A collector that finds another one at work leaves a mark."""
    usual = Collector._evict
    at_work = place / "collecting"

    def evict(self: Collector, now: float) -> list[Entry]:
        try:
            at_work.touch(exist_ok=False)
        except FileExistsError:
            (place / f"together.{os.getpid()}").touch()
            return usual(self, now)
        try:
            time.sleep(0.002)
            return usual(self, now)
        finally:
            at_work.unlink(missing_ok=True)

    return replaced(True, Collector, _evict=evict)


def crowd(entries: int, *, planted: bool) -> Tally:
    """`entries` saved into a cache for a tenth of them, while others read.

    Access times of the file system are scrambled all along: they must not matter.
    """
    tally = Tally()
    made = [record_elimination_trace(queue_graph(60 + k)).handle for k in range(entries)]
    largest = max(trace.n_bytes for trace in made)
    high = sum(trace.n_bytes for trace in made) // OVERFULL
    with scratch() as place, planted_bug(planted), watched_collections(place):
        settings = {"cache_high_bytes": high, "cache_lease_seconds": 2}
        with cache_in(place / "cache", **settings):
            store = trace_stores.trace_store()
            kept = [_key(trace) for trace in made[:3]]
            for trace in made[:3]:
                store.keep(_key(trace), trace)
                pins.pin(store.directory, _key(trace))
            stop = place / "stop"
            readers = [Child(lambda k=k: _read(made, k, stop)) for k in range(READERS)]
            writers = [Child(lambda k=k: _write(made[3 + k :: WRITERS])) for k in range(WRITERS)]
            watcher = Child(lambda: _watch(place / "cache", stop))
            written = [writer.wait().result for writer in writers]
            stop.touch()
            read = [reader.wait().result for reader in readers]
            most = watcher.wait().result
            tally.must(None not in [*read, *written, most], "nobody dies")
            done = [result for result in [*read, *written, most] if result]
            said = {code for result in done for code in result["warnings"]}
            tally.must(not said, f"nobody has a reason to warn: {said}")
            tally.counts |= {
                "entries": entries,
                "bytes at the high-water mark": high,
                "bytes at most": most["most"] if most else 0,
                "reads": sum(result["reads"] for result in read if result),
                "hits": sum(result["hits"] for result in read if result),
                "wrong reads": sum(result["wrong"] for result in read if result),
                "evicted": store.counts.read()["evicted"],
            }
            tally.must(tally.counts["wrong reads"] == 0, "no read is wrong")
            bound = high + WRITERS * largest
            tally.must(tally.counts["bytes at most"] <= bound, f"at most {bound} bytes")
            tally.must(tally.counts["hits"] > 0, "readers find something")
            tally.must(tally.counts["evicted"] > entries // 2, "most of it has to go")
            left = {entry.key for entry in store.directory.entries()}
            tally.must(left.issuperset(kept), "pinned entries stay")
            together = len(list(place.glob("together.*")))
            tally.must(together == 0, f"one collector at a time: {together} were not alone")
    return tally


def _key(trace: TraceHandle) -> str:
    return trace.hashes[1].hex()


def _write(traces: list[TraceHandle]) -> dict[str, Any]:
    store = trace_stores.trace_store()
    for trace in traces:
        store.keep(_key(trace), trace)
    return {}


def _read(traces: list[TraceHandle], seed: int, stop: Path) -> dict[str, Any]:
    chance = random.Random(seed)
    store = trace_stores.trace_store()
    counted = {"reads": 0, "hits": 0, "wrong": 0}
    while not stop.exists():
        trace = chance.choice(traces)
        key = _key(trace)
        found = store.find(key)
        counted["reads"] += 1
        counted["hits"] += found is not None
        counted["wrong"] += found is not None and found.encode() != trace.encode()
        try:
            path = store.directory.entry_path(key)
            os.utime(path, (chance.uniform(0.0, 2e9), os.stat(path).st_mtime))
        except FileNotFoundError:
            pass
        time.sleep(0.001)
    return counted


def _watch(cache: Path, stop: Path) -> dict[str, Any]:
    directory = trace_stores.trace_directory()
    most = 0
    while not stop.exists():
        most = max(most, sum(entry.n_bytes for entry in directory.entries()))
        time.sleep(0.001)
    return {"most": most}
