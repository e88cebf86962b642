"""The entries of a cache directory, seen from outside: names, sizes and times, no contents."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from datetime import UTC, datetime

_ENTRY = re.compile(r"([0-9a-f]{64})\.trace")


@dataclass(frozen=True)
class Entry:
    """One trace in the cache."""

    key: str
    path: str
    bytes: int
    modified: float

    @property
    def written(self) -> str:
        """When, as 2025-01-31T12:00:00Z."""
        return datetime.fromtimestamp(self.modified, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def entries(directory: str) -> list[Entry]:
    """The entries, newest first; none where the directory does not exist."""
    found = []
    try:
        with os.scandir(directory) as listing:
            for item in listing:
                match = _ENTRY.fullmatch(item.name)
                if match is None:
                    continue
                try:
                    status = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    # Removed by someone else meanwhile.
                    continue
                if stat.S_ISREG(status.st_mode):
                    found.append(Entry(match[1], item.path, status.st_size, status.st_mtime))
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda entry: (-entry.modified, entry.key))
