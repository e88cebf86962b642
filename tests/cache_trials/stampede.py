"""Many processes want one trace at once: how many record it, and what the others get.

A recording here takes a while and leaves a mark, so that recordings can be counted.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from phasic import trace_cache
from phasic._engine.trace import TraceHandle
from phasic.cache.lease import Lease, Turn
from phasic.trace_elimination import record_elimination_trace
from rules import coalescent_graph

from .setting import Child, Tally, cache_in, replaced, scratch, shim


class Herd:
    """Processes that start together on one key.

    Args:
        place: a folder of its own.
        caches: the paths under which process k % len sees the cache.
        seconds: of a recording.
        dies: the first that records is killed in the middle of it.
        skews: seconds by which the clock of process k % len is moved.
        settings: of the cache, the same for all.
    """

    def __init__(
        self,
        place: Path,
        caches: list[Path],
        *,
        seconds: float,
        dies: bool = False,
        skews: tuple[int, ...] = (0,),
        **settings: object,
    ) -> None:
        self.marks = place / "marks"
        self.marks.mkdir()
        self._caches = caches
        self._seconds = seconds
        self._dies = dies
        self._skews = skews
        self._settings = settings
        self._graph = coalescent_graph(40)
        self._key = self._graph.frozen.trace_key

    def run(self, number: int) -> list[dict[str, Any] | None]:
        """What each process gave back; None: it was killed."""
        gate, opener = os.pipe()
        children = [Child(lambda k=k: self._want(k, gate, opener)) for k in range(number)]
        os.close(gate)
        os.close(opener)
        return [child.wait().result for child in children]

    def recordings(self) -> list[float]:
        """When each recording began."""
        return sorted(path.stat().st_mtime for path in self.marks.glob("began.*"))

    def death(self) -> float:
        return (self.marks / "dead").stat().st_mtime

    def _want(self, number: int, gate: int, opener: int) -> dict[str, Any]:
        os.close(opener)
        os.read(gate, 1)  # until all have been started
        shim().shim_clock(self._skews[number % len(self._skews)])
        with cache_in(self._caches[number % len(self._caches)], **self._settings):
            obtained = trace_cache.obtain(self._key, self._record)
        data = obtained.value.encode()
        return {
            "bytes": hashlib.sha256(data).hexdigest(),
            "recorded": obtained.recorded,
            "clock": time.time(),
        }

    def _record(self) -> TraceHandle:
        (self.marks / f"began.{os.getpid()}").touch()
        if self._dies:
            try:
                (self.marks / "dead").touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
            except FileExistsError:
                pass
        time.sleep(self._seconds)
        return record_elimination_trace(self._graph).handle


def planted_bug(bug: str) -> AbstractContextManager[Any]:
    """`no lease`: everybody gets one. `wall clock`: another's clock is compared with ours."""
    usual = Lease.ask

    def everybody(self: Lease) -> Turn:
        return Turn.OURS

    def by_the_clock(self: Lease) -> Turn:
        turn = usual(self)
        seen = self._seen
        if turn is Turn.TAKEN and seen and time.time() - seen.touched_ns / 1e9 > self._term:
            return self._make(seen.number + 1)
        return turn

    asked = {"": None, "no lease": everybody, "wall clock": by_the_clock}[bug]
    return replaced(asked is not None, Lease, ask=asked)


def check_equal(tally: Tally, results: list[dict[str, Any] | None], killed: int = 0) -> None:
    answers = [result for result in results if result]
    tally.must(len(answers) == len(results) - killed, f"{len(answers)} of {len(results)} answered")
    tally.must(len({answer["bytes"] for answer in answers}) == 1, "all get the same bytes")
    said = [answer["warnings"] for answer in answers if answer["warnings"]]
    tally.must(not said, f"nobody has a reason to warn: {said[:2]}")


