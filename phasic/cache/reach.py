"""Reaching a directory that may be away or may not answer: a deadline, then a while without it.

Before the first call, and again after a while, another process asks, since one with a thread that
hangs may be unable to end. A directory that is not there is no empty cache: it may be mounted
later, and to make one in its place would hide what it holds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from ..errors import ConfigError
from .bounded import NoThread, Overdue, Time, bounded
from .breaker import REST_SECONDS, Breaker
from .counts import Counts
from .directory import failed
from .probe import answers

R = TypeVar("R")
TRUSTED_SECONDS = 5.0  # after an answer, for which the next is expected


class Reach(Protocol):
    """How a store makes its calls to the file system."""

    def __call__(self, action: Callable[[], R]) -> R:
        """What the action gives or raises; `CacheError` too where it cannot be asked."""


def direct(action: Callable[[], R]) -> R:
    """As any call is made: for a directory of this machine."""
    return action()


class Deadline:
    """Calls to a directory, each with a deadline; after a failure none for a while (`Breaker`).

    Args:
        path: the directory.
        apart_from: another one, which it must not be.
        counts: where failures are counted.
        seconds: the longest wait for a call.
        rest: seconds after a failure before the directory is tried again.
    """

    def __init__(
        self,
        path: str,
        apart_from: str,
        counts: Counts,
        seconds: float,
        rest: float = REST_SECONDS,
    ) -> None:
        self._path = path
        self._apart_from = apart_from
        self._seconds = seconds
        self._answered = -TRUSTED_SECONDS
        hint = "make or mount the directory, or name another with PHASIC_CACHE_SHARED_DIR"
        self._breaker = Breaker("the shared cache", hint, counts, rest)

    def __call__(self, action: Callable[[], R]) -> R:
        """What the action gives or raises.

        Raises:
            CacheError: the directory is not there, or does not answer in time.
            ConfigError: it is the other directory.
        """
        return self._breaker(lambda: self._within(action))

    def _within(self, action: Callable[[], R]) -> R:
        def checked(_: Time) -> R:
            try:
                self._check()
                return action()
            finally:
                self._answered = time.monotonic()

        silent = (
            f"{self._path} does not answer within {self._seconds:g} s "
            "(PHASIC_CACHE_DEADLINE_SECONDS)"
        )
        is_trusted = time.monotonic() < self._answered + TRUSTED_SECONDS
        if not is_trusted and not answers(self._path, self._seconds):
            raise self._breaker.down(silent)
        try:
            return bounded(checked, self._seconds)
        except NoThread as error:
            raise self._breaker.down(f"{self._path} cannot be asked: {error}") from error
        except Overdue:
            self._answered = -TRUSTED_SECONDS
            raise self._breaker.down(silent) from None

    def _check(self) -> None:
        try:
            about = os.stat(self._path)
        except FileNotFoundError as error:
            raise self._breaker.down(f"{self._path} is not there") from error
        except OSError as error:
            raise self._breaker.down(failed(self._path, error).message) from error
        try:
            other = os.stat(self._apart_from)
        except OSError:
            return
        if os.path.samestat(about, other):
            raise ConfigError(
                f"cache_shared_dir {self._path} is the directory that cache_dir names too",
                code="CONFIG_VALUE",
                hint="one directory for all is a cache_dir; a shared one stands behind a local one",
            )
