"""Units with which systemd runs the daemon for a user, as files in `~/.config/systemd/user`.

The socket unit listens from login on, and the first client starts the service; when that ends,
being idle, the next one starts it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

SERVICE = "phasic.service"
SOCKET = "phasic.socket"


def units(
    command: Sequence[str], listens_at: str, environment: Mapping[str, str]
) -> dict[str, str]:
    """The text of each unit by its file's name.

    Args:
        command: that runs the daemon in the foreground.
        listens_at: the path of its socket.
        environment: variables that it needs to have.
    """
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
