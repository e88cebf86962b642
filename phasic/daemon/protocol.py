"""What a client and the daemon say to each other, and how little each believes of it.

A message is four bytes, its length as a big-endian number, and a JSON object with the text `op`:

    client                      daemon
    hello  protocol, places     welcome  pid  |  refused  code, message
    obtain key                  (wait ...)  here | record | direct  message
      published                 (wait ...)  kept  kept
    find   key                  (wait ...)  here | missing | direct  message
    keep   key                  (wait ...)  kept  kept
    status | metrics | stop     status  ... | metrics  text | stopping

One request a connection. `here`: the entry is in the local directory. `record`: nobody has it, and
the leases behind are held for the client until it says `published` or its connection ends; so a
client that dies has given them back. `kept`: what is published will be in every tier, whatever
happens to either. `wait` comes every second while the daemon is at work. No entry is ever sent:
both sides have the local directory.

Lengths are believed up to `MOST_BYTES`, memory is taken as bytes arrive, and a message has to be
complete in a given time.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import threading
import time
from typing import Any, TypeAlias
from weakref import WeakSet

from ..errors import CacheError, FormatError

Message: TypeAlias = dict[str, Any]

PROTOCOL = 1
MOST_BYTES = 64 << 10
LOST = "DAEMON_LOST"
_LENGTH = struct.Struct(">I")
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class Connection:
    """One end of a connection; closed in forked children, which must not keep a lease alive."""

    def __init__(self, stream: socket.socket) -> None:
        self._stream = stream
        self._sending = threading.Lock()
        _open.add(self)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it; the other side sees that."""
        self._stream.close()

    def peer(self) -> tuple[int, int]:
        """Process and user at the other end, as the kernel says."""
        data = self._stream.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(data)
        return pid, uid

    def send(self, op: str, seconds: float, **fields: Any) -> None:
        """Sends a message.

        Raises:
            CacheError: the other side has gone or does not read (`DAEMON_LOST`).
        """
        data = pack({"op": op, **fields})
        with self._sending:
            try:
                self._stream.settimeout(seconds)
                self._stream.sendall(data)
            except OSError as error:
                raise lost(f"it takes no message: {error.strerror or error}") from error

    def beat(self) -> None:
        """Says `wait`, unless something is being said or nobody reads."""
        if not self._sending.acquire(blocking=False):
            return
        try:
            # Not MSG_DONTWAIT alone: Python waits for a stream that has a time-out.
            writable = select.poll()
            writable.register(self._stream, select.POLLOUT)
            if writable.poll(0):
                self._stream.send(pack({"op": "wait"}), socket.MSG_DONTWAIT)
        except (OSError, ValueError):  # it may have been closed just now
            return  # whoever has the connection will see it
        finally:
            self._sending.release()

    def receive(self, seconds: float | None) -> Message:
        """The next message, complete within so many seconds (None: whenever it comes).

        Raises:
            CacheError: the other side has gone or is silent (`DAEMON_LOST`).
            FormatError: it is no message (`DAEMON_MESSAGE`).
        """
        end = None if seconds is None else time.monotonic() + seconds
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size, end))
        if length > MOST_BYTES:
            raise no_message(f"{length:,} bytes, of at most {MOST_BYTES:,}")
        return unpack(self._exactly(length, end))

    def _exactly(self, n_bytes: int, end: float | None) -> bytes:
        data = bytearray()
        while len(data) < n_bytes:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                raise lost("it is silent")
            try:
                self._stream.settimeout(left)
                part = self._stream.recv(n_bytes - len(data))
            except TimeoutError as error:
                raise lost("it is silent") from error
            except OSError as error:
                raise lost(error.strerror or str(error)) from error
            if not part:
                raise lost("it has ended the connection")
            data += part
        return bytes(data)


_open: WeakSet[Connection] = WeakSet()


def _close_all() -> None:
    for connection in list(_open):
        connection.close()


os.register_at_fork(after_in_child=_close_all)


def pack(message: Message) -> bytes:
    """A message as bytes."""
    data = json.dumps(message).encode()
    return _LENGTH.pack(len(data)) + data


def unpack(data: bytes) -> Message:
    """The message of which `data` is all but the length.

    Raises:
        FormatError: it is none.
    """
    try:
        message = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise no_message("no JSON") from error
    if not isinstance(message, dict) or not isinstance(message.get("op"), str):
        raise no_message("no object with an op")
    return message


def lost(reason: str) -> CacheError:
    """The error of a connection that is of no more use."""
    return CacheError(
        f"the other side is lost: {reason}",
        code=LOST,
        hint="`phasic daemon status` tells of it, `phasic daemon start` starts one",
    )


def no_message(found: str) -> FormatError:
    """The error of what is not understood."""
    return FormatError(
        f"not a message of the daemon's protocol: {found}",
        code="DAEMON_MESSAGE",
        hint="restart the daemon: phasic daemon stop && phasic daemon start",
    )
