"""Entries by key: find one, keep one, have one made once however many want it.

A value is a pure function of its key, so an entry is right or damaged and never stale. Nothing that
happens to the cache fails a computation: a damaged entry is moved to `.quarantine` and made again,
what cannot be saved is used all the same. Each such thing is one warning and one count.

What an entry looks like is known to the codec alone. It reads what is there or raises, and
publishes durably: what it has saved is complete on the medium and only then has its name.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .. import errors
from ..errors import CacheError, FormatError, PhasicError
from ..messages import debug
from . import access
from .breaker import TIER_DOWN
from .collector import Collector, Limits, sweep
from .counts import Counts
from .directory import CacheDirectory
from .lease import Lease
from .reach import Reach, direct
from .turns import await_turn

T = TypeVar("T")


class Codec(Protocol[T]):
    """How values become entries and back. All raise `CacheError` where the system refuses."""

    def load(self, directory: str, key: str) -> T | None:
        """The validated value; None where there is no entry; `FormatError`: it is damaged."""

    def read(self, path: str, key: str) -> T:
        """The validated value from a file anywhere; `FormatError`: damaged, or of another key."""

    def save(self, directory: str, key: str, value: T) -> None:
        """Publishes the value durably; a valid entry that is there stays."""

    def write(self, path: str, value: T) -> None:
        """Writes the value to a file anywhere."""

    def set_aside(self, directory: str, key: str) -> None:
        """Moves the entry to `.quarantine` if it is damaged still."""


@dataclass(frozen=True)
class Obtained(Generic[T]):
    """A value; whether it was made just now, and whether the cache holds it."""

    value: T
    recorded: bool
    kept: bool


@dataclass(frozen=True)
class Policy:
    """How a store behaves.

    Attributes:
        limits: of the directory.
        lease_seconds: after which a process that makes a value counts as dead.
        wait_seconds: how long to wait for another process that makes the value.
    """

    limits: Limits
    lease_seconds: float
    wait_seconds: float


class Store(Generic[T]):
    """The entries of one directory. Any number of threads, processes and machines share it.

    `reach` is how the directory is asked, where it may be away or not answer.
    """

    def __init__(
        self,
        directory: CacheDirectory,
        codec: Codec[T],
        counts: Counts,
        policy: Policy,
        reach: Reach = direct,
    ) -> None:
        self.directory = directory
        self.counts = counts
        self.policy = policy
        self.reach = reach
        self._codec = codec

    @property
    def collector(self) -> Collector:
        """What keeps the directory within its limits."""
        policy = self.policy
        return Collector(self.directory, policy.limits, policy.lease_seconds, policy.wait_seconds)

    def find(self, key: str) -> T | None:
        """The value of a key, or None: not there, damaged (moved aside and said), unreadable."""
        value, problem = self.look(key)
        if problem is not None:
            self.set_aside(key, problem)
        if value is None:
            self._miss(key)
        else:
            self._hit(key)
        return value

    def keep(self, key: str, value: T) -> bool:
        """Saves a value; whether it is there now. A failure is a warning."""
        return self._save(key, value) and self._tidy(key)

    def obtain(self, key: str, make: Callable[[], T]) -> Obtained[T]:
        """The value of a key, from the cache, else made and kept.

        Of all that want it at the same time one makes it and the others wait. Who has waited for
        `wait_seconds`, or for one that could not save it, makes it as well.
        """
        value, problem = self.look(key)
        if value is None:
            return self._obtain_in_turn(key, make, problem)
        self._hit(key)
        return Obtained(value, recorded=False, kept=True)

    def look(self, key: str) -> tuple[T | None, PhasicError | None]:
        """The value, or why there is none although something is there. Changes nothing."""
        try:
            return self.reach(lambda: self._codec.load(self.directory.path, key)), None
        except (FormatError, CacheError) as error:
            return None, error

    def set_aside(self, key: str, problem: PhasicError) -> None:
        """Moves what `look` found to be damaged to `.quarantine`; says what is wrong."""
        if problem.code == TIER_DOWN:
            return  # said when it was found
        if isinstance(problem, CacheError) and problem.code != "CACHE_NOT_REGULAR":
            errors.warn("CACHE_READ_FAILED", f"the cache entry cannot be read: {problem.message}")
            return
        moved = "it was moved to .quarantine and is recorded again"
        try:
            self.reach(lambda: self._codec.set_aside(self.directory.path, key))
        except CacheError as failure:
            moved = f"it could not be moved aside ({failure.message})"
        self.counts.add("damaged")
        errors.warn("CACHE_ENTRY_BAD", f"a bad cache entry: {problem.message}; {moved}")
        debug(f"cache entry bad: {key} [{problem.code}]")

    def add(self, key: str, path: str) -> bool:
        """Takes a file over as the entry of a key; whether it is there now.

        Raises:
            FormatError: it is damaged, or the entry of another key.
        """
        return self.keep(key, self._codec.read(path, key))

    # ---- steps

    def _obtain_in_turn(
        self, key: str, make: Callable[[], T], problem: PhasicError | None
    ) -> Obtained[T]:
        lease = Lease(self.directory, key, self.policy.lease_seconds)
        no_lease: CacheError | None = None
        try:
            try:
                value, problem = await_turn(
                    key,
                    lambda: self.reach(lease.ask),
                    self.look,
                    _slept,
                    self.policy.wait_seconds,
                )
            except CacheError as error:
                value, no_lease = None, error
            if value is not None:
                self._hit(key)
                return Obtained(value, recorded=False, kept=True)
            # Whoever has the lease clears away what is damaged, so that it is done once.
            if problem is not None:
                self.set_aside(key, problem)
            self._miss(key)
            made = make()
            kept = self._save(key, made)
        finally:
            self._give_back(lease)
        kept = kept and self._tidy(key)
        if kept and no_lease is not None:
            errors.warn(
                "CACHE_NO_LEASE",
                "other processes could not be told that this one was recording, and may have "
                f"recorded the same: {no_lease.message}",
            )
        return Obtained(made, recorded=True, kept=kept)

    def _give_back(self, lease: Lease) -> None:
        lease.abandon()
        try:
            self.reach(lease.release)
        except CacheError as error:
            # Untouched, it runs out by itself.
            debug(f"lease not given back: {error.message}")

    def _save(self, key: str, value: T) -> bool:
        try:
            self.reach(lambda: self._codec.save(self.directory.path, key, value))
        except CacheError as error:
            self.counts.add("failed_saves")
            if error.code != TIER_DOWN:
                errors.warn(
                    "CACHE_SAVE_FAILED",
                    "what was recorded could not be saved in the cache, and is used all the same: "
                    f"{error.message}",
                )
            return False
        self.counts.add("saved")
        debug(f"saved: {key} in {self.directory.path}")
        return True

    def _hit(self, key: str) -> None:
        self.counts.add("hits")
        if self.policy.limits:
            try:
                self.reach(lambda: access.stamp(self.directory, key))
            except CacheError as error:
                debug(f"no access stamp: {error.message}")
        debug(f"cache hit: {key} in {self.directory.path}")

    def _miss(self, key: str) -> None:
        self.counts.add("misses")
        debug(f"cache miss: {key} in {self.directory.path}")

    def _tidy(self, key: str) -> bool:
        """After a save: the limits, and what others left behind; whether the entry has stayed."""
        try:
            self.reach(lambda: sweep(self.directory, key))
            evicted = self.reach(self.collector.relieve)
        except CacheError as error:
            if error.code != TIER_DOWN:
                errors.warn(
                    "CACHE_COLLECT_FAILED", f"the cache could not be collected: {error.message}"
                )
            return True
        if evicted:
            self.counts.add("evicted", len(evicted))
            debug(f"evicted: {len(evicted)} entries")
        # The newest goes where all others are pinned or still to be saved behind.
        return all(entry.key != key for entry in evicted)


def _slept(seconds: float) -> bool:
    time.sleep(seconds)
    return True  # the entry may be there; a lease alone does not say
