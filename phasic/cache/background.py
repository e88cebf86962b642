"""Threads that go on while the process does; at its end it waits for them, for a bounded time.

Nothing hangs on them but time: they are left behind by a process that ends before they do, and a
forked process has none of its parent's.
"""

from __future__ import annotations

import atexit
import contextvars
import os
import threading
import time
from collections.abc import Callable

from .. import errors
from ..errors import PhasicError

MOST = 8  # at once; whoever wants one more waits for what it wanted done


class Background(threading.Thread):
    """One piece of work. Errors of ours are warnings: nobody is there to be told by exception.

    Args:
        work: what is to be done.
        patience: seconds that the process waits for it at its end.
    """

    def __init__(self, work: Callable[[], object], patience: float) -> None:
        super().__init__(name="phasic-background", daemon=True)
        self.patience = patience
        self._work = work
        self._context = contextvars.copy_context()  # the configuration's overrides

    def run(self) -> None:
        try:
            self._context.run(self._work)
        except PhasicError as error:
            errors.warn("CACHE_SAVE_FAILED", f"saving in the background failed: {error.message}")

    def begin(self) -> bool:
        """Starts it; False: the process may have no more threads."""
        try:
            self.start()
        except RuntimeError:
            return False
        return True

    def let_go(self) -> bool:
        """The caller goes on without it; False: there are too many, and it has to wait."""
        return _under_way.add(self)


class _UnderWay:
    """The threads that callers have let go."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._threads: set[Background] = set()

    def add(self, thread: Background) -> bool:
        with self._lock:
            self._threads = {other for other in self._threads if other.is_alive()}
            if len(self._threads) >= MOST:
                return False
            self._threads.add(thread)
            return True

    def alive(self) -> list[Background]:
        with self._lock:
            return [thread for thread in self._threads if thread.is_alive()]


_under_way = _UnderWay()
os.register_at_fork(after_in_child=_under_way.forget)


@atexit.register
def settle() -> None:
    """Waits for all that is under way, each as long as it was given; what is left is a warning."""
    began = time.monotonic()
    for thread in _under_way.alive():
        thread.join(max(0.0, began + thread.patience - time.monotonic()))
    left = _under_way.alive()
    if left:
        errors.warn(
            "CACHE_SAVE_PENDING",
            f"saving behind the local cache has not ended within {left[0].patience:g} s "
            "(PHASIC_CACHE_DEADLINE_SECONDS): the next process with this cache does the rest",
        )
