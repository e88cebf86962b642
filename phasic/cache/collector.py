"""Keeping a cache within its limits, and clear of what dead processes left behind.

The entries used longest ago go first. Once there are more bytes than the high-water mark, or less
free space than the floor, entries go until there are no more than the low-water mark, so that not
every save has to collect. One collector at a time works on a directory; whoever saved too much
waits for it, so that the cache never exceeds the high-water mark by more than what is being
written. Pinned entries stay, and so do those still to be saved in the tiers behind. A process that
has an entry mapped keeps it though its name is gone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import CacheError
from . import access, pending, pins
from .directory import (
    ACCESS,
    PENDING,
    PLANS,
    QUARANTINE,
    TEMPORARY,
    CacheDirectory,
    Entry,
    failed,
    is_key,
)
from .lease import LEASES, Lease, Turn, pauses

DAY = 86_400.0
# A file that nobody has written to for so long has no writer any more. The file system's clock
# counts, since the writer may be on another machine.
ORPHAN_SECONDS = 3_600.0
_QUARANTINE_SECONDS = 30 * DAY
_NAME = "collector"  # of its lease
_SYSTEM = ".nfs"  # an NFS client's own: open files that were removed


@dataclass(frozen=True)
class Limits:
    """Of a cache directory; 0 is none.

    Attributes:
        high_bytes: bytes of entries that start a collection.
        low_bytes: how far it goes; 0: nine tenths of `high_bytes`.
        max_age: seconds since the last use after which an entry goes.
        min_free_bytes: free space on the file system that is left to others.
    """

    high_bytes: int = 0
    low_bytes: int = 0
    max_age: float = 0.0
    min_free_bytes: int = 0

    def __bool__(self) -> bool:
        return bool(self.high_bytes or self.max_age or self.min_free_bytes)

    @property
    def target_bytes(self) -> int:
        """How many bytes of entries a collection leaves."""
        return min(self.low_bytes or self.high_bytes // 10 * 9, self.high_bytes)


@dataclass(frozen=True)
class Collected:
    """What a collection removed (or would): entries, and files that dead processes left."""

    entries: list[Entry]
    orphans: list[str]


class Collector:
    """Collections in one directory.

    Args:
        directory: the cache.
        limits: what it may take.
        term: of its lease, in seconds.
        patience: seconds to wait for another collector.
    """

    def __init__(
        self, directory: CacheDirectory, limits: Limits, term: float, patience: float
    ) -> None:
        self._directory = directory
        self._limits = limits
        self._term = term
        self._patience = patience

    def relieve(self) -> list[Entry]:
        """After a save: collects if a limit is exceeded; the entries that were removed.

        Raises:
            CacheError: a limit is exceeded, and nothing can be done about it.
        """
        if not self._limits:
            return []
        lease = Lease(self._directory, _NAME, self._term)
        waits = pauses(self._patience)
        try:
            while self._excess(time.time()):
                if lease.ask() is Turn.OURS:
                    return self._evict(lease.now())
                self._wait(waits)
            return []
        finally:
            lease.release()

    def collect(
        self, *, orphan_seconds: float = ORPHAN_SECONDS, dry_run: bool = False
    ) -> Collected:
        """Removes what exceeds the limits, and what dead processes left behind.

        Raises:
            CacheError: another collector does not end, or something cannot be removed.
        """
        if self._directory.status() is None:
            return Collected([], [])
        if dry_run:
            now = time.time()
            return Collected(self._excess(now), list(self._orphans(now, orphan_seconds)))
        lease = Lease(self._directory, _NAME, self._term)
        waits = pauses(self._patience)
        try:
            while lease.ask() is not Turn.OURS:
                self._wait(waits)
            now = lease.now()
            removed = self._evict(now)
            orphans = [
                path for path in self._orphans(now, orphan_seconds) if self._directory.discard(path)
            ]
        finally:
            lease.release()
        for name in (TEMPORARY, QUARANTINE, ACCESS, PLANS, PENDING):
            self._directory.drop_folder(name)
        return Collected(removed, orphans)

    def _wait(self, waits: Iterator[float]) -> None:
        pause = next(waits, None)
        if pause is None:
            raise CacheError(
                f"another process has been collecting in {self._directory.path} for too long",
                code="CACHE_BUSY",
                hint="one that was killed blocks others for a lease's term only; then try again",
            )
        time.sleep(pause)

    def _evict(self, now: float) -> list[Entry]:
        removed = []
        for entry in self._excess(now):
            if pending.is_marked(self._directory, entry.key):
                continue  # since a moment ago
            if self._directory.remove(entry.key):
                removed.append(entry)
            access.forget(self._directory, entry.key)
        return removed

    def _excess(self, now: float) -> list[Entry]:
        """The entries that have to go, in the order of going."""
        limits = self._limits
        if not limits:
            return []
        uses = access.last_uses(self._directory)
        entries = self._directory.entries()
        kept = pins.pinned(self._directory) | set(pending.keys(self._directory))
        total = sum(entry.n_bytes for entry in entries)
        free = self._free_bytes() if limits.min_free_bytes else 0
        over_size = bool(limits.high_bytes) and total > limits.high_bytes
        gone: list[Entry] = []
        for used, entry in sorted(
            ((access.last_use(entry, uses), entry) for entry in entries if entry.key not in kept),
            key=lambda item: (item[0], item[1].key),
        ):
            too_old = bool(limits.max_age) and now - used > limits.max_age
            too_much = over_size and total > limits.target_bytes
            if not (too_old or too_much or free < limits.min_free_bytes):
                break
            gone.append(entry)
            total -= entry.n_bytes
            free += entry.n_bytes
        return gone

    def _free_bytes(self) -> int:
        try:
            system = os.statvfs(self._directory.path)
        except OSError as error:
            raise failed(self._directory.path, error) from error
        return system.f_bavail * system.f_frsize

    def _orphans(self, now: float, orphan_seconds: float) -> Iterator[str]:
        live = {entry.key for entry in self._directory.entries()}
        yield from _older(self._directory, TEMPORARY, now - orphan_seconds)
        yield from _unmeaning_marks(self._directory, now - orphan_seconds)
        for path in _older(self._directory, PLANS, now - orphan_seconds):
            if not path.endswith(".plan"):
                yield path
        yield from _older(self._directory, LEASES, now - max(orphan_seconds, 2 * self._term))
        yield from _older(self._directory, QUARANTINE, now - _QUARANTINE_SECONDS)
        for path in _older(self._directory, ACCESS, now - orphan_seconds):
            if os.path.basename(path) not in live:
                yield path


def sweep(directory: CacheDirectory, key: str) -> None:
    """After a save of `key`: removes what writers that died long ago left.

    Raises:
        CacheError: it cannot be removed.
    """
    path = directory.found_path(key)
    if path is None:
        return
    try:
        now = os.stat(path).st_mtime  # by the file system's clock
    except FileNotFoundError:
        return
    except OSError as error:
        raise failed(path, error) from error
    for orphan in _older(directory, TEMPORARY, now - ORPHAN_SECONDS):
        directory.unlink(orphan)
        directory.drop_folder(TEMPORARY)
    for orphan in _unmeaning_marks(directory, now - ORPHAN_SECONDS):
        directory.unlink(orphan)
        directory.drop_folder(PENDING)


def is_at_work(directory: CacheDirectory) -> bool:
    """Whether a collector may be removing entries now.

    Raises:
        CacheError: that cannot be found out.
    """
    return any(name.startswith(f"{_NAME}.") for name in directory.listing(LEASES))


def _unmeaning_marks(directory: CacheDirectory, moment: float) -> Iterator[str]:
    """Marks of entries that were gone before they were marked, so that nobody relies on them."""
    for path in _older(directory, PENDING, moment):
        name = os.path.basename(path)
        if not is_key(name) or directory.found_path(name) is None:
            yield path


def _older(directory: CacheDirectory, name: str, moment: float) -> Iterator[str]:
    for file in directory.listing(name):
        path = os.path.join(directory.folder(name), file)
        try:
            about = os.lstat(path)
        except FileNotFoundError:
            continue
        if about.st_mtime <= moment and not file.startswith(_SYSTEM):
            yield path
