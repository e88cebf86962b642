"""Entries change under their readers: unlinked and replaced, whole ones and damaged ones."""

from __future__ import annotations

import os
import signal
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from phasic import EliminationTrace, trace_cache, trace_stores
from phasic._engine.trace import TraceHandle
from phasic.trace_elimination import record_elimination_trace

from . import wide
from .setting import Child, Tally, cache_in, replaced, scratch


def planted_bug(planted: bool) -> AbstractContextManager[Any]:
    """Entries are replaced in place: the file that a reader has mapped is cut off and refilled."""

    def in_place(new: Any, old: Any) -> None:
        with open(new, "rb") as source, open(old, "wb") as target:
            time.sleep(0.002)
            target.write(source.read())
        os.unlink(new)

    return replaced(planted, os, replace=in_place)


def under_way(rounds: int, *, planted: bool) -> Tally:
    """`rounds` times an entry that is mapped (2 MB) goes or is replaced while three processes
    load it and evaluate what they have loaded."""
    tally = Tally()
    trace = record_elimination_trace(wide.graph(2 << 20))
    good = trace.to_bytes()
    key = trace.key
    with scratch() as place, planted_bug(planted), cache_in(place / "cache"):
        trace_stores.trace_store().keep(key, trace.handle)
        stop = place / "stop"
        readers = [Child(lambda: _read(bytes.fromhex(key), stop)) for _ in range(3)]
        path = Path(trace_stores.trace_directory().entry_path(key))
        for number in range(rounds):
            _disturb(path, good, number)
            time.sleep(0.003)
        stop.touch()
        ended = [reader.wait() for reader in readers]
        killed = sum(child.signal == signal.SIGBUS for child in ended)
        results = [child.result for child in ended if child.result]
        tally.counts |= {
            "rounds": rounds,
            "loads": sum(result["loads"] for result in results),
            "SIGBUS": killed,
            "wrong answers": sum(result["wrong"] for result in results),
        }
        tally.must(len(results) == len(readers), f"all readers live: {ended}")
        tally.must(tally.counts["wrong answers"] == 0, "all answers are right")
        tally.must(tally.counts["loads"] > rounds // 10, "something was loaded")
    return tally


def _disturb(path: Path, good: bytes, number: int) -> None:
    if number % 3 == 0:
        path.unlink(missing_ok=True)
    other = path.parent.parent / f"other.{number}"
    bad = number % 3 == 1
    other.write_bytes(good[:-5] + bytes([good[-5] ^ 1]) + good[-4:] if bad else good)
    os.replace(other, path)


def _read(key: bytes, stop: Path) -> dict[str, Any]:
    counted = {"loads": 0, "wrong": 0}
    while not stop.exists():
        handle: TraceHandle | None = trace_cache.find(key)
        if handle is None:
            continue
        counted["loads"] += 1
        trace = EliminationTrace(handle)
        for _ in range(3):
            mean = trace.moments([wide.THETA], 1)[0, 0]
            counted["wrong"] += int(abs(mean - wide.MEAN) > 1e-12)
            counted["wrong"] += int(trace.states[-1][0]) != trace.n_vertices - 3
            time.sleep(0.001)
    return counted
