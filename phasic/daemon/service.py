"""What the daemon does for a request: entries brought here, leases held, saves behind.

It is the tiers of a process that never records. What a client records comes back as a path: the
client publishes it in the local directory, the daemon marks it there, acknowledges, and saves it
behind under the leases that it has held all along.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, TypeVar

from ..cache import pending
from ..cache.tiers import Tiers
from ..cache.write_behind import Noted, WriteBehind
from ..errors import CacheError, ConfigError
from .protocol import Message, lost

T = TypeVar("T")
Tell = Callable[..., None]
"""Sends a message, `tell(op, **fields)`, and is silent from then on or at work again."""


class Service(Generic[T]):
    """Requests on the tiers; any number at a time.

    Args:
        tiers: the local store and what is behind it.
    """

    def __init__(self, tiers: WriteBehind[T]) -> None:
        self.tiers = tiers
        self._fetches: dict[str, _Fetch] = {}
        self._fetching = threading.Lock()

    def find(self, key: str) -> Message:
        """Brings an entry here; of all that want it at a time one fetch does."""
        with self._one_fetch(key):
            if self.tiers.here.look(key)[0] is not None:
                return {"op": "here"}
            try:
                value = Tiers(self.tiers.behind).find(key)
            except ConfigError as error:
                return _direct(error.message)
        if value is None:
            return {"op": "missing"}
        return self._brought(key, value)

    def keep(self, key: str, tell: Tell) -> None:
        """Saves behind what a client has published here."""
        noted = Noted.all_of(self.tiers.behind)
        value, problem = self.tiers.here.look(key)
        if value is None:
            tell("direct", message=f"it is not here: {problem.message if problem else key}")
            return
        sure = self.tiers.mark(key)
        if sure:
            tell("kept", kept=True)
        with pending.claim(self.tiers.here.directory, key):
            Tiers(noted).keep(key, value)
            self._saved(key, noted)
        if not sure:
            self._say_how(noted, tell)

    def obtain(self, key: str, tell: Tell, hear: Callable[[], Message]) -> None:
        """Brings an entry here, or holds its leases until the client has published it.

        Args:
            key: of the entry.
            tell: to the client.
            hear: the client's next message, whenever it comes; raises once the client has gone.

        Raises:
            CacheError: the client has gone; the leases are given back.
        """
        noted = Noted.all_of(self.tiers.behind)
        sure: list[bool] = []
        with ExitStack() as claims:

            def make() -> T:
                tell("record")
                value = self._published(key, hear)
                sure.append(self.tiers.mark(key))
                if sure[0]:
                    tell("kept", kept=True)
                claims.enter_context(pending.claim(self.tiers.here.directory, key))
                return value

            try:
                obtained = Tiers(noted).obtain(key, make)
            except ConfigError as error:
                tell(**_direct(error.message))
                return
            if not obtained.recorded:
                tell(**self._brought(key, obtained.value))
                return
            self._saved(key, noted)
        if not sure[0]:
            self._say_how(noted, tell)

    def _saved(self, key: str, noted: list[Noted[T]]) -> None:
        # What could not be saved stays marked, for the housekeeping.
        if all(tier.kept for tier in noted):
            self.tiers.unmark(key)

    def _published(self, key: str, hear: Callable[[], Message]) -> T:
        said: CacheError | None = None
        try:
            message = hear()
            if message["op"] != "published":
                said = lost(f"the client says {message['op']!r}")
        except CacheError as error:
            said = error
        # A client that dies after it has published is as good as one that said so.
        value, _ = self.tiers.here.look(key)
        if value is None:
            raise said or lost("the client has published nothing")
        return value

    def _brought(self, key: str, value: T) -> Message:
        if self.tiers.here.keep(key, value):
            return {"op": "here"}
        return _direct("it cannot be saved in the local directory")

    @staticmethod
    def _say_how(noted: list[Noted[T]], tell: Tell) -> None:
        tell("kept", kept=any(tier.kept for tier in noted))

    @contextmanager
    def _one_fetch(self, key: str) -> Iterator[None]:
        with self._fetching:
            fetch = self._fetches.setdefault(key, _Fetch())
            fetch.users += 1
        try:
            with fetch.turn:
                yield
        finally:
            with self._fetching:
                fetch.users -= 1
                if not fetch.users:
                    del self._fetches[key]


class _Fetch:
    """A key that is being looked for."""

    def __init__(self) -> None:
        self.users = 0
        self.turn = threading.Lock()


def _direct(message: str) -> dict[str, Any]:
    return {"op": "direct", "message": message}
