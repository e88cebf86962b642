"""Reaching a directory that may be away or may not answer: a deadline, then a while without it.

A directory that is not there is no empty cache: it may be mounted later, and to make one in its
place would hide what it holds.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol, TypeVar

from ..errors import ConfigError
from .bounded import NoThread, Overdue, Time, bounded
from .breaker import REST_SECONDS, Breaker
from .counts import Counts
from .directory import failed

R = TypeVar("R")


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
            self._check()
            return action()

        try:
            return bounded(checked, self._seconds)
        except NoThread as error:
            raise self._breaker.down(f"{self._path} cannot be asked: {error}") from error
        except Overdue:
            raise self._breaker.down(
                f"{self._path} does not answer within {self._seconds:g} s "
                "(PHASIC_CACHE_DEADLINE_SECONDS)"
            ) from None

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
