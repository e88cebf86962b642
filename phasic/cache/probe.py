"""Does a directory answer? Asked by a process of its own, which may be left behind for good.

A thread that waits for a mount whose server took its call and stays silent cannot be killed, and
until it has its answer the process that it belongs to cannot end. So before a directory is asked
for anything, a shell that is nobody's child opens it; should that hang, we are free.
"""

from __future__ import annotations

import os
import select

from ..messages import debug

_SHELL = "/bin/sh"
# The shell ends at once; what it leaves in the background closes the pipe when it has an answer.
_OPEN = '(: < "$1") &'
_PIPE = 3


def answers(path: str, seconds: float) -> bool:
    """Whether to open a directory succeeds or fails within a time.

    It is opened and not only looked at, since that alone is asked of a server each time. Where no
    shell can be started nothing is known: True.
    """
    reader, writer = os.pipe()
    try:
        try:
            _start(path, writer)
        finally:
            os.close(writer)
        answer = select.poll()
        answer.register(reader, select.POLLIN)
        return bool(answer.poll(1000 * seconds))
    except OSError as error:
        debug(f"not probed: {path}: {error.strerror}")
        return True
    finally:
        os.close(reader)


def _start(path: str, writer: int) -> None:
    # Nothing of ours is held open: whoever reads what we write must see its end when we do.
    nothing = [(os.POSIX_SPAWN_OPEN, file, os.devnull, os.O_RDWR, 0) for file in range(3)]
    shell = os.posix_spawn(
        _SHELL,
        [_SHELL, "-c", _OPEN, _SHELL, path],
        {},
        file_actions=[(os.POSIX_SPAWN_DUP2, writer, _PIPE), *nothing],
    )
    os.waitpid(shell, 0)
