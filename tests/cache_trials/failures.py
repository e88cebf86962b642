"""System calls of recording and publishing fail: the right result, one warning, one count.

Each error at each call once, and each error from each call on, as when a disk fills up or goes
read-only. Where the trace could not be kept, nothing of it is to be seen.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from phasic import trace_stores
from phasic.cache.store import Store
from phasic.errors import CacheError
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

from .setting import FAIL_FROM, FAIL_ONCE, Child, Tally, cache_in, replaced, scratch, shim

ERRORS = ("ENOSPC", "EDQUOT", "EIO", "EROFS", "EMFILE")
THETA = [1.0, 1.5]
A = TypeVar("A")


def planted_bug(planted: bool) -> AbstractContextManager[Any]:
    """What cannot be saved is neither said nor counted."""

    def in_silence(self: Any, key: str, value: Any) -> bool:
        try:
            self._codec.save(self.directory.path, key, value)
        except CacheError:
            return False
        return True

    return replaced(planted, Store, _save=in_silence)


FAULTS = [
    (f"{name} {'at' if action == FAIL_ONCE else 'from'}", action, getattr(errno, name))
    for name in ERRORS
    for action in (FAIL_ONCE, FAIL_FROM)
]


def at_calls(
    faults: Sequence[tuple[str, A, int]], calls: int, every: int
) -> Iterator[tuple[int, str, A, int, int]]:
    """Each fault (name, action, error number) at each call; every `every`-th trial.

    Yields the trial's number, what it is, and action, call, error number.
    """
    places = ((fault, call) for fault in faults for call in range(1, calls + 1))
    for number, ((name, action, error), call) in enumerate(places, 1):
        if number % every == 0:
            yield number, f"{name} call {call}", action, call, error


def sweep(every: int, *, planted: bool) -> Tally:
    """Every `every`-th call; 1 is all of them."""
    tally = Tally()
    tally.counts |= {"calls": 0, "trials": 0, "failed calls": 0, "failed saves": 0}
    with scratch() as place, planted_bug(planted):
        graph = queue_graph(6)
        expected = np.asarray(_moments(graph))
        calls = _trial(place / "count", graph, 0, 0, 0)["calls"]
        tally.counts["calls"] = calls
        for number, what, action, call, error in at_calls(FAULTS, calls, every):
            cache = place / f"cache.{number}"
            outcome = _trial(cache, graph, action, call, error)
            judge(tally, f"{what} ({outcome['call']})", outcome, expected, cache)
    return tally


def _moments(graph: Any) -> list[float]:
    return graph.at(THETA).moments(3).tolist()


def _trial(cache: Path, graph: Any, action: int, call: int, error: int) -> dict[str, Any]:
    """One process that records under a fault, evaluates, and tells what it saw."""

    def record() -> dict[str, Any]:
        shim().shim_arm(os.fsencode(cache), action, call, error)
        trace, recorded, kept = obtain_trace(graph)
        calls = shim().shim_disarm()
        return {
            "calls": calls,
            "fired": shim().shim_fired(),
            "call": shim().shim_name(call).decode(),
            "kept": kept,
            "recorded": recorded,
            "moments": trace.moments([THETA], 3)[0].tolist(),
        }

    with cache_in(cache):
        before = _counts()
        ended = Child(record).wait()
        if ended.result is None:
            return {"fired": 0, "call": "?", "died": ended.signal}
        counted = {name: value - before[name] for name, value in _counts().items()}
        return ended.result | {"counted": counted}


def _counts() -> dict[str, int]:
    return trace_stores.trace_store().counts.read()


def judge(
    tally: Tally,
    where: str,
    outcome: dict[str, Any],
    expected: np.ndarray,
    cache: Path,
    *,
    half_done: bool = False,
) -> None:
    """`half_done`: the file system may make a name and say that it could not."""
    tally.counts["trials"] += 1
    if "died" in outcome:
        tally.must(False, f"{where}: the process ended without a result")
        return
    tally.counts["failed calls"] += outcome["fired"]
    said, counted = outcome["warnings"], outcome["counted"]
    tally.must(np.array_equal(outcome["moments"], expected), f"{where}: the result is right")
    tally.must(outcome["issued"] == sum(said.values()), f"{where}: what is counted is issued")
    entries = []
    if cache.exists():
        with cache_in(cache):
            store = trace_stores.trace_store()
            entries = store.directory.entries()
            for entry in entries:
                tally.must(store.look(entry.key)[0] is not None, f"{where}: the entry is valid")
    if half_done and entries and not outcome["kept"]:
        tally.counts["made and said to have failed"] += 1
    else:
        as_said = outcome["kept"] == bool(entries)
        tally.must(as_said, f"{where}: kept is {outcome['kept']}: {entries}")
    saves = said.get("CACHE_SAVE_FAILED", 0)
    if outcome["kept"]:
        # The reading before, or the lease, may have failed: once, and that is said.
        tally.must(sum(said.values()) <= 1, f"{where}: one warning at most: {said}")
        tally.must(not saves and not counted["failed_saves"], f"{where}: no failed save: {said}")
    else:
        tally.counts["failed saves"] += 1
        tally.must(outcome["fired"] > 0, f"{where}: there is a reason")
        tally.must(saves == 1, f"{where}: one warning: {said}")
        tally.must(counted["failed_saves"] == 1, f"{where}: one count: {counted}")
        others = {code: number for code, number in said.items() if code != "CACHE_SAVE_FAILED"}
        # Where nothing can be opened any more, reading fails before.
        tally.must(others in ({}, {"CACHE_READ_FAILED": 1}), f"{where}: only that: {said}")
