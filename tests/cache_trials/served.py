"""A daemon before the shared directory: killed in the middle of requests, stormed, and not asked.

Daemons are processes of the command line; their clients are forked here.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from daemons import RUN, Daemon, daemon, settings
from phasic import trace_cache, trace_stores
from phasic._engine.trace import TraceHandle
from phasic.cache import pending
from phasic.daemon import through
from phasic.daemon.client import ask
from phasic.daemon.place import Place
from phasic.trace_elimination import record_elimination_trace
from rules import coalescent_graph, queue_graph

from . import stampede
from .costs import MOST_SECONDS
from .setting import Child, Tally, replaced, scratch

READY_SECONDS = 1.0
LEASE = {"cache_lease_seconds": 1}


@contextmanager
def variables_in(place: Path, **more: object) -> Iterator[dict[str, object]]:
    """Settings of a cache and its daemon, for this process and those that it starts."""
    place.mkdir(exist_ok=True)
    chosen = settings(place, **LEASE, **more)
    before = dict(os.environ)
    os.environ |= {name: str(value) for name, value in chosen.items()}
    try:
        yield chosen
    finally:
        os.environ.clear()
        os.environ |= before


def _requests(place: Path) -> int:
    """Served so far; asking is one."""
    answer = ask(Place(str(place / "d")), "status")
    assert answer is not None
    return int(answer["counts"]["requests"]) - 1


def _digest(trace: TraceHandle) -> str:
    return hashlib.sha256(trace.encode()).hexdigest()


# ---- killed in the middle of a request


def _unnoticed(planted: bool) -> AbstractContextManager[Any]:
    """A client that takes the entry for handed over, whatever became of the daemon."""
    return replaced(planted, through._Asking, _handed_over=lambda self: True)


def killed(times: int, *, planted: bool) -> Tally:
    """SIGKILL while a client waits for the answer, records, or waits for the acknowledgement."""
    tally = Tally()
    tally.counts |= {"kills": 0, "warnings": 0, "right answers": 0, "kept in both": 0}
    chance = random.Random(1)
    graphs = [queue_graph(3 + number) for number in range(8)]
    expected = [_digest(record_elimination_trace(graph).handle) for graph in graphs]
    with scratch() as place, _unnoticed(planted):
        for number in range(times):
            chosen = number % len(graphs)
            with variables_in(place / str(number)) as variables, daemon(variables) as running:
                moment = ("asking", "recording", "acknowledging")[number % 3]
                result = _killed_once(place, running, graphs[chosen], moment, chance)
                tally.counts["kills"] += 1
                where = f"{number}, {moment}"
                tally.must(result is not None, f"{where}: the client finishes")
                if result is None:
                    continue
                said = result["warnings"]
                tally.counts["warnings"] += sum(said.values())
                tally.must(
                    said == {"DAEMON_LOST": 1} and result["issued"] == 1,
                    f"{where}: it warns once: {said}",
                )
                right = result["digest"] == expected[chosen]
                tally.counts["right answers"] += right
                tally.must(right, f"{where}: the answer is right")
                with_both = all(
                    trace_stores.file_store(tier).look(result["key"])[0] is not None
                    for tier in ("local", "shared")
                )
                tally.counts["kept in both"] += with_both
                tally.must(with_both, f"{where}: it is kept here and there")
    return tally


def _killed_once(
    place: Path, running: Daemon, graph: Any, moment: str, chance: random.Random
) -> dict[str, Any] | None:
    reached = place / "reached"
    reached.unlink(missing_ok=True)
    pid = running.process.pid
    key = graph.frozen.trace_key

    def record() -> TraceHandle:
        if moment == "recording":
            os.kill(pid, signal.SIGKILL)
        elif moment == "acknowledging":
            os.kill(pid, signal.SIGSTOP)
            reached.touch()
        return record_elimination_trace(graph).handle

    def want() -> dict[str, Any]:
        obtained = trace_cache.obtain(key, record)
        return {"digest": _digest(obtained.value), "key": key.hex()}

    if moment == "asking":
        os.kill(pid, signal.SIGSTOP)
        reached.touch()
    client = Child(want)
    if moment != "recording":
        while not reached.exists():
            time.sleep(0.001)
        time.sleep(0.02 + chance.uniform(0, 0.1))
        running.kill()
    return client.wait().result


# ---- many clients


def one_key(processes: int, *, planted: bool) -> Tally:
    """`processes` of one node on a cold key: 1 recording, and 1 request to the daemon."""
    return _storm(processes, 1, planted)


def two_nodes(processes: int, *, planted: bool) -> Tally:
    """The same of two nodes, each with a cache and a daemon: 1 recording, known within a second."""
    return _storm(processes, 2, planted)


def _storm(processes: int, nodes: int, planted: bool) -> Tally:
    tally = Tally()
    graph = coalescent_graph(40)
    key = graph.frozen.trace_key
    with scratch() as place, stampede.planted_bug("no lease" if planted else ""):
        shared = place / "for all"
        shared.mkdir(mode=0o700)
        marks = place / "marks"
        marks.mkdir()
        gate, opener = os.pipe()

        def record() -> TraceHandle:
            time.sleep(0.5)
            handle = record_elimination_trace(graph).handle
            (marks / f"{os.getpid()}").write_text(str(time.monotonic()))
            return handle

        def want() -> dict[str, Any]:
            os.close(opener)
            os.read(gate, 1)  # until all have been started
            obtained = trace_cache.obtain(key, record)
            return {"digest": _digest(obtained.value), "at": time.monotonic()}

        running, children, places = [], [], []
        for node in range(nodes):
            places.append(place / f"node {node}")
            with variables_in(places[-1], cache_shared_dir=shared) as variables:
                running.append(Daemon(variables))
                children += [Child(want) for _ in range(processes // nodes)]
        try:
            os.close(gate)
            os.close(opener)
            results = [child.wait().result or {} for child in children]
            requests = [_requests(one) for one in places]
        finally:
            ended = [one.end()[0] for one in running]
        recordings = [float(mark.read_text()) for mark in marks.iterdir()]
        late = max(result["at"] for result in results) - min(recordings)
        tally.counts |= {
            "processes": len(children),
            "nodes": nodes,
            "recordings": len(recordings),
            "requests": sum(requests),
            "s until all had it": round(late, 3),
        }
        tally.must(len(recordings) == 1, f"{len(recordings)} recordings, not 1")
        tally.must(requests == [1] * nodes, f"one of a node asks: {requests}")
        tally.must(late < READY_SECONDS, f"the last has it after {late:.2f} s")
        tally.must(len({result["digest"] for result in results}) == 1, "all get the same bytes")
        said = [result["warnings"] for result in results if result["warnings"]]
        tally.must(not said, f"nobody has a reason to warn: {said[:2]}")
        tally.must(set(ended) == {0}, f"daemons end well: {ended}")
        tally.must([path.name for path in shared.iterdir()] == [f"{key.hex()}.trace"], "it is kept")
    return tally


# ---- what is acknowledged


def _slow_daemon(planted: bool) -> str:
    """A program for a daemon that saves behind slowly; with the bug it only says that it marks."""
    slow = (
        "import random, sys, time\n"
        "from phasic.cache.store import Store\n"
        "usual = Store._save\n"
        "def save(self, key, value):\n"
        "    time.sleep(random.uniform(0, 0.1))\n"
        "    return usual(self, key, value)\n"
        "Store._save = save\n"
    )
    bug = (
        "from phasic.cache.write_behind import WriteBehind\n"
        "WriteBehind.mark = lambda self, key: True\n"
    )
    return slow + (bug if planted else "") + RUN


def acknowledged(times: int, *, planted: bool) -> Tally:
    """SIGKILL of daemon and client at random points: the next daemon saves all acknowledged."""
    tally = Tally()
    names = ("kills of a daemon", "kills of a client", "acknowledged", "pending at death", "saved")
    tally.counts |= dict.fromkeys(names, 0)
    chance = random.Random(2)
    graphs = [queue_graph(3 + number) for number in range(10)]
    traces = [record_elimination_trace(graph) for graph in graphs]
    program = _slow_daemon(planted)
    with scratch() as place:
        for number in range(times):
            home = place / str(number)
            with variables_in(home) as variables:
                told = home / "told"

                def want(told: Path = told) -> dict[str, Any]:
                    with open(told, "w", buffering=1) as stream:
                        for trace in traces:
                            key = bytes.fromhex(trace.key)
                            obtained = trace_cache.obtain(key, lambda trace=trace: trace.handle)
                            if obtained.kept:
                                stream.write(f"{trace.key}\n")
                    return {}

                with daemon(variables, program) as running:
                    client = Child(want)
                    time.sleep(chance.uniform(0.01, 0.3))
                    both = number % 2 == 0
                    if both:  # else it goes on without the daemon
                        client.kill()
                    running.kill()
                    tally.counts["kills of a daemon"] += 1
                    tally.counts["kills of a client"] += both
                    ended = client.wait()
                    tally.must(both or ended.result is not None, f"{number}: the client ends")
                _judge(tally, number, variables, told.read_text().split() if told.exists() else [])
    tally.must(tally.counts["pending at death"] > 0, "some are killed in between")
    return tally


def _judge(tally: Tally, number: int, variables: dict[str, object], keys: list[str]) -> None:
    directory = trace_stores.trace_directory()
    tally.counts["acknowledged"] += len(keys)
    shared = trace_stores.file_store("shared")
    tally.counts["pending at death"] += sum(shared.look(key)[0] is None for key in keys)
    with daemon(variables) as running:
        end = time.monotonic() + 30
        while pending.keys(directory) and time.monotonic() < end:
            time.sleep(0.02)
        tally.must(not pending.keys(directory), f"{number}: nothing is marked in the end")
        code, _, err = running.end()
        tally.must((code, err) == (0, ""), f"{number}: the daemon ends well: {err}")
    saved = [shared.look(key)[0] is not None for key in keys]
    tally.counts["saved"] += sum(saved)
    tally.must(all(saved), f"{number}: {sum(saved)} of {len(keys)} acknowledged are saved")


# ---- not asked


def hit(rounds: int, *, planted: bool) -> Tally:
    """A trace of 100 vertices is found in a millisecond, and the daemon is not asked for it."""
    tally = Tally()
    graph = coalescent_graph(99)
    key = graph.frozen.trace_key

    def record() -> TraceHandle:
        return record_elimination_trace(graph).handle

    def timed() -> dict[str, Any]:
        trace_cache.obtain(key, record)
        seconds = []
        for _ in range(rounds):
            began = time.perf_counter()
            if planted:
                trace_cache.find(bytes(32))  # which nobody has
            obtained = trace_cache.obtain(key, record)
            seconds.append(time.perf_counter() - began)
            assert not obtained.recorded
        return {"seconds": median(seconds)}

    with scratch() as place, variables_in(place / "it") as variables, daemon(variables):
        result = Child(timed).wait().result
        tally.must(result is not None, "the client ends")
        seconds = result["seconds"] if result else float("inf")
        requests = _requests(place / "it")
    tally.counts |= {
        "hits": rounds,
        "ms in the middle": round(1e3 * seconds, 3),
        "requests": requests,
    }
    tally.must(seconds <= MOST_SECONDS, f"a hit takes {seconds:.5f} s")
    tally.must(requests == 1, f"hits ask nobody: {requests} requests")
    return tally
