"""System calls below a shared directory fail or hang: the right result, kept here, and said.

The local cache works all along, so whatever the shared one does, the trace is there the next time.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from phasic import trace_stores
from phasic.cache.reach import Deadline
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

from . import failures
from .setting import HANG_FROM, Child, Tally, cache_in, replaced, scratch, shim

THETA = [1.0, 1.5]
DEADLINE = 0.3  # of trials that hang; others may be slow on a busy machine
HANG = 4  # seconds for which the directory does not answer
GRACE = 1.5  # seconds that a process may take beyond the deadline


def without_deadline(planted: bool) -> AbstractContextManager[Any]:
    """Calls to the shared directory are made as any others."""

    def wait(self: Deadline, action: Callable[[], Any]) -> Any:
        return action()

    return replaced(planted, Deadline, __call__=wait)


def fails(every: int, *, planted: bool) -> Tally:
    """Each error at and from each call below the shared directory; every `every`-th trial."""
    tally = Tally()
    with failures.planted_bug(planted):
        _each(tally, every, failures.FAULTS, _judge_failure)
    tally.must(tally.counts["not kept there"] > 0, "some saves fail")
    return tally


def hangs(every: int, *, planted: bool) -> Tally:
    """At each call below the shared directory it stops answering for a while."""
    tally = Tally()
    with without_deadline(planted):
        _each(tally, every, [("hangs from", HANG_FROM, HANG)], _judge_hang)
    tally.must(tally.counts["failed calls"] > 0, "some calls hang")
    return tally


def _each(
    tally: Tally,
    every: int,
    faults: list[tuple[str, int, int]],
    judge: Callable[[Tally, str, dict[str, Any]], None],
) -> None:
    tally.counts |= {"calls": 0, "trials": 0, "failed calls": 0, "not kept there": 0}
    with scratch() as place:
        graph = queue_graph(6)
        expected = np.asarray(graph.at(THETA).moments(3))
        calls = _trial(place / "count", graph, 0, 0, 0)["calls"]
        tally.counts["calls"] = calls
        for number, what, action, call, failure in failures.at_calls(faults, calls, every):
            outcome = _trial(place / str(number), graph, action, call, failure)
            where = f"{what} ({outcome['call']})"
            tally.counts["trials"] += 1
            tally.counts["failed calls"] += outcome["fired"]
            tally.counts["not kept there"] += not outcome["there"]
            right = np.array_equal(outcome["moments"], expected)
            tally.must(right and outcome["kept"], f"{where}: the result is right and kept")
            tally.must(outcome["here"], f"{where}: the local cache has it")
            judge(tally, where, outcome)


def _trial(place: Path, graph: Any, action: int, call: int, failure: int) -> dict[str, Any]:
    """One process that records under a fault, evaluates, and tells what it saw."""
    shared = place / "shared"
    shared.mkdir(parents=True, mode=0o700)
    key = graph.frozen.trace_key.hex()

    def record() -> dict[str, Any]:
        shim().shim_arm(os.fsencode(shared), action, call, failure)
        began = time.monotonic()
        trace, _, kept = obtain_trace(graph)
        seconds = time.monotonic() - began
        calls = shim().shim_disarm()
        return {
            "calls": calls,
            "fired": shim().shim_fired(),
            "call": shim().shim_name(call).decode(),
            "kept": kept,
            "seconds": seconds,
            "moments": trace.moments([THETA], 3)[0].tolist(),
        }

    seconds = DEADLINE if action == HANG_FROM else 60.0
    with cache_in(place / "local", cache_shared_dir=shared, cache_deadline_seconds=seconds):
        counts = trace_stores.trace_store("shared").counts
        ended = Child(record).wait()
        if ended.result is None:
            raise RuntimeError(f"a trial's process ended without a result: {ended.signal}")
        here, there = (
            trace_stores.trace_store(tier).look(key)[0] is not None for tier in ("local", "shared")
        )
        return ended.result | {"here": here, "there": there, "counted": counts.read()}


def _judge_failure(tally: Tally, where: str, outcome: dict[str, Any]) -> None:
    said, counted = outcome["warnings"], outcome["counted"]
    if outcome["there"]:
        tally.must(sum(said.values()) <= 1, f"{where}: one warning at most: {said}")
        tally.must(not counted["failed_saves"], f"{where}: no failed save: {counted}")
    else:
        tally.must(outcome["fired"] > 0, f"{where}: there is a reason")
        tally.must(said.get("CACHE_SAVE_FAILED") == 1, f"{where}: it is said: {said}")
        tally.must(counted["failed_saves"] == 1, f"{where}: one count: {counted}")


def _judge_hang(tally: Tally, where: str, outcome: dict[str, Any]) -> None:
    tally.must(
        outcome["seconds"] < DEADLINE + GRACE, f"{where}: over after {outcome['seconds']:.1f} s"
    )
    said, counted = outcome["warnings"], outcome["counted"]
    tally.must(said == {"CACHE_TIER_DOWN": 1}, f"{where}: one warning: {said}")
    tally.must(counted["unavailable"] == 1, f"{where}: one count: {counted}")
