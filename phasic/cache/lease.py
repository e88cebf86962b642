"""One recording of a key however many want it: who holds its lease records, the others wait.

The lease of a key is the file of the highest number n among `.lease/<key>.<n>`. A file is made
exclusively, so a number has one maker. Its holder touches the file four times a term. Nobody reads
a clock of anybody else's: a waiter counts, on its own monotonic clock, for how long *it* has seen
the file untouched, and after a term tries to make number n + 1, which one of all waiters can. So
clocks may differ as they like, and a holder that was killed has one successor.

Whoever gets a lease must look for the entry again: it may have been recorded in the meantime. A
holder that was only stopped (SIGSTOP, a hung disk) may go on beside its successor; that costs time
and never an answer, since both record the same bytes.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from ..errors import CacheError
from ..messages import debug
from .directory import CacheDirectory, failed

LEASES = ".lease"
BEATS_A_TERM = 4
_FIRST_PAUSE_SECONDS = 0.005
_LONGEST_PAUSE_SECONDS = 0.2


def pauses(patience: float) -> Iterator[float]:
    """How long to sleep before each new attempt, until `patience` seconds are over."""
    deadline = time.monotonic() + patience
    pause = _FIRST_PAUSE_SECONDS
    while time.monotonic() < deadline:
        yield pause
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


class Turn(Enum):
    """What came of asking for a lease."""

    OURS = "it is ours"
    TAKEN = "another holds it"
    GONE = "the one that we saw held has been given back"


@dataclass(frozen=True)
class _Seen:
    """A lease file at one moment; it differs from another where it was touched in between."""

    number: int
    inode: int
    touched_ns: int


class Lease:
    """A claim on a name (a key, or what else only one process at a time should do).

    Args:
        directory: the cache.
        name: without a dot.
        term: seconds without a touch after which a lease counts as abandoned.
    """

    def __init__(self, directory: CacheDirectory, name: str, term: float) -> None:
        self._directory = directory
        self._name = name
        self._term = term
        self._seen: _Seen | None = None
        self._seen_since = 0.0
        self._number: int | None = None
        self._released = threading.Event()
        self._beating: threading.Thread | None = None

    def ask(self) -> Turn:
        """Tries to get the lease, at once.

        Raises:
            CacheError: no lease can be made here.
        """
        current = self._current()
        if current is None:
            if self._seen is not None:
                self._seen = None
                return Turn.GONE
            return self._make(0)
        now = time.monotonic()
        if current != self._seen:
            self._seen, self._seen_since = current, now
            return Turn.TAKEN
        if now - self._seen_since <= self._term:
            return Turn.TAKEN
        return self._make(current.number + 1)

    def now(self) -> float:
        """The file system's time, in seconds since the epoch; for the holder.

        Raises:
            CacheError: the lease is lost.
        """
        path = self._path(self._number or 0)
        try:
            os.utime(path, follow_symlinks=False)
            return os.stat(path).st_mtime
        except OSError as error:
            raise failed(path, error) from error

    def abandon(self) -> None:
        """Touches it no more, so that it runs out. Asks nothing of the file system."""
        self._released.set()

    def release(self) -> None:
        """Gives the lease back, if it is ours."""
        self.abandon()
        if self._number is None:
            return
        if self._beating is not None:
            self._beating.join()
        try:
            # The lowest first: our own stays until nobody can take an older one for the lease.
            for number in sorted(number for number in self._numbers() if number <= self._number):
                self._directory.unlink(self._path(number))
        except CacheError as error:
            # Untouched, it runs out by itself.
            debug(f"lease not given back: {error.message}")
        self._directory.drop_folder(LEASES)
        self._number = None

    def _make(self, number: int) -> Turn:
        if not self._directory.make_file(LEASES, f"{self._name}.{number}"):
            return Turn.TAKEN
        self._number = number
        thread = threading.Thread(target=self._beat, name="phasic-lease", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the process may have no more threads
            self.release()
            raise CacheError(
                f"no lease on {self._name}: {error}",
                code="CACHE_LEASE",
                hint="raise the limit on threads (ulimit -u)",
            ) from error
        self._beating = thread
        return Turn.OURS

    def _beat(self) -> None:
        path = self._path(self._number or 0)
        while not self._released.wait(self._term / BEATS_A_TERM):
            try:
                os.utime(path, follow_symlinks=False)
            except FileNotFoundError:
                return
            except OSError:
                # The next touch may succeed. If not, another takes over, which costs time only.
                continue

    def _current(self) -> _Seen | None:
        self._directory.status()  # in a directory open to all anyone could make us wait
        for number in sorted(self._numbers(), reverse=True):
            path = self._path(number)
            try:
                about = _fresh_status(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise failed(path, error) from error
            return _Seen(number, about.st_ino, about.st_mtime_ns)
        return None

    def _numbers(self) -> list[int]:
        start = f"{self._name}."
        ends = (name.removeprefix(start) for name in self._directory.listing(LEASES))
        return [int(end) for end in ends if end.isdecimal()]

    def _path(self, number: int) -> str:
        return os.path.join(self._directory.folder(LEASES), f"{self._name}.{number}")


def _fresh_status(path: str) -> os.stat_result:
    try:
        # Opening is what makes an NFS client ask its server when the file was touched.
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except PermissionError:
        return os.stat(path, follow_symlinks=False)  # not opened to the group yet
    try:
        return os.fstat(file)
    finally:
        os.close(file)
