"""What the daemon does of its own accord: saves behind, collects, and looks for damage, slowly.

What is marked is tried when the daemon starts and once a minute while something is. Collections
keep the local directory within its limits and clear away what dead processes left. Once a day every
entry is read and validated, a few megabytes a second, so that damage is found before it is needed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ..cache import pending
from ..cache.write_behind import WriteBehind
from ..errors import CacheError, PhasicError
from .log import LOG
from .metrics import Metrics


@dataclass(frozen=True)
class Pace:
    """How often and how fast, in seconds and bytes a second."""

    drain: float = 60.0
    collect: float = 300.0
    scrub: float = 86_400.0
    scrub_bytes: float = 8e6


class Housekeeper:
    """One thread for all of it.

    Args:
        tiers: the local store and what is behind it.
        metrics: where it is counted.
        pace: how often.
    """

    def __init__(self, tiers: WriteBehind[Any], metrics: Metrics, pace: Pace) -> None:
        self._tiers = tiers
        self._metrics = metrics
        self._pace = pace
        self._stopping = threading.Event()
        self._scrub = self._verified()
        self._thread = threading.Thread(target=self._run, name="phasic-housekeeping", daemon=True)

    def begin(self) -> None:
        """Starts; the first look for damage comes after a while, not with the first request."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Ends between two steps; a step that hangs is left behind."""
        self._stopping.set()
        self._thread.join(seconds)

    def has_pending(self) -> bool:
        """Whether something is still to be saved behind; a mark of what is gone means nothing."""
        try:
            return bool(pending.waiting(self._tiers.here.directory))
        except CacheError:
            return False

    def _run(self) -> None:
        pace = self._pace
        now = time.monotonic()
        due: dict[Callable[[], float], float] = {
            self._drain: now,
            self._collect: now + min(1.0, pace.collect),
            self._scrub_one: now + min(pace.collect, pace.scrub),
        }
        while not self._stopping.is_set():
            step = min(due, key=lambda step: due[step])
            if self._stopping.wait(max(0.0, due[step] - time.monotonic())):
                return
            pause = self._tried(step)
            due[step] = time.monotonic() + pause

    def _tried(self, step: Callable[[], float]) -> float:
        try:
            return step()
        except PhasicError as error:  # also of a configuration that is being edited
            LOG.warning("housekeeping: %s", error.message)
            return self._pace.drain

    def _drain(self) -> float:
        if self.has_pending():
            self._metrics.add("drains")
            self._tiers.drain()
        return self._pace.drain

    def _collect(self) -> float:
        collected = self._tiers.here.collector.collect()
        self._metrics.add("collections")
        self._metrics.add("evicted", len(collected.entries))
        if collected.entries or collected.orphans:
            LOG.info(
                "collected: %d entries, %d files of dead processes",
                len(collected.entries),
                len(collected.orphans),
            )
        return self._pace.collect

    def _scrub_one(self) -> float:
        """Verifies one entry; the seconds until the next."""
        seconds = next(self._scrub, None)
        if seconds is None:
            self._scrub = self._verified()
            return self._pace.scrub
        return seconds

    def _verified(self) -> Iterator[float]:
        store = self._tiers.here
        for entry in store.directory.entries():
            value, problem = store.look(entry.key)
            if problem is not None:
                store.set_aside(entry.key, problem)
                self._metrics.add("scrubbed_damaged")
            elif value is None:
                continue  # removed meanwhile
            self._metrics.add("scrubbed")
            yield entry.n_bytes / self._pace.scrub_bytes
