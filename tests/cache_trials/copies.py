"""How much memory many processes take that have one entry: its pages are one for all of them."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import Any

from phasic import EliminationTrace, trace_cache, trace_stores
from phasic.trace_elimination import record_elimination_trace

from . import costs, wide
from .setting import Child, Tally, cache_in, scratch

PROCESSES = 64
# Of a process's own, beyond the entry: its workspace and what loading touches.
MOST_OWN_BYTES = 16 << 20
MOST_FOR_A_MOMENT = 64 << 20


def one(mebibytes: int, *, planted: bool) -> Tally:
    """64 processes read an entry of so many MiB, and have it all at the same time."""
    tally = Tally()
    with scratch() as place, cache_in(place / "cache"), costs.planted_bug(planted):
        saved = Child(lambda: _save(mebibytes << 20)).wait().result
        if saved is None:
            tally.must(False, "the process that saves survives")
            return tally
        ready, told = os.pipe()
        gates = [os.pipe(), os.pipe()]
        children = [Child(lambda: _hold(saved["key"], told, gates)) for _ in range(PROCESSES)]
        os.close(told)
        for closed, gate in gates:  # all have it; all have measured
            os.close(closed)
            for _ in children:
                os.read(ready, 1)  # at once, should all be dead
            os.close(gate)
        found = [child.wait().result for child in children]
        os.close(ready)
    results = [result for result in found if result is not None]
    tally.must(len(results) == PROCESSES, f"all processes survive: {len(results)}")
    if len(results) < PROCESSES:
        return tally
    entry = saved["entry"]
    together = sum(result["Pss"] for result in results)
    own = [result["Anonymous"] for result in results]
    tally.counts |= {
        "processes": len(results),
        "MiB of the entry": entry >> 20,
        "MiB resident in a process at least": min(r["Rss"] for r in results) >> 20,
        "MiB of its own at most": round(max(own) / (1 << 20), 1),
        "MiB of all processes together": together >> 20,
        "s to load at most": round(max(result["s"] for result in results), 2),
    }
    for result in results:
        tally.must(abs(result["mean"] - wide.MEAN) < 1e-12, "each answer is right")
        tally.must(result["Rss"] >= entry, f"each process has the entry: {result}")
        tally.must(result["Anonymous"] < MOST_OWN_BYTES, f"and no copy of it: {result}")
    tally.must(
        together < entry + PROCESSES * MOST_OWN_BYTES,
        f"they share one copy: {together >> 20} MiB in {PROCESSES} processes",
    )
    return tally


def _save(n_bytes: int) -> dict[str, Any]:
    trace = record_elimination_trace(wide.graph(n_bytes), max_trace_bytes=2 * n_bytes)
    assert trace_stores.trace_store().keep(trace.key, trace.handle)
    return {"key": trace.key, "entry": trace.n_bytes}


def _hold(key: str, told: int, gates: list[tuple[int, int]]) -> dict[str, Any]:
    """Loads and evaluates, measures once all have, and goes once all have measured."""
    for _, gate in gates:
        os.close(gate)
    _refuse_copies()
    before = _memory()
    began = time.perf_counter()
    handle = trace_cache.find(bytes.fromhex(key))
    seconds = time.perf_counter() - began
    assert handle is not None
    trace = EliminationTrace(handle)
    mean = float(trace.moments([wide.THETA], 1)[0, 0])
    os.write(told, b"1")
    os.read(gates[0][0], 1)
    after = _memory()
    os.write(told, b"1")
    os.read(gates[1][0], 1)
    return {
        **{name: after[name] - before[name] for name in ("Rss", "Pss", "Anonymous")},
        "mean": mean,
        "s": seconds,
    }


def _refuse_copies() -> None:
    """From now on this process has no room for a copy of the entry, not even for a moment."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmData:"):
            most = (int(line.split()[1]) << 10) + MOST_FOR_A_MOMENT
            resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _memory() -> dict[str, int]:
    """Bytes: resident; the same with shared pages by parts; and what is no file's."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    return {name[:-1]: int(size) << 10 for name, size, *_ in (line.split() for line in lines)}
