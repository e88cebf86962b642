"""The daemon's log: a file of its owner's, which is turned over before it grows large.

Keys, paths and errors stand in it, no values of the environment and nothing that clients sent.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections import deque
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import TextIO

from ..cache.directory import failed

LOG = logging.getLogger("phasic.daemon")
MOST_BYTES = 1 << 20
OLDER = 3  # files beside it
_LINE = "%(asctime)s %(levelname)s %(message)s"


class _File(RotatingFileHandler):
    """For its owner alone, whatever the umask."""

    def _open(self) -> TextIOWrapper:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        return open(os.open(self.baseFilename, flags, 0o600), "a", encoding="utf-8")


def log_to(path: str) -> None:
    """Has everything logged there: what happens, warnings, and defects in any thread.

    Raises:
        CacheError: the log cannot be written.
    """
    try:
        os.makedirs(os.path.dirname(path), 0o700, exist_ok=True)
        handler = _File(path, maxBytes=MOST_BYTES, backupCount=OLDER)
    except OSError as error:
        raise failed(path, error) from error
    handler.setFormatter(logging.Formatter(_LINE))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False
    warnings.simplefilter("always")
    warnings.showwarning = _warned
    threading.excepthook = _failed


def last_lines(path: str, number: int) -> list[str]:
    """The last lines of the log and the one before it.

    Raises:
        CacheError: there is none, or it cannot be read.
    """
    lines: deque[str] = deque(maxlen=number)
    try:
        for part in (f"{path}.1", path):
            if part == path or os.path.exists(part):
                with open(part, encoding="utf-8", errors="replace") as stream:
                    lines.extend(line.rstrip("\n") for line in stream)
    except OSError as error:
        raise failed(path, error) from error
    return list(lines)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    LOG.warning("%s", message)


def _failed(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_type is SystemExit:
        return
    name = arguments.thread.name if arguments.thread else sys.argv[0]
    LOG.error("a defect in %s", name, exc_info=arguments.exc_value)
