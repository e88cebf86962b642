"""Saving behind the local cache later: in the background, and never lost once it is acknowledged.

What is kept is published here as ever, and marked (`pending`); both are on the medium before it is
acknowledged. A thread saves it in the tiers behind and takes the mark out. If the process ends
before, or a tier fails, the mark stays, and whoever next has this cache directory does it.

Where a mark would promise too much (it cannot be written, a collector may be taking the entry, more
is pending than the cache may hold) the call waits until the entry is saved behind, as it would
without all this.

One process of all still records: the thread that asks the tiers behind has their leases, and keeps
them until it has saved; only the recording itself is done by the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from queue import SimpleQueue
from typing import Generic, TypeVar

from ..errors import CacheError, InternalError, PhasicError
from ..messages import debug
from . import pending
from .background import Background
from .collector import is_at_work
from .store import Obtained, Store
from .tiers import Tier, Tiers

T = TypeVar("T")


class WriteBehind(Tiers[T]):
    """A local store, and tiers behind it in which entries are saved in the background.

    Args:
        here: the local store.
        behind: the others, the nearer ones first.
        patience: seconds that the process waits at its end for what is not saved yet.
    """

    def __init__(self, here: Store[T], behind: Sequence[Tier[T]], patience: float) -> None:
        super().__init__([here, *behind])
        self.here = here
        self.behind = behind
        self.patience = patience

    def keep(self, key: str, value: T) -> bool:
        """Saves a value here, and later in every other tier; whether one has it now."""
        kept = self.here.keep(key, value)
        sure = kept and self.mark(key)
        saves = Noted.all_of(self.behind)
        thread = Background(lambda: self._save(key, value, saves), self.patience)
        if not thread.begin():
            self._save(key, value, saves)
        elif not (sure and thread.let_go()):
            thread.join()
        return kept or any(tier.kept for tier in saves)

    def obtain(self, key: str, make: Callable[[], T]) -> Obtained[T]:
        """The value of a key from the first tier that has it, else made and kept in every one."""
        asked: list[_Asked[T]] = []

        with ExitStack() as unless_obtained:

            def ask() -> T:
                asked.append(_Asked(self, key))
                unless_obtained.callback(asked[0].abandon)
                return asked[0].value(make)

            here = self.here.obtain(key, ask)
            unless_obtained.pop_all()
        if not asked:
            return here
        return asked[0].acknowledge(here)

    def resume(self) -> None:
        """Saves in the background what others have acknowledged and could not save."""
        if self._marks():
            thread = Background(self.drain, self.patience)
            if thread.begin():
                thread.let_go()

    # ---- marks

    def _marks(self) -> list[str]:
        try:
            return pending.keys(self.here.directory)
        except CacheError as error:
            debug(f"what is pending cannot be read: {error.message}")
            return []

    def mark(self, key: str) -> bool:
        """Marks an entry; whether it is certain now to be saved behind, whatever happens here."""
        directory = self.here.directory
        try:
            if self._is_overfull():
                return False
            pending.mark(directory, key)
            return (
                not is_at_work(directory)
                and directory.found_path(key) is not None
                and pending.is_marked(directory, key)
            )
        except CacheError as error:
            debug(f"no mark, so {key} is saved behind at once: {error.message}")
            return False

    def _is_overfull(self) -> bool:
        most = self.here.policy.limits.high_bytes
        if not most:
            return False
        marked = set(pending.keys(self.here.directory))
        entries = self.here.directory.entries() if marked else []
        return sum(entry.n_bytes for entry in entries if entry.key in marked) > most

    # ---- in the background

    def _save(self, key: str, value: T, tiers: Sequence[Noted[T]]) -> None:
        with pending.claim(self.here.directory, key):
            Tiers(tiers).keep(key, value)
            self.saved(key, tiers)

    def saved(self, key: str, tiers: Sequence[Noted[T]]) -> None:
        """After a save behind: unless a tier failed, the mark goes, and older ones have a try."""
        if all(tier.kept for tier in tiers):
            self.unmark(key)
            self.drain()

    def drain(self) -> None:
        """Saves behind what is marked, until a tier fails."""
        for key in self._marks():
            with pending.claim(self.here.directory, key) as ours:
                if not ours:
                    continue
                value, problem = self.here.look(key)
                if problem is not None:
                    self.here.set_aside(key, problem)
                if value is None:
                    continue
                kept = [tier.keep(key, value) for tier in self.behind]  # in all, as ever
                if not all(kept):
                    return  # it has been said, and would be of each
                self.unmark(key)

    def unmark(self, key: str) -> None:
        """Takes the mark of an entry out, which is saved in every tier."""
        try:
            pending.done(self.here.directory, key)
        except CacheError as error:
            debug(f"a mark stays, and its entry is saved once more: {error.message}")


class _Asked(Generic[T]):
    """The tiers behind are asked in a thread, which asks back for a value that none has."""

    def __init__(self, tiers: WriteBehind[T], key: str) -> None:
        self._tiers = tiers
        self._key = key
        self._noted = Noted.all_of(tiers.behind)
        # To the caller: what was found, why nothing can be, or None: make it. To the thread: the
        # value once it is published here, or None: it never will be.
        self._told: SimpleQueue[Obtained[T] | PhasicError | None] = SimpleQueue()
        self._given: SimpleQueue[tuple[T] | None] = SimpleQueue()
        self._found: Obtained[T] | None = None
        self._is_made = False
        self._thread = Background(self._ask, tiers.patience)
        self._claims = ExitStack()

    # ---- of the caller

    def value(self, make: Callable[[], T]) -> T:
        """What a tier behind has, else what is made."""
        if not self._thread.begin():
            self._found = Tiers(self._noted).obtain(self._key, make)
            return self._found.value
        told = self._told.get()
        if told is None:
            return make()
        if isinstance(told, PhasicError):
            raise told
        self._found = told
        return told.value

    def acknowledge(self, here: Obtained[T]) -> Obtained[T]:
        """Has a value that was made saved behind, at once unless it is marked."""
        if self._found is not None:
            kept = here.kept or self._found.kept
            return Obtained(here.value, recorded=self._found.recorded, kept=kept)
        sure = here.kept and self._tiers.mark(self._key)
        self._given.put((here.value,))
        if not (sure and self._thread.let_go()):
            self._thread.join()
        kept = here.kept or any(tier.kept for tier in self._noted)
        return Obtained(here.value, recorded=True, kept=kept)

    def abandon(self) -> None:
        """There will be no value; the leases are given back, which does not take long.

        Where the tiers behind are still being asked nothing is held, and it might.
        """
        self._given.put(None)
        if self._is_made:
            self._thread.join(self._tiers.patience)

    # ---- of the thread

    def _ask(self) -> None:
        told: Obtained[T] | PhasicError
        told = InternalError("asking the tiers behind the cache has failed; see above")
        with self._claims:
            try:
                told = Tiers(self._noted).obtain(self._key, self._await)
                if told.recorded:
                    self._tiers.saved(self._key, self._noted)
            except _Abandoned:
                return
            except PhasicError as error:
                if self._is_made:
                    raise
                told = error
            finally:
                self._told.put(told)

    def _await(self) -> T:
        self._is_made = True
        self._told.put(None)
        given = self._given.get()
        if given is None:
            raise _Abandoned
        self._claims.enter_context(pending.claim(self._tiers.here.directory, self._key))
        return given[0]


class Noted(Generic[T]):
    """A tier that notes whether it has what was to be saved."""

    def __init__(self, tier: Tier[T]) -> None:
        self._tier = tier
        self.kept = False

    @classmethod
    def all_of(cls, tiers: Sequence[Tier[T]]) -> list[Noted[T]]:
        return [cls(tier) for tier in tiers]

    def find(self, key: str) -> T | None:
        return self._tier.find(key)

    def keep(self, key: str, value: T) -> bool:
        self.kept = self._tier.keep(key, value)
        return self.kept

    def obtain(self, key: str, make: Callable[[], T]) -> Obtained[T]:
        obtained = self._tier.obtain(key, make)
        self.kept = obtained.kept
        return obtained


class _Abandoned(Exception):
    """No value was made."""
