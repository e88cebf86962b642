"""Writing a file whole or not at all: what is there is as it was until all is written.

Whatever the system says against it names the file and the reason.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

_BLOCK = 4096


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
        OSError: it cannot be written, `filename` is its path; what was there is as it was.
    """
    temporary = _beside(path)
    options: dict[str, Any] = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    with _errors_naming(path, temporary):
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


def check_writable(path: str | os.PathLike[str]) -> None:
    """Refuses a file that `replacing` could not write now, before work is done for it.

    A block is written beside it and removed. Later there may be less space.

    Raises:
        OSError: it cannot be written, `filename` is its path.
    """
    temporary = _beside(path)
    with _errors_naming(path, temporary):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        try:
            with open(temporary, "xb") as stream:
                stream.write(bytes(_BLOCK))
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


def _beside(path: str | os.PathLike[str]) -> str:
    """A name for the content on its way; `tempfile` makes files for their owner alone."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(folder, f".{name}.{secrets.token_hex(8)}")


@contextmanager
def _errors_naming(path: str | os.PathLike[str], temporary: str) -> Iterator[None]:
    """Errors about the stream or its file become errors about the path that was asked for."""
    try:
        yield
    except OSError as error:
        if error.filename not in (None, temporary):
            raise  # about another file, which the block read
        # numpy counts what was not written, and says no more.
        number = errno.EIO if error.errno is None else error.errno
        reason = error.strerror or str(error)
        raise OSError(number, reason, os.fspath(path)) from error
