"""Entries are damaged in every way: all is found, set aside once, and recorded again once."""

from __future__ import annotations

import os
import struct
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from phasic import trace_cache
from phasic._engine.stored_trace import StoredTrace
from phasic._engine.trace import TraceHandle
from phasic.errors import FormatError
from phasic.trace_elimination import record_elimination_trace
from rules import coalescent_graph, queue_graph

from .setting import Child, Tally, cache_in, replaced, scratch

_HEAD_AT = 20


def planted_bug(planted: bool, good: bytes) -> AbstractContextManager[Any]:
    """Of all damage only truncation is seen."""
    usual = StoredTrace.load_entry.__func__

    def blind(cls: Any, directory: str, key: bytes) -> TraceHandle | None:
        try:
            return usual(cls, directory, key)
        except FormatError as error:
            if error.code == "FORMAT_TRUNCATED":
                raise
            return TraceHandle.decode(good)

    return replaced(planted, StoredTrace, load_entry=classmethod(blind))


def header_bytes(data: bytes) -> int:
    """Where the header of a trace file ends."""
    (length,) = struct.unpack_from("<I", data, 12)
    return _HEAD_AT + int(length)


def flips(offsets: int, *, planted: bool) -> Tally:
    """One bit flipped in `offsets` bytes of the body; a tenth as many truncations; and every byte
    of the header where `offsets` is 2,000, less often below."""
    tally = Tally()
    graph = queue_graph(40)
    good = record_elimination_trace(graph).to_bytes()
    chance = Random(1)
    head = header_bytes(good)
    step = max(1, 2000 // offsets)
    places = [
        *range(0, head, step),
        *chance.sample(range(head, len(good)), min(offsets, len(good) - head)),
    ]
    lengths = [len(good) * k // max(1, offsets // 10) for k in range(offsets // 10)]
    bad = {f"a bit of byte {at}": _flipped(good, at, chance.randrange(8)) for at in places}
    bad |= {f"cut to {length} bytes": good[:length] for length in lengths}
    tally.counts |= {
        "header bytes": sum(at < head for at in places),
        "body offsets": sum(at >= head for at in places),
        "truncations": len(lengths),
    }
    padding = {at for at in places if at >= head and _is_padding(good, at)}
    tally.must(len(padding) < len(places) // 2, "most of the places mean something")
    with scratch() as place, cache_in(place / "cache"), planted_bug(planted, good):
        outcome = Child(lambda: _all(graph, good, bad, place)).wait().result
    tally.must(outcome is not None, "the process survives")
    if outcome is not None:
        tally.counts |= {"found": outcome["found"], "set aside": outcome["aside"]}
        tally.broken += outcome["broken"]
        said = outcome["warnings"].get("CACHE_ENTRY_BAD", 0)
        tally.must(said == len(bad), f"{said} warnings for {len(bad)} damages")
    return tally


def _flipped(data: bytes, at: int, bit: int) -> bytes:
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def _is_padding(data: bytes, at: int) -> bool:
    return data[max(0, at - 8) : at + 8] == bytes(16)


def _all(graph: Any, good: bytes, bad: dict[str, bytes], place: Path) -> dict[str, Any]:
    trace = TraceHandle.decode(good)
    key = graph.frozen.trace_key
    recorded = 0
    broken = []
    found = 0
    aside = place / "cache" / ".quarantine"
    (place / "cache").mkdir(mode=0o700)
    entry = place / "cache" / f"{key.hex()}.trace"

    def record() -> TraceHandle:
        nonlocal recorded
        recorded += 1
        return trace

    for name, data in bad.items():
        entry.unlink(missing_ok=True)
        entry.write_bytes(data)
        recorded = 0
        before = len(os.listdir(aside)) if aside.exists() else 0
        obtained = trace_cache.obtain(key, record)
        trace_cache.obtain(key, record)
        moved = (len(os.listdir(aside)) if aside.exists() else 0) - before
        found += obtained.recorded
        if obtained.value.encode() != good:
            broken.append(f"{name}: another trace came back")
        if (recorded, moved) != (1, 1) or entry.read_bytes() != good:
            broken.append(f"{name}: recorded {recorded} times, {moved} set aside")
    return {"found": found, "aside": len(os.listdir(aside)), "broken": broken}


def many(entries: int, *, planted: bool) -> Tally:
    """One entry in a thousand is damaged: `verify` names exactly those."""
    tally = Tally()
    tally.counts |= {"entries": entries}
    good = record_elimination_trace(coalescent_graph(4)).to_bytes()
    with scratch() as place, cache_in(place / "cache"), planted_bug(planted, good):
        (place / "cache").mkdir(mode=0o700)
        keys = []
        for number in range(entries):
            graph = _scaled(1.0 + number)
            key = graph.frozen.trace_key.hex()
            data = record_elimination_trace(graph).to_bytes()
            keys.append(key)
            # Not through the store: the syncs of ten thousand saves are not what is tried here.
            (place / "cache" / f"{key}.trace").write_bytes(data)
        spoilt = sorted(Random(1).sample(keys, max(1, entries // 1000)))
        for key in spoilt:
            path = place / "cache" / f"{key}.trace"
            data = path.read_bytes()
            path.write_bytes(_flipped(data, len(data) - 5, 3))
        named = _verified()
        tally.counts |= {"damaged": len(spoilt), "named": len(named)}
        tally.must(named == spoilt, f"named {named[:3]}, damaged {spoilt[:3]}")
    return tally


def _scaled(rate: float) -> Any:
    from phasic import Graph

    return Graph.from_matrices([1.0], np.array([[-rate]]))


def _verified() -> list[str]:
    from cli_runner import phasic

    outcome = phasic("cache", "verify")
    return sorted(line.split("\t")[0] for line in outcome.out.splitlines())
