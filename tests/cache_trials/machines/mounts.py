"""A cache on a file system whose calls fail, or whose server stops answering."""

from __future__ import annotations

import errno
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from phasic import trace_stores
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

from .. import failures
from ..setting import Child, Tally, cache_in, scratch
from . import hanging
from .tools import NotInstalled, need

ERRORS = ("ENOSPC", "EDQUOT", "EIO", "EROFS")
START_SECONDS = 20


class Mount:
    """A mounted `faulty_files`, and its orders."""

    def __init__(self, place: Path) -> None:
        self.folder = place / "mounted"
        self._orders, self._log = place / "orders", place / "calls"
        self._number = 0
        source = place / "source"
        for folder in (source, self.folder):
            folder.mkdir(mode=0o700)
        self.order("none", 0, 0)
        files = [source, self.folder, self._orders, self._log]
        self.server = subprocess.Popen(
            [sys.executable, "-m", "cache_trials.machines.faulty_files", *map(str, files)]
        )
        end = time.monotonic() + START_SECONDS
        while not os.path.ismount(self.folder):
            if time.monotonic() > end or self.server.poll() is not None:
                raise RuntimeError("the file system does not come up")
            time.sleep(0.02)

    def order(self, action: str, number: int, error: int) -> None:
        """See `faulty_files`."""
        self._number += 1
        self._log.write_text("")
        new = self._orders.with_suffix(".new")
        new.write_text(f"{self._number} {action} {number} {error}")
        new.replace(self._orders)

    def calls(self) -> list[str]:
        """Those since the last order."""
        return self._log.read_text().splitlines()


@contextmanager
def mounted(place: Path) -> Iterator[Mount]:
    """A file system in `place`, gone after the block."""
    need("fusermount3")
    if importlib.util.find_spec("mfusepy") is None:
        raise NotInstalled("no mfusepy (in the package registry of Python)")
    mount = Mount(place)
    try:
        yield mount
    finally:
        mount.server.kill()
        mount.server.wait()
        subprocess.run(["umount", "--lazy", mount.folder], check=True)


def fails(every: int, *, planted: bool) -> Tally:
    """Each error at and from each call that recording makes; every `every`-th trial."""
    tally = Tally()
    tally.counts |= {"calls": 0, "trials": 0, "failed calls": 0, "failed saves": 0}
    with scratch() as place, failures.planted_bug(planted), mounted(place) as mount:
        graph = queue_graph(6)
        expected = np.asarray(graph.at(failures.THETA).moments(3))
        calls = _trial(mount, mount.folder / "count", graph, "from", 1_000_000, 0)["calls"]
        tally.counts["calls"] = calls
        faults = [
            (f"{name} {action}", action, getattr(errno, name))
            for name in ERRORS
            for action in ("at", "from")
        ]
        for number, what, action, call, error in failures.at_calls(faults, calls, every):
            cache = mount.folder / f"cache.{number}"
            outcome = _trial(mount, cache, graph, action, call, error)
            where = f"{what} ({outcome['call']})"
            failures.judge(tally, where, outcome, expected, cache, half_done=True)
    few = tally.counts["made and said to have failed"] <= 3 * len(ERRORS) // every + 1
    tally.must(few, "only where the name's own calls fail")
    return tally


def _trial(
    mount: Mount, cache: Path, graph: Any, action: str, call: int, error: int
) -> dict[str, Any]:
    """One process that records under a fault, evaluates, and tells what it saw."""

    def record() -> dict[str, Any]:
        trace, recorded, kept = obtain_trace(graph)
        return {
            "kept": kept,
            "recorded": recorded,
            "moments": trace.moments([failures.THETA], 3)[0].tolist(),
        }

    with cache_in(cache):
        counts = trace_stores.trace_store().counts
        before = counts.read()
        mount.order(action, call, error)
        ended = Child(record).wait()
        calls = mount.calls()
        mount.order("none", 0, 0)
        fired = [line for line in calls if line.endswith("fails")]
        about = {"calls": len(calls), "fired": len(fired), "call": fired[0] if fired else "?"}
        if ended.result is None:
            return about | {"died": ended.signal}
        counted = {name: value - before[name] for name, value in counts.read().items()}
        return ended.result | about | {"counted": counted}


def stopped(seconds: int, *, planted: bool) -> Tally:
    """The server of the shared cache is stopped: calls wait until it takes them."""
    return _hang(
        seconds,
        lambda mount: mount.server.send_signal(signal.SIGSTOP),
        lambda mount: mount.server.send_signal(signal.SIGCONT),
        planted=planted,
    )


def silent(seconds: int, *, planted: bool) -> Tally:
    """It takes a call and does not answer: the kernel lets nobody end who waits for it."""
    return _hang(
        seconds,
        lambda mount: mount.order("hang", 1, 0),
        lambda mount: mount.order("none", 0, 0),
        planted=planted,
    )


def _hang(
    seconds: int,
    stop: Callable[[Mount], None],
    resume: Callable[[Mount], None],
    *,
    planted: bool,
) -> Tally:
    tally = Tally()
    with scratch() as place, mounted(place) as mount:
        shared = mount.folder / "cache"
        shared.mkdir(0o700)
        hanging.go_on(
            tally,
            place,
            shared,
            seconds,
            lambda: stop(mount),
            lambda: resume(mount),
            planted=planted,
        )
    return tally
