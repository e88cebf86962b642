"""A shared cache that stops answering: a task goes on without it, says so, and ends."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..setting import Tally, cache_in

DEADLINE = 3.0  # the task's own
GRACE = 5.0  # seconds; and on a busy machine a task may take longer than the one before
LONGER = 3.0

MODEL = """
from phasic import Graph


def lineages(state, n=20):
    if state.size == 0:
        return [([n], 1.0, [0.0])]
    k = state[0]
    return [] if k == 1 else [([k - 1], 0.0, [k * (k - 1) / 2])]


def model(n):
    return Graph(callback=lineages, parameterized=True, n=n)
"""
NO_DEADLINE = """
from phasic.cache.reach import Deadline

Deadline.__call__ = lambda self, action: action()
"""


def go_on(
    tally: Tally,
    place: Path,
    shared: Path,
    seconds: int,
    stop: Callable[[], None],
    resume: Callable[[], None],
    *,
    planted: bool,
) -> None:
    """Tasks before, while and after `shared` hangs for `seconds`."""
    (place / "model.py").write_text(MODEL + (NO_DEADLINE if planted else ""))
    settings = {"cache_shared_dir": shared, "cache_deadline_seconds": DEADLINE}
    with cache_in(place / "local", **settings):
        usual, expected, said = _task(place, 20)
        tally.must(not said, f"all is well before: {said}")
        _, alone, _ = _task(place, 21, PHASIC_CACHE_SHARED_DIR="")
        (place / "local").rename(place / "before")
        stop()
        timer = threading.Timer(seconds, resume)
        timer.start()
        began = time.monotonic()
        tasks = [_task(place, lineages) for lineages in (20, 21)]
        while_hung = time.monotonic() - began
        timer.join()
        kept = len(list((place / "local").glob("*.trace")))
        _, again, said_after = _task(place, 22)
    tally.counts |= {
        "s hung": seconds,
        "s deadline": DEADLINE,
        "s for a task otherwise": round(usual, 2),
        "s for the slowest task meanwhile": round(max(task[0] for task in tasks), 2),
        "entries in the shared cache": len(list(shared.glob("*.trace"))),
    }
    tally.must(while_hung < seconds, f"all this while it hung: {while_hung:.1f} s")
    for took, output, said in tasks:
        in_time = took <= LONGER * usual + DEADLINE + GRACE
        tally.must(in_time, f"over after {took:.1f} s, not {usual:.1f} s")
        tally.must(output in (expected, alone), f"the answer is right: {output}")
        loud = said.count("warning[CACHE_TIER_DOWN]") == 1 and "does not answer" in said
        tally.must(loud, f"it is said, once: {said}")
    tally.must(tasks[0][1] == expected and tasks[1][1] == alone, "each has its own answer")
    tally.must(kept == 2, f"{kept} of 2 traces are kept here")
    tally.must(not said_after and bool(again), f"all is well afterwards: {said_after}")


def _task(place: Path, lineages: int, **variables: str) -> tuple[float, str, str]:
    """Seconds until the process has ended, what it wrote, what it said."""
    began = time.monotonic()
    command = [sys.executable, "-m", "phasic.cli", "evaluate", f"{place}/model.py:model"]
    done = subprocess.run(
        [*command, "--arg", f"n={lineages}", "--theta", "1.5", "--moments", "3"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"a task has failed: {done.stderr}")
    return time.monotonic() - began, done.stdout, done.stderr
