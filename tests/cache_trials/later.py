"""Saving in a shared directory in the background: whoever is killed, what was acknowledged arrives.

A process records, and tells of each entry once it is acknowledged. It is killed; so may be the next
one, which saves what is left; the one after that ends. Then the shared directory has every entry
that was told of, whole, and nothing is marked.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from phasic import trace_stores
from phasic.cache import background, pending
from phasic.cache.directory import CacheDirectory
from phasic.cache.write_behind import WriteBehind
from phasic.trace_elimination import obtain_trace, record_elimination_trace
from rules import queue_graph

from . import failures
from .kills import TERM, check_entries, check_orphans
from .setting import (
    DIE_AFTER,
    DIE_BEFORE,
    HANG_FROM,
    Child,
    Tally,
    cache_in,
    replaced,
    scratch,
    shim,
)

GRAPHS = 12  # of a process
SHARED = "shared"
LOCAL = "local"
DEADLINE = 0.3  # of trials that hang
THETA = [1.0, 1.5]


def planted_bug(planted: bool) -> AbstractContextManager[Any]:
    """Acknowledged without a mark."""

    def only_said(self: WriteBehind[Any], key: str) -> bool:
        return True

    return replaced(planted, WriteBehind, mark=only_said)


@contextmanager
def caches(place: Path, **settings: object) -> Iterator[None]:
    (place / SHARED).mkdir(parents=True, mode=0o700, exist_ok=True)
    given = {"cache_shared_dir": place / SHARED, "cache_write_behind": 1, **TERM, **settings}
    with cache_in(place / LOCAL, **given):
        yield


def random_points(kills: int, *, planted: bool) -> Tally:
    """`kills` times SIGKILL at a random moment; every other cache is too small for its entries."""
    tally = Tally()
    tally.counts |= dict.fromkeys(("kills", "acknowledged", "pending at death", "reads"), 0)
    graphs = [queue_graph(capacity) for capacity in range(3, 3 + GRAPHS)]
    expected = {graph.frozen.trace_key.hex(): _bytes(graph) for graph in graphs}
    chance = random.Random(1)
    n_bytes = max(map(len, expected.values()))
    with scratch() as place, planted_bug(planted):
        with caches(place / "ordinary"):
            ended = Child(lambda: _record_all(graphs)).wait()
        ordinary = (ended.result or {})["s"]
        for number in range(kills):
            small = {"cache_high_bytes": 3 * n_bytes} if number % 2 else {}
            with caches(place / str(number), **small):
                moment = chance.uniform(0, ordinary)
                acknowledged = _killed(lambda tell: _record(graphs, tell), moment)
                left = set(_marks())
                tally.counts["pending at death"] += len(left)
                if left:
                    _killed(lambda _tell: _resume(), chance.uniform(0, ordinary / 3))
                    tally.counts["kills"] += 1
                tally.counts["kills"] += 1
                tally.counts["acknowledged"] += len(acknowledged)
                _check(tally, place / str(number), acknowledged, expected, f"kill {number}")
        tally.must(tally.counts["acknowledged"] > kills, "something was acknowledged")
        tally.must(planted or tally.counts["pending at death"] > 0, "something was pending")
    return tally


def each_call(every: int, *, planted: bool) -> Tally:
    """SIGKILL before and after each system call that recording, publishing and saving make."""
    tally = Tally()
    tally.counts |= dict.fromkeys(("calls", "kills", "acknowledged", "reads"), 0)
    graph = queue_graph(6)
    expected = {graph.frozen.trace_key.hex(): _bytes(graph)}
    with scratch() as place, planted_bug(planted):
        with caches(place / "count"):
            ended = Child(lambda: _settled(graph, place / "count", 0, 0)).wait()
        calls = (ended.result or {})["calls"]
        tally.counts["calls"] = calls
        for action in (DIE_BEFORE, DIE_AFTER):
            for number in range(1, calls + 1, every):
                below = place / f"{action}.{number}"
                with caches(below):
                    acknowledged = _told(
                        lambda tell, where=below, what=action, call=number: _settled(
                            graph, where, what, call, tell
                        )
                    )
                    tally.counts["kills"] += 1
                    tally.counts["acknowledged"] += len(acknowledged)
                    where = f"{'before' if action == DIE_BEFORE else 'after'} call {number}"
                    _check(tally, below, acknowledged, expected, where)
        tally.must(tally.counts["acknowledged"] > 0, "some are acknowledged before the death")
    return tally


def fails(every: int, *, planted: bool) -> Tally:
    """Each error at and from each call below the shared directory, and it hangs: told, and made
    up for by the next process."""
    tally = Tally()
    tally.counts |= dict.fromkeys(("calls", "trials", "not kept at first"), 0)
    faults = [*failures.FAULTS, ("hangs from", HANG_FROM, 3)]
    graph = queue_graph(6)
    expected = np.asarray(graph.at(THETA).moments(3))
    with scratch() as place, planted_bug(planted):
        calls = _fault(place / "count", graph, 0, 0, 0)["calls"]
        tally.counts["calls"] = calls
        for number, what, action, call, failure in failures.at_calls(faults, calls, every):
            outcome = _fault(place / str(number), graph, action, call, failure)
            where = f"{what} ({outcome['call']})"
            tally.counts["trials"] += 1
            tally.counts["not kept at first"] += not outcome["there"]
            right = np.array_equal(outcome["moments"], expected)
            tally.must(right and outcome["kept"], f"{where}: the result is right and kept")
            tally.must(outcome["there"] or len(outcome["marks"]) == 1, f"{where}: kept or marked")
            tally.must(
                outcome["there"] or sum(outcome["warnings"].values()) > 0,
                f"{where}: it is said: {outcome['warnings']}",
            )
            tally.must(
                outcome["warnings"].get("CACHE_SAVE_FAILED", 0) <= 1
                and outcome["warnings"].get("CACHE_TIER_DOWN", 0) <= 1,
                f"{where}: said once: {outcome['warnings']}",
            )
            tally.must(outcome["in the end"], f"{where}: the next process saves it")
            tally.must(not outcome["marks in the end"], f"{where}: no marks")
        tally.must(tally.counts["not kept at first"] > 0, "some saves fail")
    return tally


# ---- processes


def _record(graphs: list[Any], tell: Callable[[str], None]) -> Mapping[str, Any]:
    for graph in graphs:
        trace, _, kept = obtain_trace(graph)
        if kept:
            tell(trace.key)
    background.settle()
    time.sleep(60)
    return {}


def _record_all(graphs: list[Any]) -> Mapping[str, Any]:
    """Seconds until all is recorded and saved, when nobody kills."""
    began = time.perf_counter()
    for graph in graphs:
        obtain_trace(graph)
    background.settle()
    return {"s": time.perf_counter() - began}


def _resume() -> Mapping[str, Any]:
    trace_stores.trace_tiers()
    background.settle()
    return {}


def _settled(
    graph: Any, below: Path, action: int, call: int, tell: Callable[[str], None] | None = None
) -> Mapping[str, Any]:
    shim().shim_arm(os.fsencode(below), action, call, 0)
    trace, _, kept = obtain_trace(graph)
    if kept and tell:
        tell(trace.key)
    background.settle()
    return {"calls": shim().shim_disarm()}


def _told(work: Callable[[Callable[[str], None]], Mapping[str, Any]]) -> list[str]:
    """What a process told before its end."""
    return _listen(work)[1]()


def _killed(
    work: Callable[[Callable[[str], None]], Mapping[str, Any]], seconds: float
) -> list[str]:
    """What a process told before it was killed."""
    child, told = _listen(work)
    time.sleep(seconds)
    child.kill()
    return told()


def _listen(
    work: Callable[[Callable[[str], None]], Mapping[str, Any]],
) -> tuple[Child, Callable[[], list[str]]]:
    reader, writer = os.pipe()
    child = Child(lambda: work(lambda key: _write(writer, key)))
    os.close(writer)

    def told() -> list[str]:
        with open(reader) as stream:
            keys = stream.read().split()
        child.wait()
        return keys

    return child, told


def _write(file: int, key: str) -> None:
    os.write(file, f"{key}\n".encode())


def _fault(place: Path, graph: Any, action: int, call: int, failure: int) -> dict[str, Any]:
    """One process that records under a fault below the shared directory, and the one after it."""
    shared = place / SHARED

    def record() -> dict[str, Any]:
        shim().shim_arm(os.fsencode(shared), action, call, failure)
        trace, _, kept = obtain_trace(graph)
        background.settle()
        calls = shim().shim_disarm()
        return {
            "calls": calls,
            "call": shim().shim_name(call).decode(),
            "kept": kept,
            "moments": trace.moments([THETA], 3)[0].tolist(),
        }

    seconds = DEADLINE if action == HANG_FROM else 60.0
    with caches(place, cache_deadline_seconds=seconds):
        ended = Child(record).wait()
        if ended.result is None:
            raise RuntimeError(f"a trial's process ended without a result: {ended.signal}")
        key = graph.frozen.trace_key.hex()
        first = {"there": _is_there(shared, key), "marks": _marks()}
        Child(_resume).wait()
        last = {"in the end": _is_there(shared, key), "marks in the end": _marks()}
        return {**ended.result, **first, **last}


# ---- judging


def _is_there(shared: Path, key: str) -> bool:
    with cache_in(shared):
        return trace_stores.trace_store().look(key)[0] is not None


def _marks() -> list[str]:
    return pending.keys(CacheDirectory(os.environ["PHASIC_CACHE_DIR"], ".trace"))


def _check(
    tally: Tally, place: Path, acknowledged: list[str], expected: dict[str, bytes], where: str
) -> None:
    """One more process, and all is there that was acknowledged, and nothing else is left."""
    ended = Child(_resume).wait()
    tally.must(ended.result is not None, f"{where}: the next process ends well")
    said = (ended.result or {}).get("warnings")
    tally.must(not said, f"{where}: in silence: {said}")
    for below in (place / SHARED, place / LOCAL):
        if below.exists():
            with cache_in(below, **TERM):
                check_entries(tally, expected, f"{where}, {below.name}")
                check_orphans(tally, f"{where}, {below.name}")
    with cache_in(place / SHARED):
        there = {entry.key for entry in trace_stores.trace_store().directory.entries()}
    lost = set(acknowledged) - there
    tally.must(not lost, f"{where}: lost: {sorted(lost)}")


def _bytes(graph: Any) -> bytes:
    return record_elimination_trace(graph).to_bytes()
