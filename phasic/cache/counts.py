"""What happened to a cache over time: counters of this user on this machine, one file a cache.

Not in the cache itself: its disk may be full or read-only just when a failure is to be counted. A
file holds one unsigned 64-bit number, little-endian, a row of `EVENTS`, and is changed under
`flock`; no other machine writes to it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct

from ..messages import debug

EVENTS = {
    "hits": "entries that were found",
    "misses": "entries that were not",
    "saved": "entries that were saved",
    "failed_saves": "entries that could not be saved",
    "damaged": "damaged entries that were set aside",
    "evicted": "entries removed by a limit",
    "unavailable": "times a tier, or leases in Redis, were gone without",
    "daemon_lost": "times a daemon that should be there was gone without",
}
_ROWS = list(EVENTS)
_LAYOUT = struct.Struct(f"<{len(_ROWS)}Q")


class Counts:
    """The counters of one cache directory.

    Args:
        folder: where counters are kept; made when needed.
        cache: the cache directory, or another name of a cache; it is not looked at.
    """

    def __init__(self, folder: str, cache: str) -> None:
        name = hashlib.sha256(os.fsencode(cache)).hexdigest()[:32]
        host = os.uname().nodename.replace("/", "_")
        self.path = os.path.join(folder, f"{name}.{host}")

    def add(self, event: str, number: int = 1) -> None:
        """Counts an event. Where it cannot be written, nothing else suffers (see `problem`)."""
        try:
            self._add(_ROWS.index(event), number)
        except OSError as error:
            debug(f"not counted: {event}: {self.path}: {error.strerror}")

    def read(self) -> dict[str, int]:
        """All counters by name; zero where nothing was counted."""
        try:
            with open(self.path, "rb") as stream:
                values = _numbers(stream.read(_LAYOUT.size))
        except OSError:
            values = _numbers(b"")
        return dict(zip(_ROWS, values, strict=True))

    def problem(self) -> str | None:
        """Why events cannot be counted; None where they can."""
        try:
            os.close(self._open())
        except OSError as error:
            return f"{self.path}: {error.strerror}"
        return None

    def _add(self, row: int, number: int) -> None:
        file = self._open()
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            values = list(_numbers(os.pread(file, _LAYOUT.size, 0)))
            values[row] += number
            os.pwrite(file, _LAYOUT.pack(*values), 0)
        finally:
            # To close it is not enough: a process forked meanwhile has it open too.
            fcntl.flock(file, fcntl.LOCK_UN)
            os.close(file)

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            return os.open(self.path, flags, 0o600)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path), 0o700, exist_ok=True)
            return os.open(self.path, flags, 0o600)


def _numbers(data: bytes) -> tuple[int, ...]:
    # Rows are added at the end, so a file of an earlier version is shorter.
    return _LAYOUT.unpack(data[: _LAYOUT.size].ljust(_LAYOUT.size, b"\0"))
