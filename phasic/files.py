"""Writing a file whole or not at all: what is there is as it was until all is written."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any


@contextmanager
def replacing(
    path: str | os.PathLike[str], mode: str = "w", *, durable: bool = False
) -> Iterator[IO[Any]]:
    """A stream whose content becomes the file when the block ends well, and never else.

    Other processes see the file as it was or as it will be. A file that is replaced keeps its
    permissions.

    Args:
        path: the file.
        mode: "w" or "wb".
        durable: whether the content is on the medium before it has the file's name.

    Raises:
        OSError: it cannot be written; what was there is as it was.
    """
    folder, name = os.path.split(os.path.abspath(path))
    # Not `tempfile`, whose files are for their owner alone.
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(8)}")
    options: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        with open(temporary, mode.replace("w", "x"), **options) as stream:
            yield stream
            if durable:
                stream.flush()
                os.fsync(stream.fileno())
        with suppress(FileNotFoundError):
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
