"""A remote cache whose storage fails, at and from each request, or gives wrong bytes.

The local cache works all along, so whatever the storage does, the answer is right, the trace is
here the next time, and nothing wrong is stored here or there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count as counting
from pathlib import Path
from typing import Any

import numpy as np

from fake_s3 import BUCKET, Asked, FakeS3, Fault, serving
from phasic import trace_stores
from phasic._engine.trace import TraceHandle
from phasic.cache.breaker import Breaker
from phasic.cache.remote import RemoteTier
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

from .setting import Child, Tally, cache_in, replaced, scratch

THETA = [1.0, 1.5]
REQUESTS = 2  # of a recording: is it there, save it
PATIENCE = 1.0  # of trials in which the storage does not answer
MOST_BYTES = 1 << 20


def _raises(fault: Fault | ConnectionError) -> Callable[[FakeS3], None]:
    def fail(_: FakeS3) -> None:
        raise fault

    return fail


def _waits(server: FakeS3) -> None:
    server.over.wait(20 * PATIENCE)


# How the storage fails; which requests are repeated within the deadline. After silence it may be
# saving still.
READING, SAVING = range(REQUESTS)
FAULTS: dict[str, tuple[Callable[[FakeS3], None], tuple[int, ...]]] = {
    "500": (_raises(Fault(500, "InternalError")), (READING, SAVING)),
    "503": (_raises(Fault(503, "SlowDown")), (READING, SAVING)),
    "closed": (_raises(ConnectionError()), (READING, SAVING)),
    "silent": (_waits, (READING,)),
    "forbidden": (_raises(Fault(403, "AccessDenied")), ()),
    "skewed": (_raises(Fault(403, "RequestTimeTooSkewed")), ()),
    "no bucket": (_raises(Fault(404, "NoSuchBucket")), ()),
}


@contextmanager
def planted_bug(planted: bool) -> Iterator[None]:
    """What comes from the storage is not validated, and it is asked however often it fails."""
    import zstandard

    def fetch(self: RemoteTier[TraceHandle], key: str) -> TraceHandle | None:
        data = self.objects.get(self.name(key), lambda source: source.read(1 << 20))
        path = Path(trace_stores.trace_directory().entry_path(key))
        if data is not None:
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zstandard.decompress(data))
        return None

    with (
        replaced(planted, Breaker, __call__=lambda self, action: action()),
        replaced(planted, RemoteTier, fetch=fetch),
    ):
        yield


def trials(every: int, *, planted: bool) -> Tally:
    """Each fault at and from each request; wrong bytes, one bit at every `every`-th place."""
    tally = Tally()
    tally.counts |= {"trials": 0, "failed requests": 0, "wrong objects": 0, "gone without": 0}
    os.environ |= {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    with planted_bug(planted), scratch() as place, serving() as server:
        trial = _Trial(tally, place, server)
        for name in FAULTS:
            for request in range(REQUESTS):
                for lasting in (False, True):
                    trial.fault(name, request, lasting)
        trial.wrong_bytes(every)
    tally.must(tally.counts["failed requests"] > 0, "some requests fail")
    return tally


class _Trial:
    def __init__(self, tally: Tally, place: Path, server: FakeS3) -> None:
        self._tally = tally
        self._place = place
        self._server = server
        self._numbers = counting()
        with cache_in(place / "reference"):
            self._expected = np.asarray(queue_graph(6).at(THETA).moments(3))
            (entry,) = (place / "reference").iterdir()
        self._entry, self._key = entry.read_bytes(), entry.stem
        with self._machine():
            Child(self._work).wait()
        ((self._name, self._object),) = server.objects.items()

    def fault(self, name: str, request: int, lasting: bool) -> None:
        """The storage fails at a request, or from it on."""
        act, repeated = FAULTS[name]
        numbers = counting()
        failed = []

        def fault(_: Asked) -> None:
            number = next(numbers)
            if number == request or (lasting and number > request):
                failed.append(number)
                act(self._server)

        self._server.objects.clear()
        self._server.fault = fault
        what = f"{name} {'from' if lasting else 'at'} request {request}"
        patience = {"cache_deadline_seconds": PATIENCE if lasting else 3 * PATIENCE}
        result = self._run(what, patience if lasting or name == "silent" else {})
        self._tally.counts["failed requests"] += len(failed)
        self._tally.must(bool(failed), f"{what}: it fails")
        told = 0 if request in repeated and not lasting else 1
        self._says(what, result, "CACHE_TIER_DOWN", told, "unavailable")
        self._tally.counts["gone without"] += result.get("unavailable", 0)
        self._server.fault = lambda asked: None

    def wrong_bytes(self, every: int) -> None:
        """The object is damaged; it is the same afterwards."""
        import zstandard

        plain = zstandard.decompress(self._object)
        wrong = {
            "no frame": b"<html>sign in first</html>",
            "empty": b"",
            "a bomb": zstandard.compress(bytes(64 << 20)),
            "another's": zstandard.compress(b"PHASIC" + plain[6:]),
        }
        for place in range(0, 8 * len(plain), every):
            flipped = bytearray(plain)
            flipped[place // 8] ^= 1 << place % 8
            wrong[f"bit {place} of the trace"] = zstandard.compress(bytes(flipped))
        for length in range(0, len(self._object) - 4, max(1, every // 8)):
            wrong[f"{length} bytes of the object"] = self._object[:length]
        for what, data in wrong.items():
            self._server.objects = {self._name: data}
            result = self._run(what, {})
            self._says(what, result, "CACHE_ENTRY_BAD", 1, "damaged")
            self._tally.counts["wrong objects"] += 1
            left = self._server.objects == {self._name: data}
            self._tally.must(left, f"{what}: the object is left as it is")

    def _run(self, what: str, settings: dict[str, object]) -> dict[str, Any]:
        with self._machine(**settings) as machine:
            ended = Child(self._work).wait()
            kept = machine.exists() and sorted(machine.iterdir())
        self._tally.counts["trials"] += 1
        result = ended.result or {}
        self._tally.must(result.get("right", False), f"{what}: the answer is right")
        entry = machine / f"{self._key}.trace"
        self._tally.must(
            kept == [entry] and entry.read_bytes() == self._entry, f"{what}: the trace is kept here"
        )
        for data in self._server.objects.values():
            if "CACHE_ENTRY_BAD" not in result.get("warnings", {}):
                self._tally.must(data == self._object, f"{what}: what is there is right")
        return result

    def _says(self, what: str, result: dict[str, Any], code: str, times: int, event: str) -> None:
        said = result.get("warnings", {})
        self._tally.must(
            said == ({code: times} if times else {}) and result.get("issued") == times,
            f"{what}: {times} warnings are said, not {said}",
        )
        self._tally.must(result.get(event, 0) == times, f"{what}: it is counted {times} times")

    @contextmanager
    def _machine(self, **settings: object) -> Iterator[Path]:
        """A machine that was not there before."""
        machine = self._place / f"machine{next(self._numbers)}"
        with cache_in(
            machine,
            state_dir=f"{machine}.state",
            cache_remote_url=f"s3://{BUCKET}/group",
            cache_remote_endpoint=self._server.endpoint,
            max_trace_bytes=MOST_BYTES,
            **settings,
        ):
            yield machine

    def _work(self) -> dict[str, Any]:
        trace, _, _ = obtain_trace(queue_graph(6))
        moments = np.asarray(queue_graph(6).at(THETA).moments(3))
        counts = trace_stores.trace_remote().counts.read()
        return {
            "right": np.array_equal(moments, self._expected) and trace.key == self._key,
            "unavailable": counts["unavailable"],
            "damaged": counts["damaged"],
        }
