"""What is away is not asked again at once: after a failure a while without, then one probe.

Whoever has to go without hears it once each time: a warning and a count of `unavailable`. All calls
until the next attempt are refused at once; the first after the rest is a probe, beside which all
others are still refused.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from .. import errors
from ..errors import CacheError
from .counts import Counts

R = TypeVar("R")
TIER_DOWN = "CACHE_TIER_DOWN"
REST_SECONDS = 60.0


class Breaker:
    """Calls to one place that may be away, which say so by `CacheError` (`TIER_DOWN`).

    Args:
        what: the place, as in "the shared cache".
        hint: what to do when it is away.
        counts: where failures are counted.
        rest: seconds after a failure before it is tried again.
    """

    def __init__(self, what: str, hint: str, counts: Counts, rest: float = REST_SECONDS) -> None:
        self._what = what
        self._hint = hint
        self._counts = counts
        self._rest = rest
        self._lock = threading.Lock()
        self._resumes: float | None = None
        self._reason = ""
        self._probing = False

    def __call__(self, action: Callable[[], R]) -> R:
        """What the action gives or raises.

        Raises:
            CacheError: the place is away (`TIER_DOWN`).
        """
        probe = self._admit()
        try:
            result = action()
        except CacheError as error:
            if error.code != TIER_DOWN:
                self._answered()
                raise
            raise self.trip(error.message) from error
        finally:
            if probe:
                self._probing = False
        self._answered()
        return result

    def trip(self, reason: str) -> CacheError:
        """Refuses calls for a while; the error to raise."""
        with self._lock:
            now = time.monotonic()
            if self._resumes is not None and now < self._resumes:
                return self.down(reason)  # another thread has found out, and said so
            self._reason, self._resumes = reason, now + self._rest
        self._counts.add("unavailable")
        errors.warn(
            TIER_DOWN,
            f"{self._what} cannot be used: {reason}; going on without it for {self._rest:g} s",
        )
        return self.down(reason)

    def down(self, reason: str) -> CacheError:
        """The error that says that the place is away, and why."""
        return CacheError(reason, code=TIER_DOWN, hint=self._hint)

    def _admit(self) -> bool:
        """Whether this call is a probe."""
        with self._lock:
            if self._resumes is None:
                return False
            if time.monotonic() < self._resumes or self._probing:
                raise self.down(self._reason)
            self._probing = True
            return True

    def _answered(self) -> None:
        with self._lock:
            if self._resumes is not None and time.monotonic() >= self._resumes:
                self._resumes = None
