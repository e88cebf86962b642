"""Processes are killed while they record and publish: what is there is whole.

A name of an entry is absent or valid, the collector clears away what the dead left, and the next
process records as if nothing had been.
"""

from __future__ import annotations

import os
import random
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from phasic import trace_cache, trace_stores
from phasic._engine.stored_trace import StoredTrace
from phasic.cache.collector import Limits
from phasic.errors import PhasicError
from phasic.trace_elimination import obtain_trace, record_elimination_trace
from rules import queue_graph

from .setting import DIE_AFTER, DIE_BEFORE, Child, Tally, cache_in, replaced, scratch, shim

TERM = {"cache_lease_seconds": 0.05}


def planted_bug(planted: bool) -> AbstractContextManager[Any]:
    """The entry is written in place, in two parts."""

    def in_place(self: Any, directory: str) -> None:
        data = self.encode()
        path = os.path.join(directory, f"{self.hashes[1].hex()}.trace")
        os.makedirs(directory, exist_ok=True)
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(file, data[: len(data) // 2])
        time.sleep(0.002)
        os.write(file, data[len(data) // 2 :])
        os.fsync(file)
        os.close(file)

    return replaced(planted, StoredTrace, save_entry=in_place)


def check_entries(tally: Tally, expected: dict[str, bytes], where: str) -> None:
    """Every entry that is there is what it should be."""
    store = trace_stores.trace_store()
    for entry in store.directory.entries():
        tally.counts["reads"] += 1
        trace, problem = store.look(entry.key)
        right = trace is not None and trace.encode() == expected[entry.key]
        tally.must(right, f"{where}: a corrupt entry: {problem}")
        if not right:
            store.directory.remove(entry.key)


def check_orphans(tally: Tally, where: str) -> None:
    """What the dead left is cleared away, once their leases have run out."""
    store = trace_stores.file_store(instead=Limits())
    time.sleep(2.5 * TERM["cache_lease_seconds"])
    try:
        store.collector.collect(orphan_seconds=0.0)
    except PhasicError as error:
        tally.must(False, f"{where}: the collector failed: {error}")
    left = [name for name in os.listdir(store.directory.path) if name.startswith(".")]
    tally.must(not left, f"{where}: left behind: {left}")


def random_points(kills: int, *, planted: bool) -> Tally:
    """`kills` times SIGKILL at a random moment of a process that records and publishes."""
    tally = Tally()
    tally.counts |= {"kills": 0, "reads": 0}
    graphs = [queue_graph(capacity) for capacity in range(3, 23)]
    expected = {graph.frozen.trace_key.hex(): _bytes(graph) for graph in graphs}
    chance = random.Random(1)
    with scratch() as place, planted_bug(planted), cache_in(place / "cache", **TERM):
        for number in range(kills):
            child = Child(lambda seed=number: _publish_for_ever(graphs, seed))
            time.sleep(chance.uniform(0.0, 0.03))
            child.kill()
            ended = child.wait()
            tally.must(ended.signal == 9, "the child was killed")
            tally.counts["kills"] += 1
            check_entries(tally, expected, f"kill {number}")
            if number % 10 == 9:
                # Else all keys would soon have an abandoned lease, and nobody lives to outwait it.
                check_orphans(tally, f"kill {number}")
        check_orphans(tally, "in the end")
        tally.must(tally.counts["reads"] > kills, "something was published")
    return tally


def _bytes(graph: Any) -> bytes:
    return record_elimination_trace(graph).to_bytes()


def _publish_for_ever(graphs: list[Any], seed: int) -> dict[str, Any]:
    chance = random.Random(seed)
    store = trace_stores.trace_store()
    while True:
        graph, other = chance.sample(graphs, 2)
        store.directory.remove(other.frozen.trace_key.hex())
        key = graph.frozen.trace_key
        trace_cache.obtain(key, lambda graph=graph: record_elimination_trace(graph).handle)


def each_call(every: int, *, planted: bool) -> Tally:
    """SIGKILL before and after each system call that recording and publishing make there."""
    tally = Tally()
    tally.counts |= {"calls": 0, "kills": 0, "reads": 0}
    graph = queue_graph(6)
    key = graph.frozen.trace_key.hex()
    expected = {key: _bytes(graph)}
    with scratch() as place, planted_bug(planted):
        calls = _count_calls(place / "count", graph)
        tally.counts["calls"] = calls
        tally.must(calls >= 10, "recording makes calls in the directory")
        for action in (DIE_BEFORE, DIE_AFTER):
            for number in range(1, calls + 1, every):
                cache = place / f"cache.{action}.{number}"
                _kill_at(tally, cache, graph, expected, action, number)
    return tally


def _count_calls(cache: Path, graph: Any) -> int:
    def record() -> dict[str, Any]:
        shim().shim_arm(os.fsencode(cache), 0, 0, 0)
        obtain_trace(graph)
        return {"calls": shim().shim_disarm()}

    with cache_in(cache):
        ended = Child(record).wait()
    return ended.result["calls"] if ended.result else 0


def _kill_at(
    tally: Tally, cache: Path, graph: Any, expected: dict[str, bytes], action: int, number: int
) -> None:
    def record() -> dict[str, Any]:
        shim().shim_arm(os.fsencode(cache), action, number, 0)
        obtain_trace(graph)
        return {}

    where = f"{'before' if action == DIE_BEFORE else 'after'} call {number}"
    with cache_in(cache, **TERM):
        ended = Child(record).wait()
        tally.must(ended.signal == 9, f"{where}: the child was killed")
        tally.counts["kills"] += 1
        check_aftermath(tally, cache, graph, expected, where)


def check_aftermath(
    tally: Tally, cache: Path, graph: Any, expected: dict[str, bytes], where: str
) -> None:
    """After a death: nothing is wrong, nothing stays, and the next process records in silence."""
    if cache.exists():
        check_entries(tally, expected, where)
        check_orphans(tally, where)
    after = Child(lambda: {"kept": obtain_trace(graph).kept}).wait().result
    tally.must(after is not None and after["kept"], f"{where}: the next one keeps it: {after}")
    tally.must(after is not None and not after["warnings"], f"{where}: in silence: {after}")
    check_entries(tally, expected, f"{where}, recorded again")
