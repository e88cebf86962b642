"""One contender's cache measured on one entry; each runs in the environment that has it.

Ours and phasic 0.32.1 keep a trace; joblib.Memory and diskcache keep the bytes of its file, which
they neither read nor check. Times are CPU seconds of this process.
"""

import os
import pickle
import random
import sqlite3
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from measure import fastest
from workers import Request, serve

PROCESSES = 64
FLIPS = 20
RECORDING_SECONDS = 0.2  # of a stampede: long enough for all to ask in between
# What damage may make of an entry; anything else is a defect here.
RAISED = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, ImportError),
    *(MemoryError, RuntimeError, pickle.PickleError, sqlite3.Error, zlib.error),
)


class Contender(Protocol):
    """A cache that holds one entry."""

    def hit(self) -> Any: ...
    def miss(self) -> Any: ...
    def publish(self) -> Any: ...

    def obtain(self, record: Callable[[], None]) -> Any:
        """The entry, as a program asks for it that records what is missing."""

    def is_right(self, found: Any) -> bool: ...


class Ours:
    def __init__(self, place: Path, data: Path) -> None:
        os.environ["PHASIC_CACHE_DIR"] = str(place)
        from phasic import trace_stores
        from phasic._engine.trace import TraceHandle

        self._store = trace_stores.trace_store()
        self._content = data.read_bytes()
        self._trace = TraceHandle.decode(self._content)
        self._key = self._trace.hashes[1].hex()

    def hit(self) -> Any:
        return self._store.find(self._key)

    def miss(self) -> Any:
        return self._store.find("0" * 64)

    def publish(self) -> Any:
        self._store.directory.remove(self._key)
        return self._store.keep(self._key, self._trace)

    def obtain(self, record: Callable[[], None]) -> Any:
        def make() -> Any:
            record()
            return self._trace

        return self._store.obtain(self._key, make).value

    def is_right(self, found: Any) -> bool:
        return found is not None and found.encode() == self._content


class Joblib:
    def __init__(self, place: Path, data: Path) -> None:
        from joblib import Memory

        content = self._content = data.read_bytes()
        self._record = lambda: None

        def make(key: str) -> bytes:
            self._record()
            return content

        make.__module__ = "cache_worker"
        self._kept = Memory(str(place), verbose=0).cache(make)

    def hit(self) -> Any:
        return self._kept("a")

    def miss(self) -> Any:
        return self._kept.check_call_in_cache("b")

    def publish(self) -> Any:
        return self._kept.call("a")

    def obtain(self, record: Callable[[], None]) -> Any:
        self._record = record
        return self._kept("a")

    def is_right(self, found: Any) -> bool:
        return found == self._content


class Diskcache:
    def __init__(self, place: Path, data: Path) -> None:
        from diskcache import Cache

        self._place = str(place)
        self._content = data.read_bytes()
        self._cache = Cache(self._place)

    def hit(self) -> Any:
        return self._cache.get("a")

    def miss(self) -> Any:
        return self._cache.get("b")

    def publish(self) -> Any:
        return self._cache.set("a", self._content)

    def obtain(self, record: Callable[[], None]) -> Any:
        from diskcache import Cache

        with Cache(self._place) as cache:  # a connection is not for forked processes
            found = cache.get("a")
            if found is None:
                record()
                found = self._content
                cache.set("a", found)
            return found

    def is_right(self, found: Any) -> bool:
        return found == self._content


class Phasic032:
    def __init__(self, place: Path, data: Path) -> None:
        os.environ["PHASIC_CACHE_DIR"] = str(place)
        os.environ["PHASIC_REWARD_COMPUTE_CACHE"] = "1"  # it is off unless asked for
        import numpy as np
        from peer_worker import _builder

        from phasic import trace_serialization
        from phasic.trace_elimination import record_elimination_trace

        self._module, self._key = trace_serialization, "a" * 64
        self._trace = record_elimination_trace(_builder(np.load(data))())

    def hit(self) -> Any:
        return self._module.load_trace_from_cache(self._key)

    def miss(self) -> Any:
        return self._module.load_trace_from_cache("b" * 64)

    def publish(self) -> Any:
        return self._module.save_trace_to_cache(self._key, self._trace)

    def obtain(self, record: Callable[[], None]) -> Any:
        found = self.hit()
        if found is None:
            record()
            self.publish()
            found = self._trace
        return found

    def is_right(self, found: Any) -> bool:
        mine = vars(self._trace)
        return found is not None and all(
            repr(value) == repr(mine[name]) for name, value in vars(found).items()
        )


CONTENDERS = {
    "phasic": Ours,
    "joblib.Memory": Joblib,
    "diskcache": Diskcache,
    "phasic 0.32.1": Phasic032,
}


def _made(request: Request, place: str) -> Contender:
    folder = Path(request["folder"]) / place
    made: Contender = CONTENDERS[request["who"]](folder, Path(request["data"]))
    return made


def times(request: Request) -> dict[str, float]:
    """CPU seconds of a hit, a miss and a publish."""
    cache = _made(request, "times")
    cache.publish()
    if not cache.is_right(cache.hit()):
        raise AssertionError("what was kept is not found")
    return {name: fastest(getattr(cache, name)) for name in ("hit", "miss", "publish")}


def stampede(request: Request) -> dict[str, int]:
    """How many of 64 processes that want one entry at the same time record it."""
    cache = _made(request, "stampede")
    log = Path(request["folder"]) / "recordings"
    log.touch()
    closed, gate = os.pipe()

    def record() -> None:
        with log.open("ab", buffering=0) as stream:
            stream.write(b"1")
        time.sleep(RECORDING_SECONDS)

    children = []
    for _ in range(PROCESSES):
        child = os.fork()
        if child == 0:
            os.close(gate)
            os.read(closed, 1)
            os._exit(0 if cache.is_right(cache.obtain(record)) else 1)
        children.append(child)
    os.close(gate)
    ends = [os.waitpid(child, 0)[1] for child in children]
    return {"recordings": log.stat().st_size, "failed": sum(end != 0 for end in ends)}


def _is_right(cache: Contender, found: Any) -> bool:
    try:
        return cache.is_right(found)
    except RAISED:  # what was given back cannot even be printed
        return False


def damage(request: Request) -> dict[str, Any]:
    """One bit flipped in the largest file of the entry, 20 times: what is returned.

    diskcache's index, `cache.db`, is left alone.
    """
    chance = random.Random(1)
    outcomes: Counter[str] = Counter()
    for number in range(FLIPS):
        _made(request, f"damage.{number}").obtain(lambda: None)
        folder = Path(request["folder"]) / f"damage.{number}"
        victim = max(
            (path for path in folder.rglob("*") if path.is_file() and path.stem != "cache"),
            key=lambda path: path.stat().st_size,
        )
        data = bytearray(victim.read_bytes())
        place = chance.randrange(len(data) // 4, len(data))  # of the content, not of a header
        data[place] ^= 1 << chance.randrange(8)
        victim.chmod(0o600)
        victim.write_bytes(data)
        again: list[int] = []
        cache = _made(request, f"damage.{number}")
        try:
            found = cache.obtain(lambda again=again: again.append(1))
        except RAISED as error:
            outcomes[type(error).__name__] += 1
            continue
        if not _is_right(cache, found):
            outcomes["wrong, in silence"] += 1
        else:
            outcomes["recorded again" if again else "right all the same"] += 1
    return dict(outcomes)


if __name__ == "__main__":
    sys.modules["cache_worker"] = sys.modules["__main__"]
    serve([times, stampede, damage])
