"""One tier before the next: look here, then further away, then make it and keep it in all.

The tiers are nested. To the nearest one a process says how to make a value: ask those behind it,
the last of which is told how to record. So each tier has its own lease, counts and quarantine, one
process a local cache asks what is behind it, and one of all that ask records. What came from
further away has been validated, and is published nearer as if it had been recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from .store import Obtained

T = TypeVar("T")


class Tier(Protocol[T]):
    """What holds values by key. Failures are warnings and counts, never errors."""

    def find(self, key: str) -> T | None:
        """The value of a key, validated, or None."""

    def keep(self, key: str, value: T) -> bool:
        """Saves a value; whether it is there now."""

    def obtain(self, key: str, make: Callable[[], T]) -> Obtained[T]:
        """The value of a key, else made and kept."""


class Tiers(Generic[T]):
    """The tiers of a process, the nearest first; there is at least one."""

    def __init__(self, tiers: Sequence[Tier[T]]) -> None:
        self._tiers = tiers

    def find(self, key: str) -> T | None:
        """The value of a key from the first tier that has it, or None."""
        for far, tier in enumerate(self._tiers):
            value = tier.find(key)
            if value is not None:
                for nearer in reversed(self._tiers[:far]):
                    nearer.keep(key, value)
                return value
        return None

    def keep(self, key: str, value: T) -> bool:
        """Saves a value in every tier; whether one has it now. A failure is a warning."""
        kept = [tier.keep(key, value) for tier in self._tiers]  # in all, also after the first
        return any(kept)

    def obtain(self, key: str, make: Callable[[], T]) -> Obtained[T]:
        """The value of a key from the first tier that has it, else made and kept in every one."""
        return _obtain(self._tiers, key, make)


def _obtain(tiers: Sequence[Tier[T]], key: str, make: Callable[[], T]) -> Obtained[T]:
    nearest, *behind = tiers
    if not behind:
        return nearest.obtain(key, make)
    asked: list[Obtained[T]] = []

    def ask() -> T:
        asked.append(_obtain(behind, key, make))
        return asked[0].value

    here = nearest.obtain(key, ask)
    if not asked:
        return here
    there = asked[0]
    return Obtained(here.value, recorded=there.recorded, kept=here.kept or there.kept)
