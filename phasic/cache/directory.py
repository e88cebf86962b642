"""A cache directory: its entries, their sizes, removing them.

One file an entry, `<key><suffix>`, the key 64 hexadecimal digits. Dot-directories hold what is
being written (`.tmp`), what was bad (`.quarantine`) and the like; they are no entries.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import CacheError

_KEY = re.compile(r"[0-9a-f]{64}")
HOUSEKEEPING = (".tmp", ".lease", ".quarantine", ".access", ".plans")


@dataclass(frozen=True)
class Entry:
    """One file of the cache. `modified` is in seconds since the epoch."""

    key: str
    path: str
    n_bytes: int
    modified: float


class CacheDirectory:
    """The entries with one suffix in one directory, which need not exist."""

    def __init__(self, path: str, suffix: str) -> None:
        self.path = path
        self.suffix = suffix

    def entry_path(self, key: str) -> str:
        """Where the entry of `key` is or would be.

        Raises:
            CacheError: `key` is no key.
        """
        if not _KEY.fullmatch(key):
            raise CacheError(
                f"{key!r} is no key", code="CACHE_KEY", hint="a key has 64 hexadecimal digits"
            )
        return os.path.join(self.path, key + self.suffix)

    def entries(self) -> list[Entry]:
        """All entries, by key. One that vanishes meanwhile is left out.

        Raises:
            CacheError: the directory is there and cannot be read.
        """
        return sorted(self._entries(), key=lambda entry: entry.key)

    def _entries(self) -> Iterator[Entry]:
        try:
            found = list(os.scandir(self.path))
        except FileNotFoundError:
            return
        except OSError as error:
            raise _failed(self.path, error) from error
        for item in found:
            key = item.name.removesuffix(self.suffix)
            if key == item.name or not _KEY.fullmatch(key):
                continue
            try:
                status = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield Entry(key, item.path, status.st_size, status.st_mtime)

    def quarantined(self) -> list[str]:
        """Names of the entries that were moved aside."""
        try:
            return sorted(os.listdir(os.path.join(self.path, ".quarantine")))
        except FileNotFoundError:
            return []

    def remove(self, key: str) -> bool:
        """Removes one entry; whether it was there.

        Raises:
            CacheError: it is there and cannot be removed.
        """
        path = self.entry_path(key)
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _failed(path, error) from error
        return True

    def clear(self) -> list[Entry]:
        """Removes all entries, and what is quarantined or planned; gives the entries removed.

        Files that are being written are left to their writers.

        Raises:
            CacheError: something is there and cannot be removed.
        """
        removed = [entry for entry in self.entries() if self.remove(entry.key)]
        for name in (".quarantine", ".plans"):
            self._remove_directory(os.path.join(self.path, name))
        return removed

    def _remove_directory(self, path: str) -> None:
        try:
            names = os.listdir(path)
        except FileNotFoundError:
            return
        try:
            for name in names:
                os.unlink(os.path.join(path, name))
            os.rmdir(path)
        except FileNotFoundError:
            # Another process clears as well.
            return
        except OSError as error:
            raise _failed(path, error) from error


def _failed(path: str, error: OSError) -> CacheError:
    raised = CacheError(
        f"{path}: {error.strerror}",
        code="IO_ERROR",
        hint="check the path, its permissions and free space",
    )
    raised.errno = error.errno
    return raised
