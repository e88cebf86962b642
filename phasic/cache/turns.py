"""Waiting for another that makes the same: until it is there, it is our turn, or too long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from .. import errors
from ..errors import PhasicError
from .lease import Turn, pauses

T = TypeVar("T")
Look = Callable[[str], tuple[T | None, PhasicError | None]]


def await_turn(
    key: str,
    ask: Callable[[], Turn],
    look: Look[T],
    pause: Callable[[float], bool],
    patience: float,
) -> tuple[T | None, PhasicError | None]:
    """The value of a key, or why there is none: then the lease is ours, or we go on alone.

    Args:
        key: of the value.
        ask: asks for its lease.
        look: finds the value, or why there is none although something is there.
        pause: waits for so many seconds or less; whether to look before asking again.
        patience: seconds after which another's work is waited for no longer.

    Raises:
        CacheError: no lease can be had here.
    """
    waits = pauses(patience)
    problem: PhasicError | None = None
    while True:
        turn = ask()
        if turn is not Turn.TAKEN:
            # It may have come between the look and the lease.
            value, problem = look(key)
            if turn is Turn.GONE and value is None:
                errors.warn(
                    "CACHE_NOT_KEPT",
                    f"the process that was recording {key} has ended and kept nothing: "
                    "recording here as well",
                )
            return value, problem
        seconds = next(waits, None)
        if seconds is None:
            errors.warn(
                "CACHE_WAIT_ENDED",
                f"another process has been recording {key} for more than "
                f"{patience:g} s (PHASIC_CACHE_WAIT_SECONDS): recording here as well",
            )
            return None, problem
        if pause(seconds):
            value, problem = look(key)
            if value is not None:
                return value, None
