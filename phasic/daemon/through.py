"""The tiers of a process that has a daemon before all but the nearest.

A hit in the local directory asks nobody. On a miss one process of all that want the entry holds
the local lease, as ever, and asks the daemon, which brings the entry into the local directory or
holds the leases behind while we record. Where there is no daemon, or no longer, the tiers behind
are asked from here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ..cache.store import Obtained, Store
from ..cache.tiers import Tier, Tiers
from ..errors import CacheError, FormatError
from .client import Client, unexpected
from .protocol import Connection

T = TypeVar("T")


class Through(Tiers[T]):
    """A local store, and behind it a daemon.

    Args:
        here: the local store.
        client: how the daemon is asked.
        behind: makes the tiers that the daemon stands for, once they have to be asked from here.
    """

    def __init__(
        self, here: Store[T], client: Client, behind: Callable[[], Sequence[Tier[T]]]
    ) -> None:
        self.here = here
        self.client = client
        self._make_behind = behind

    def find(self, key: str) -> T | None:
        """The value of a key from the nearest tier that has it, or None."""
        value = self.here.find(key)
        if value is not None:
            return value
        asked = self.client.request("find", key)
        if asked is not None:
            connection, message = asked
            connection.close()
            if message["op"] == "missing":
                return None
            value, _ = self.here.look(key) if message["op"] == "here" else (None, None)
            if value is not None:
                return value
        value = self.behind().find(key)
        if value is not None:
            self.here.keep(key, value)
        return value

    def keep(self, key: str, value: T) -> bool:
        """Saves a value here, and by the daemon in every other tier; whether one has it now."""
        kept = self.here.keep(key, value)
        asked = self.client.request("keep", key) if kept else None
        if asked is not None:
            connection, message = asked
            connection.close()
            if message["op"] == "kept":
                return True
        return self.behind().keep(key, value) or kept

    def obtain(self, key: str, make: Callable[[], T]) -> Obtained[T]:
        """The value of a key from the nearest tier that has it, else made and kept in every one."""
        asked: list[_Asking[T]] = []

        def ask() -> T:
            asked.append(_Asking(self, key))
            return asked[0].value(make)

        try:
            here = self.here.obtain(key, ask)
            return asked[0].acknowledged(here) if asked else here
        finally:
            for asking in asked:
                asking.close()

    def behind(self) -> Tiers[T]:
        """The tiers behind the local store, asked from here."""
        return Tiers(self._make_behind())


class _Asking(Generic[T]):
    """One entry that is not here, from the question to the acknowledgement."""

    def __init__(self, tiers: Through[T], key: str) -> None:
        self._tiers = tiers
        self._key = key
        self._connection: Connection | None = None
        self._found: Obtained[T] | None = None

    def close(self) -> None:
        """Gives back what the daemon holds for us."""
        if self._connection is not None:
            self._connection.close()

    def value(self, make: Callable[[], T]) -> T:
        """What the daemon brings, else what is made."""
        asked = self._tiers.client.request("obtain", self._key)
        if asked is not None:
            self._connection, message = asked
            if message["op"] == "record":
                return make()
            self.close()
            self._connection = None
            value, _ = self._tiers.here.look(self._key)
            if message["op"] == "here" and value is not None:
                self._found = Obtained(value, recorded=False, kept=True)
                return value
        self._found = self._tiers.behind().obtain(self._key, make)
        return self._found.value

    def acknowledged(self, here: Obtained[T]) -> Obtained[T]:
        """Has what was made saved behind, by the daemon or else from here."""
        if self._found is not None:
            kept = here.kept or self._found.kept
            return Obtained(here.value, recorded=self._found.recorded, kept=kept)
        if here.kept and self._handed_over():
            return here
        self.close()  # the leases first
        kept = self._tiers.behind().keep(self._key, here.value)
        return Obtained(here.value, recorded=True, kept=here.kept or kept)

    def _handed_over(self) -> bool:
        """Whether the daemon has taken it over, or tried; False: there is no daemon any more."""
        assert self._connection is not None
        client = self._tiers.client
        try:
            client.tell(self._connection, "published")
            message = client.answer(self._connection)
            if message["op"] != "kept":
                raise unexpected(message)
        except (CacheError, FormatError) as error:
            client.go_without(error)
            return False
        return True
