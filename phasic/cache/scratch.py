"""Files that are being written: each has a name of its own in `.tmp` and is gone afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .directory import TEMPORARY, CacheDirectory


@contextmanager
def scratch_file(directory: CacheDirectory) -> Iterator[str]:
    """The path of an empty file, which exists within the block.

    Its name is unique among all machines that share the directory.

    Raises:
        CacheError: it cannot be made.
    """
    name = f"{os.uname().nodename.replace('/', '_')}.{os.getpid()}.{os.urandom(16).hex()}"
    path = os.path.join(directory.folder(TEMPORARY), name)
    directory.make_file(TEMPORARY, name)
    try:
        yield path
    finally:
        directory.unlink(path)
        directory.drop_folder(TEMPORARY)
