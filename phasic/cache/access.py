"""When entries were last used: `.access/<key>`, an empty file touched at each use.

Not the file system's access times: many mounts keep none, and only an entry's owner may set them.
Touching without giving a time uses the file system's own clock, the same for all machines on it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from ..errors import CacheError
from ..messages import debug
from .directory import ACCESS, CacheDirectory, Entry


def stamp(directory: CacheDirectory, key: str) -> None:
    """Notes that the entry is used now. Where that cannot be written it is used all the same."""
    path = os.path.join(directory.folder(ACCESS), key)
    try:
        try:
            os.utime(path, follow_symlinks=False)
        except FileNotFoundError:
            directory.make_file(ACCESS, key)
    except (OSError, CacheError) as error:
        debug(f"no access stamp: {path}: {error}")


def last_uses(directory: CacheDirectory) -> dict[str, float]:
    """Seconds since the epoch, by key, of the entries that have a stamp."""
    found = {}
    for key in directory.listing(ACCESS):
        try:
            found[key] = os.stat(os.path.join(directory.folder(ACCESS), key)).st_mtime
        except FileNotFoundError:
            continue
    return found


def last_use(entry: Entry, uses: Mapping[str, float]) -> float:
    """Seconds since the epoch; an entry without a stamp was last used when it was written."""
    return max(entry.modified, uses.get(entry.key, 0.0))


def forget(directory: CacheDirectory, key: str) -> None:
    """Removes the stamp of an entry that is gone."""
    directory.unlink(os.path.join(directory.folder(ACCESS), key))
