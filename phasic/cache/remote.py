"""The tier behind all directories: traces in object storage, for machines that share nothing else.

An entry is the object `<key><suffix>.zst`, a Zstandard frame. It is made only if there is none: who
comes second keeps his own, since both would be the same bytes. What is read goes to a file in the
nearest cache's `.tmp` and is validated there; wrong bytes are never stored, and the object is left
as it is, since another version of us, or another way to it, may find it right. Whatever fails is
one warning and one count, and the caller has its trace.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Generic, Protocol, TypeVar

from .. import errors
from ..errors import CacheError, FormatError, PhasicError
from ..messages import debug
from .breaker import TIER_DOWN, Breaker
from .compression import SUFFIX, Source, compress, decompress
from .counts import Counts
from .directory import CacheDirectory, Entry, failed, is_key
from .lease import Turn
from .objects import Objects
from .scratch import scratch_file
from .store import Codec, Obtained
from .turns import await_turn

T = TypeVar("T")
_BAD_IN_A_ROW = 3


class NodeLease(Protocol):
    """A claim on a key among machines; nothing of it raises, whatever happens to it."""

    def ask(self) -> Turn:
        """Tries to get it, at once; `OURS` too where claims are not to be had."""

    def pause(self, seconds: float) -> bool:
        """Waits so long, or until it is given back; whether the entry is to be looked for."""

    def release(self) -> None:
        """Gives it back, if it is ours, and tells those that wait."""


class RemoteTier(Generic[T]):
    """Entries in object storage.

    Args:
        objects: the storage.
        codec: how values become files and back.
        nearest: the directory in whose `.tmp` files are written meanwhile.
        limit: the largest entry in bytes.
        counts: what happens here.
        breaker: keeps from asking what is away.
        lease: makes the lease of a key; None: every machine records for itself.
        wait_seconds: how long to wait for another machine's recording.
    """

    def __init__(
        self,
        objects: Objects,
        codec: Codec[T],
        nearest: CacheDirectory,
        limit: int,
        counts: Counts,
        breaker: Breaker,
        lease: Callable[[str], NodeLease] | None = None,
        wait_seconds: float = 0.0,
    ) -> None:
        self.objects = objects
        self.counts = counts
        self._codec = codec
        self._nearest = nearest
        self._limit = limit
        self._breaker = breaker
        self._lease = lease
        self._wait_seconds = wait_seconds
        self._bad = 0

    # ---- as a tier: nothing raises

    def find(self, key: str) -> T | None:
        """The value of a key, validated, or None. A failure is a warning."""
        value, problem = self._look(key)
        self._tell(key, value, problem)
        return value

    def keep(self, key: str, value: T) -> bool:
        """Saves a value; whether one is there now. A failure is a warning."""
        try:
            new = self._breaker(lambda: self.store(key, value))
        except (CacheError, FormatError) as error:
            self.counts.add("failed_saves")
            if error.code != TIER_DOWN:
                errors.warn(
                    "CACHE_SAVE_FAILED",
                    f"what was recorded could not be saved in the remote cache: {error.message}",
                )
            return False
        if new:
            self.counts.add("saved")
            debug(f"saved: {key} in {self._url}")
        return True

    def obtain(self, key: str, make: Callable[[], T]) -> Obtained[T]:
        """The value of a key, else made and kept: where machines have leases, by one of them."""
        value, problem = self._look(key)
        if value is None and problem is None and self._lease is not None:
            return self._obtain_in_turn(self._lease(key), key, make)
        return self._obtain(key, make, value, problem)

    # ---- for commands: what fails is an error, and is asked whatever happened before

    def look(self, key: str) -> tuple[T | None, PhasicError | None]:
        """The value, or why there is none. Changes nothing."""
        try:
            return self.fetch(key), None
        except (FormatError, CacheError) as error:
            return None, error

    def fetch(self, key: str) -> T | None:
        """The validated value of a key; None where there is none.

        Raises:
            FormatError: what is there is not the value.
            CacheError: the storage cannot be asked (`TIER_DOWN`), or no file be written here.
        """
        with ExitStack() as scratch:

            def unpack(source: Source) -> str:
                path = scratch.enter_context(scratch_file(self._nearest))
                self._unpack(source, path)
                return path

            path = self.objects.get(self.name(key), unpack)
            return None if path is None else self._codec.read(path, key)

    def store(self, key: str, value: T, replace: bool = False) -> bool:
        """Saves a value; False, and nothing done, where there is one already.

        With `replace` what is there is replaced.

        Raises:
            CacheError: the storage cannot be asked (`TIER_DOWN`), or no file be written here.
        """
        with scratch_file(self._nearest) as plain, scratch_file(self._nearest) as packed:
            self._codec.write(plain, value)
            try:
                with open(plain, "rb") as source, open(packed, "wb") as target:
                    compress(source, target, os.fstat(source.fileno()).st_size)
            except OSError as error:
                raise failed(packed, error) from error
            return self.objects.put(self.name(key), packed, replace)

    def entries(self, start: str = "") -> Iterator[Entry]:
        """The entries whose keys start so, by key; bytes are those of the compressed object.

        Raises:
            CacheError: the storage cannot be asked.
        """
        for stored in self.objects.listing(after=start):
            key = stored.name.removesuffix(self._nearest.suffix + SUFFIX)
            if not stored.name.startswith(start):
                return
            if is_key(key) and stored.name == self.name(key):
                yield Entry(key, self.url_of(key), stored.n_bytes, stored.modified)

    def remove(self, key: str) -> None:
        """Removes an entry.

        Raises:
            CacheError: the storage cannot be asked.
        """
        self.objects.delete(self.name(key))

    def name(self, key: str) -> str:
        """The name of a key's object, below the prefix of the location."""
        return os.path.basename(self._nearest.entry_path(key)) + SUFFIX

    def url_of(self, key: str) -> str:
        """Where a key's object is or would be."""
        return f"{self._url.rstrip('/')}/{self.name(key)}"

    @property
    def _url(self) -> str:
        return self.objects.location.url

    # ---- steps

    def _look(self, key: str) -> tuple[T | None, PhasicError | None]:
        try:
            return self._breaker(lambda: self.fetch(key)), None
        except (FormatError, CacheError) as error:
            return None, error

    def _unpack(self, source: Source, path: str) -> None:
        try:
            with open(path, "wb") as target:
                decompress(source, target, self._limit)
        except PhasicError:
            raise
        except OSError as error:
            raise failed(path, error) from error

    def _obtain(
        self, key: str, make: Callable[[], T], value: T | None, problem: PhasicError | None
    ) -> Obtained[T]:
        self._tell(key, value, problem)
        if value is not None:
            return Obtained(value, recorded=False, kept=True)
        made = make()
        # What is bad there stays there, and is no entry of ours.
        kept = not isinstance(problem, FormatError) and self.keep(key, made)
        return Obtained(made, recorded=True, kept=kept)

    def _obtain_in_turn(self, lease: NodeLease, key: str, make: Callable[[], T]) -> Obtained[T]:
        try:
            value, problem = await_turn(key, lease.ask, self._look, lease.pause, self._wait_seconds)
            return self._obtain(key, make, value, problem)
        finally:
            lease.release()

    def _tell(self, key: str, value: T | None, problem: PhasicError | None) -> None:
        """Counts what was found, and says what is wrong with it."""
        self.counts.add("misses" if value is None else "hits")
        debug(f"cache {'miss' if value is None else 'hit'}: {key} in {self._url}")
        if isinstance(problem, FormatError):
            self._bad += 1
            self.counts.add("damaged")
            errors.warn(
                "CACHE_ENTRY_BAD",
                f"a bad entry in the remote cache: {self.url_of(key)}: {problem.message}; it is "
                "left there (`phasic cache push --replace` replaces it) and was not taken",
            )
            if self._bad == _BAD_IN_A_ROW:
                self._breaker.trip(f"{self._url}: {self._bad} bad entries in a row")
                self._bad = 0
        elif problem is None:
            self._bad = 0
        elif problem.code != TIER_DOWN:
            errors.warn(
                "CACHE_READ_FAILED",
                f"an entry of the remote cache cannot be taken: {problem.message}",
            )
