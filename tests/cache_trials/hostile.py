"""Entries made to hurt: refused at once, in little memory, and set aside."""

from __future__ import annotations

import os
import socket
import stat
import struct
import time
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import msgpack

from phasic import trace_stores
from phasic._engine.stored_trace import StoredTrace
from phasic.trace_elimination import record_elimination_trace
from rules import coalescent_graph, queue_graph

from .setting import Child, Tally, cache_in, replaced, scratch

MOST_SECONDS = 0.010
MOST_BYTES = 16 << 20
_HEAD_AT = 20


def with_header(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with another header, its checksum right."""
    (length,) = struct.unpack_from("<I", data, 12)
    header = msgpack.unpackb(data[_HEAD_AT : _HEAD_AT + length])
    change(header)
    packed = msgpack.packb(header)
    prefix = data[:12] + struct.pack("<II", len(packed), zlib.crc32(packed))
    return prefix + packed + data[_HEAD_AT + length :]


def _claims(data: bytes, field: str, value: int) -> bytes:
    def change(header: dict[str, Any]) -> None:
        array = header["arrays"][-1]
        array[field] = [value] if field == "shape" else value

    return with_header(data, change)


def _meta(data: bytes, field: str, value: int) -> bytes:
    return with_header(data, lambda header: header["meta"].update({field: value}))


def _write(data: bytes, then: int = 0) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(data)
        if then:
            os.truncate(path, then)  # without taking room

    return make


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        # Its path has room for 108 bytes.
        folder = os.open(path.parent, os.O_RDONLY)
        server.bind(f"/proc/self/fd/{folder}/{path.name[:40]}")
        os.close(folder)
    (path.parent / path.name[:40]).rename(path)


def kinds(good: bytes, other: bytes) -> dict[str, Callable[[Path], None]]:
    """What stands in the entry's place, by name."""
    made = {
        "an array of 2^63 items": _write(_claims(good, "shape", 1 << 63)),
        "an array at 2^63": _write(_claims(good, "offset", 1 << 63)),
        "an array of 60 GiB": _write(_claims(good, "shape", 15 << 30)),
        "2^62 vertices": _write(_meta(good, "n_vertices", 1 << 62)),
        "a header of 4 GiB": _write(good[:12] + b"\xff" * 4 + good[16:]),
        "a file of 60 GiB": _write(good, 60 << 30),
        "a file of 8 GiB": _write(good, 8 << 30),
        "8 GiB of nothing": _write(b"", 8 << 30),
        "the entry of another key": _write(other),
        "a symbolic link": lambda path: path.symlink_to("/etc/passwd"),
        "a link to itself": lambda path: path.symlink_to(path),
        "a FIFO": os.mkfifo,
        "a directory": Path.mkdir,
        "a socket": _socket,
    }
    if os.geteuid() == 0:
        made["a device"] = lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    return made


def planted_bug(planted: bool) -> AbstractContextManager[Any]:
    """The reader takes memory for what the file claims to be, and time to look at it."""
    usual = StoredTrace.load_entry.__func__

    def greedy(cls: Any, directory: str, key: bytes) -> Any:
        path = os.path.join(directory, f"{key.hex()}.trace")
        if os.path.lexists(path):
            data = bytearray(min(os.lstat(path).st_size * 1000, 64 << 20))
            data[::4096] = b"x" * len(data[::4096])
            time.sleep(0.011)
        return usual(cls, directory, key)

    return replaced(planted, StoredTrace, load_entry=classmethod(greedy))


def entries(rounds: int, *, planted: bool) -> Tally:
    """Each kind `rounds` times; the best time of a kind counts, since others use the machine."""
    tally = Tally()
    graph = queue_graph(40)
    handle = record_elimination_trace(graph).handle
    other = record_elimination_trace(coalescent_graph(9)).to_bytes()
    every = kinds(handle.encode(), other)
    slowest, largest = 0.0, 0
    with scratch() as place, cache_in(place / "cache"), planted_bug(planted):
        for name, make in every.items():
            ended = Child(lambda make=make: _refused(graph, handle, make, rounds)).wait()
            result = ended.result
            if result is None:
                tally.must(False, f"{name}: the reader died: {ended}")
                continue
            slowest, largest = max(slowest, result["s"]), max(largest, result["bytes"])
            tally.must(result["s"] < MOST_SECONDS, f"{name}: refused in {result['s']:.4f} s")
            tally.must(result["bytes"] < MOST_BYTES, f"{name}: in {result['bytes']:,} bytes")
            tally.must(result["refused"] == rounds, f"{name}: refused {result['refused']} times")
            tally.must(result["aside"], f"{name}: set aside, and recorded again")
            said = result["warnings"]
            tally.must(said == {"CACHE_ENTRY_BAD": rounds}, f"{name}: loud: {said}")
    tally.counts |= {"kinds": len(every), "ms": round(1e3 * slowest, 3), "KiB": largest >> 10}
    return tally


def _refused(graph: Any, handle: Any, make: Callable[[Path], None], rounds: int) -> dict[str, Any]:
    store = trace_stores.trace_store()
    key = graph.frozen.trace_key.hex()
    path = Path(store.directory.entry_path(key))
    path.parent.mkdir(mode=0o700, exist_ok=True)
    seconds, refused, memory, aside = [], 0, 0, True
    for _ in range(rounds):
        path.unlink(missing_ok=True)
        make(path)
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        before = _peak()
        began = time.perf_counter()
        value, problem = store.look(key)
        seconds.append(time.perf_counter() - began)
        memory = max(memory, _peak() - before)
        refused += value is None and problem is not None
        obtained = store.obtain(key, lambda: handle)
        aside = aside and obtained.recorded and obtained.kept and path.is_file()
    return {"s": min(seconds), "bytes": memory, "refused": refused, "aside": aside}


def _peak() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    raise AssertionError("the system says how much memory was used at most")
