"""What systemd hands to a service and is told by it: a socket that listens, and "ready".

`LISTEN_FDS` and `NOTIFY_SOCKET` are all of it (sd_listen_fds(3), sd_notify(3)), so no library.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping

from ..errors import CacheError

_FIRST = 3  # descriptor


def inherited(
    expected: str, environment: MutableMapping[str, str] = os.environ
) -> socket.socket | None:
    """The socket that was handed over; None where none was. Children do not inherit the variables.

    Raises:
        CacheError: what was handed over is not the socket at which clients look (`DAEMON_SOCKET`).
    """
    for_us = environment.pop("LISTEN_PID", "") == str(os.getpid())
    number = environment.pop("LISTEN_FDS", "0")
    environment.pop("LISTEN_FDNAMES", None)
    if not for_us or number == "0":
        return None
    if number != "1":
        raise _wrong(f"{number} sockets", expected)
    stream = socket.socket(fileno=_FIRST)
    os.set_inheritable(_FIRST, False)
    if stream.family != socket.AF_UNIX or stream.getsockname() != expected:
        found = stream.getsockname()
        stream.detach()
        raise _wrong(repr(found), expected)
    return stream


def notify(state: str, environment: MutableMapping[str, str] = os.environ) -> bool:
    """Tells systemd, as in `READY=1`; False where nobody listens."""
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stream:
        try:
            stream.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)
        except OSError:
            return False
    return True


def _wrong(found: str, expected: str) -> CacheError:
    return CacheError(
        f"systemd hands over {found}, and clients look at {expected}",
        code="DAEMON_SOCKET",
        hint="`phasic daemon unit` prints units that fit this configuration",
    )
