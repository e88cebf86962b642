"""Units with which systemd runs the daemon for a user, as files in `~/.config/systemd/user`.

The socket unit listens from login on, and the first client starts the service; when that ends,
being idle, the next one starts it again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..errors import ConfigError

SERVICE = "phasic.service"
SOCKET = "phasic.socket"
_LONGEST = 107  # bytes; the kernel's field has one more, for the end


def units(
    command: Sequence[str], listens_at: str, environment: Mapping[str, str]
) -> dict[str, str]:
    """The text of each unit by its file's name.

    Args:
        command: that runs the daemon in the foreground.
        listens_at: the path of its socket.
        environment: variables that it needs to have.

    Raises:
        ConfigError: the path is longer than a socket's can be for systemd (`DAEMON_PATH`).
    """
    n_bytes = len(os.fsencode(listens_at))
    if n_bytes > _LONGEST:
        raise ConfigError(
            f"{listens_at} has {n_bytes} bytes, and the path of systemd's sockets at most "
            f"{_LONGEST}",
            code="DAEMON_PATH",
            hint="name a shorter directory with PHASIC_DAEMON_DIR",
        )
    given = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in environment.items()
    )
    service = f"""\
[Unit]
Description=Cache daemon of phasic
Documentation=man:systemd.unit(5)
Requires={SOCKET}
After={SOCKET}

[Service]
Type=notify
{given}ExecStart={" ".join(map(_quoted, command))}
Restart=on-failure
UMask=0077
NoNewPrivileges=true

[Install]
WantedBy=default.target
"""
    socket = f"""\
[Unit]
Description=Socket of the cache daemon of phasic

[Socket]
ListenStream={listens_at.replace("%", "%%")}
SocketMode=0600
DirectoryMode=0700

[Install]
WantedBy=sockets.target
"""
    return {SERVICE: service, SOCKET: socket}


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
