"""A local store before a shared one: look here, then there, then make it and keep it in both.

The tiers are nested. To its own store a process says how to make a value: ask the shared store, to
which it says how to record. So each tier has its lease, counts and quarantine, one process a local
cache asks the shared one, and one of all that ask records. What came from the shared store has been
validated, and is published here as if it had been recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from .store import Obtained, Store

T = TypeVar("T")


class Tiers(Generic[T]):
    """A local store and, where there is one, a shared store behind it."""

    def __init__(self, local: Store[T], shared: Store[T] | None) -> None:
        self._local = local
        self._shared = shared

    def find(self, key: str) -> T | None:
        """The value of a key from the first tier that has it, or None."""
        value = self._local.find(key)
        if value is not None or self._shared is None:
            return value
        value = self._shared.find(key)
        if value is not None:
            self._local.keep(key, value)
        return value

    def keep(self, key: str, value: T) -> bool:
        """Saves a value in every tier; whether one has it now. A failure is a warning."""
        kept = self._local.keep(key, value)
        return (self._shared is not None and self._shared.keep(key, value)) or kept

    def obtain(self, key: str, make: Callable[[], T]) -> Obtained[T]:
        """The value of a key from the first tier that has it, else made and kept in every one."""
        if self._shared is None:
            return self._local.obtain(key, make)
        shared = self._shared
        asked: list[Obtained[T]] = []

        def ask() -> T:
            asked.append(shared.obtain(key, make))
            return asked[0].value

        here = self._local.obtain(key, ask)
        if not asked:
            return here
        there = asked[0]
        return Obtained(here.value, recorded=there.recorded, kept=here.kept or there.kept)
