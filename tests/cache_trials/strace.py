"""SIGKILL at each system call of a process that records and publishes, injected by strace.

What the shim does at calls of the C library, by another instrument and at those calls of the kernel
that concern files, whoever makes them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from phasic.trace_elimination import obtain_trace, record_elimination_trace
from rules import queue_graph

from .kills import TERM, check_aftermath, planted_bug
from .setting import Child, Ended, Tally, cache_in, scratch

_CALL = re.compile(r"^\d+ +(\w+)\(", re.MULTILINE)


def each_system_call(every: int, *, planted: bool) -> Tally:
    """Every `every`-th; 1 is all of them."""
    tally = Tally()
    if shutil.which("strace") is None:
        tally.broken.append("needs strace")
        return tally
    graph = queue_graph(6)
    expected = {
        graph.frozen.trace_key.hex(): record_elimination_trace(graph).to_bytes(),
    }
    with scratch() as place, planted_bug(planted):
        log = place / "log"
        with cache_in(place / "count"):
            _traced(graph, ["-o", str(log)])
        calls = Counter(_CALL.findall(log.read_text()))
        tally.counts |= {"system calls": calls.total(), "kinds": len(calls), "kills": 0, "reads": 0}
        tally.must(calls["linkat" if not planted else "write"] >= 1, f"it publishes: {calls}")
        points = [(name, k) for name, n in sorted(calls.items()) for k in range(1, n + 1)]
        for name, number in points[::every]:
            cache = place / f"cache.{name}.{number}"
            with cache_in(cache, **TERM):
                ended = _traced(graph, ["-e", f"inject={name}:signal=KILL:when={number}"])
                killed = ended.signal == 9
                # Threads make some calls in another order each time: the last may not come.
                tally.counts["kills"] += killed
                check_aftermath(tally, cache, graph, expected, f"{name} {number}")
        tally.must(tally.counts["kills"] >= 0.75 * len(points[::every]), "most points are reached")
    return tally


def _traced(graph: Any, options: list[str]) -> Ended:
    """A child that records once strace is attached to it."""
    gate, opener = os.pipe()

    def record() -> dict[str, Any]:
        os.close(opener)
        os.read(gate, 1)
        obtain_trace(graph)
        return {}

    child = Child(record)
    with tempfile.TemporaryFile() as said:
        tracer = subprocess.Popen(
            ["strace", "-f", "-e", "trace=%file,%desc", *options, "-p", str(child.pid)],
            stderr=said,
            stdin=subprocess.DEVNULL,
        )
        _wait_until_traced(child.pid)
        os.close(gate)
        os.close(opener)
        ended = child.wait()
        tracer.wait()
    return ended


def _wait_until_traced(process: int) -> None:
    status = Path(f"/proc/{process}/status")
    while "TracerPid:\t0\n" in status.read_text():
        time.sleep(0.001)
