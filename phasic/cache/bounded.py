"""Calls that may never return, each with a time after which nobody waits for it.

Nothing interrupts a call to a mount whose server is silent, or to a server that sends a byte a
second. So it is made in a thread, which is left behind when its time is over.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from ..errors import InternalError, PhasicError

R = TypeVar("R")


class Overdue(Exception):
    """A call has not returned in time."""


class NoThread(Exception):
    """The process may have no more threads."""


class Time:
    """How long a call may take; the call itself may be given more once it knows what is to come."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._given_up = False

    def extend(self, seconds: float) -> None:
        """So many seconds more."""
        self._ends += seconds

    @property
    def left(self) -> float:
        """Seconds; not above 0 when it is over, and from then on."""
        left = self._ends - time.monotonic()
        if left <= 0:
            self._given_up = True  # whoever has seen the end, it stays
        return -1.0 if self._given_up else left

    def give_up(self) -> None:
        """Ends it for good."""
        self._given_up = True


def bounded(action: Callable[[Time], R], seconds: float) -> R:
    """What the action gives or raises; it is told its time.

    Raises:
        Overdue: it does not return in time, and is left behind.
        NoThread: it cannot be begun.
    """
    call = _Call(action, Time(seconds))
    try:
        call.start()
    except RuntimeError as error:
        if _is_left_behind():
            return action(call.time)
        raise NoThread(str(error)) from error
    while call.is_alive() and (left := call.time.left) > 0:
        call.join(left)
    if call.is_alive():
        call.time.give_up()
        raise Overdue
    return call.outcome()


def _is_left_behind() -> bool:
    """Whether the process ends, when it starts no threads, and will not wait for this one."""
    return threading.current_thread().daemon and not threading.main_thread().is_alive()


class _Call(threading.Thread, Generic[R]):
    """One call in a thread that nobody has to wait for."""

    def __init__(self, action: Callable[[Time], R], time: Time) -> None:
        super().__init__(name="phasic-reach", daemon=True)
        self.time = time
        self._action = action
        self._context = contextvars.copy_context()  # the configuration's overrides
        self._results: list[R] = []
        self._error: PhasicError | None = None

    def run(self) -> None:
        try:
            self._results.append(self._context.run(self._action, self.time))
        except PhasicError as error:
            self._error = error

    def outcome(self) -> R:
        if self._error is not None:
            raise self._error
        if not self._results:
            raise InternalError("a call to a cache ended without a result; see above")
        return self._results[0]
