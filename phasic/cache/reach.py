"""Reaching a directory that may be away or may not answer: a deadline, then a while without it.

A call to a mount whose server is silent does not return, and nothing interrupts it. So each is made
in a thread, which is left behind when its time is over. Before the first, and again after a while,
another process asks, since one with such a thread may be unable to end. A directory that is not
there is no empty cache: it may be mounted later, and to make one in its place would hide what it
holds.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from .. import errors
from ..errors import CacheError, ConfigError, InternalError, PhasicError
from .counts import Counts
from .directory import failed
from .probe import answers

R = TypeVar("R")
TIER_DOWN = "CACHE_TIER_DOWN"
REST_SECONDS = 60.0
TRUSTED_SECONDS = 5.0  # after an answer, for which the next is expected


class Reach(Protocol):
    """How a store makes its calls to the file system."""

    def __call__(self, action: Callable[[], R]) -> R:
        """What the action gives or raises; `CacheError` too where it cannot be asked."""


def direct(action: Callable[[], R]) -> R:
    """As any call is made: for a directory of this machine."""
    return action()


class Deadline:
    """Calls to a directory, each with a deadline; after a failure none for a while.

    Whoever has to go without the directory hears it once each time (a warning and a count of
    `unavailable`); all calls until it is tried again raise `CacheError` (`TIER_DOWN`) at once.

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
        self._counts = counts
        self._seconds = seconds
        self._rest = rest
        self._resumes = -1.0
        self._reason = ""
        self._answered = -TRUSTED_SECONDS

    def __call__(self, action: Callable[[], R]) -> R:
        """What the action gives or raises.

        Raises:
            CacheError: the directory is not there, or does not answer in time.
            ConfigError: it is the other directory.
        """
        if time.monotonic() < self._resumes:
            raise _down(self._reason)

        def checked() -> R:
            self._check()
            return action()

        silent = (
            f"{self._path} does not answer within {self._seconds:g} s "
            "(PHASIC_CACHE_DEADLINE_SECONDS)"
        )
        is_trusted = time.monotonic() < self._answered + TRUSTED_SECONDS
        if not is_trusted and not answers(self._path, self._seconds):
            raise self._go_without(silent)

        call = _Call(checked)
        try:
            call.start()
        except RuntimeError as error:  # the process may have no more threads
            if _is_left_behind():
                return checked()
            raise self._go_without(f"{self._path} cannot be asked: {error}") from error
        call.join(self._seconds)
        if call.is_alive():
            raise self._go_without(silent)
        self._answered = time.monotonic()
        try:
            return call.outcome()
        except CacheError as error:
            if error.code != TIER_DOWN:
                raise
            raise self._go_without(error.message) from error

    def _check(self) -> None:
        try:
            about = os.stat(self._path)
        except FileNotFoundError as error:
            raise _down(f"{self._path} is not there") from error
        except OSError as error:
            raise _down(failed(self._path, error).message) from error
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

    def _go_without(self, reason: str) -> CacheError:
        now = time.monotonic()
        if now < self._resumes:
            return _down(reason)  # another thread has found out, and said so
        self._reason, self._resumes = reason, now + self._rest
        self._counts.add("unavailable")
        errors.warn(
            TIER_DOWN,
            f"the shared cache cannot be used: {reason}; going on without it for {self._rest:g} s",
        )
        return _down(reason)


class _Call(threading.Thread, Generic[R]):
    """One call in a thread that nobody has to wait for."""

    def __init__(self, action: Callable[[], R]) -> None:
        super().__init__(name="phasic-reach", daemon=True)
        self._action = action
        self._context = contextvars.copy_context()  # the configuration's overrides
        self._results: list[R] = []
        self._error: PhasicError | None = None

    def run(self) -> None:
        try:
            self._results.append(self._context.run(self._action))
        except PhasicError as error:
            self._error = error

    def outcome(self) -> R:
        if self._error is not None:
            raise self._error
        if not self._results:
            raise InternalError("a call to the shared cache ended without a result; see above")
        return self._results[0]


def _is_left_behind() -> bool:
    """Whether the process ends, when it starts no threads, and will not wait for this one."""
    return threading.current_thread().daemon and not threading.main_thread().is_alive()


def _down(reason: str) -> CacheError:
    return CacheError(
        reason,
        code=TIER_DOWN,
        hint="make or mount the directory, or name another with PHASIC_CACHE_SHARED_DIR",
    )