@contextmanager
def second_path(cache: Path, how: str) -> Iterator[list[Path]]:
    """The cache under one path, or under two: by a `link`, or by a `mount` (which needs root)."""
    other = cache.with_name("other")
    if how == "link":
        other.symlink_to(cache)
    elif how == "mount":
        other.mkdir()
        subprocess.run(["mount", "--bind", cache, other], check=True)
    try:
        yield [cache, other] if how else [cache]
    finally:
        if how == "mount":
            subprocess.run(["umount", other], check=True)


def one_key(processes: int, *, planted: bool, second: str = "") -> Tally:
    """`processes` on a cold key, under one path of the directory or two: 1 recording."""
    tally = Tally()
    with scratch() as place, planted_bug("no lease" if planted else ""):
        cache = place / "cache"
        cache.mkdir(0o700)
        with second_path(cache, second) as caches:
            herd = Herd(place, caches, seconds=0.5)
            results = herd.run(processes)
        tally.counts |= {"processes": processes, "recordings": len(herd.recordings())}
        tally.must(len(herd.recordings()) == 1, f"{len(herd.recordings())} recordings, not 1")
        left = sorted(os.listdir(cache))
        tally.must(len(left) == 1 and left[0].endswith(".trace"), f"nothing is left but it: {left}")
        check_equal(tally, results)
    return tally


def local_caches(processes: int, *, planted: bool) -> Tally:
    """`processes` with 4 local caches and a shared one: 1 recording, and the same bytes in all."""
    tally = Tally()
    with scratch() as place, planted_bug("no lease" if planted else ""):
        shared = place / "shared"
        shared.mkdir(0o700)
        caches = [place / f"local.{number}" for number in range(4)]
        herd = Herd(place, caches, seconds=0.5, cache_shared_dir=shared)
        results = herd.run(processes)
        tally.counts |= {"processes": processes, "recordings": len(herd.recordings())}
        tally.must(len(herd.recordings()) == 1, f"{len(herd.recordings())} recordings, not 1")
        (entry,) = shared.iterdir()
        for cache in caches:
            left = {path.name: path.read_bytes() for path in cache.iterdir() if path.is_file()}
            tally.must(left == {entry.name: entry.read_bytes()}, f"{cache.name}: it is a copy")
        check_equal(tally, results)
    return tally


def holder_killed(processes: int, *, planted: bool, term: int = 2) -> Tally:
    """The one that records is killed: exactly one successor, within a term and 5 s."""
    tally = Tally()
    with scratch() as place, planted_bug("no lease" if planted else ""):
        os.environ["PHASIC_CACHE_LEASE_SECONDS"] = str(term)
        herd = Herd(place, [place / "cache"], seconds=0.5, dies=True)
        results = herd.run(processes)
        began = herd.recordings()
        waited = began[1] - herd.death() if len(began) > 1 else float("inf")
        tally.counts |= {
            "processes": processes,
            "recordings": len(began),
            "s lease": term,
            "s until the successor began": round(waited, 3),
        }
        tally.must(len(began) == 2, f"{len(began)} recordings: one that died, and one successor")
        tally.must(waited <= term + 5, f"the successor began after {waited:.1f} s")
        check_equal(tally, results, killed=1)
    return tally


def skewed(processes: int, *, planted: bool) -> Tally:
    """Clocks 60 s apart, recordings longer than a term: at most 2 of them, and no error."""
    tally = Tally()
    with scratch() as place, planted_bug("wall clock" if planted else ""):
        os.environ["PHASIC_CACHE_LEASE_SECONDS"] = "2"
        herd = Herd(place, [place / "cache"], seconds=3.0, skews=(0, 60, -60))
        results = herd.run(processes)
        tally.counts |= {"processes": processes, "recordings": len(herd.recordings())}
        tally.must(len(herd.recordings()) <= 2, f"{len(herd.recordings())} recordings")
        clocks = [result["clock"] for result in results if result]
        apart = max(clocks) - min(clocks)
        tally.must(110 < apart < 130, f"the trial's clocks are 120 s apart: {apart:.0f} s")
        check_equal(tally, results)
    return tally
