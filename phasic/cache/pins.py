"""Pins: entries that stay whatever the limits are. `.pins/<key>` is an empty file.

A pin outlives its entry, so one that was damaged and is recorded again is pinned as before.
"""

from __future__ import annotations

import os

from .directory import CacheDirectory

PINS = ".pins"


def pin(directory: CacheDirectory, key: str) -> bool:
    """Pins an entry; False where it was pinned already.

    Raises:
        CacheError: the pin cannot be written.
    """
    return directory.make_file(PINS, key)


def unpin(directory: CacheDirectory, key: str) -> bool:
    """Takes a pin out; whether there was one.

    Raises:
        CacheError: it is there and cannot be removed.
    """
    removed = directory.unlink(os.path.join(directory.folder(PINS), key))
    directory.drop_folder(PINS)
    return removed


def pinned(directory: CacheDirectory) -> frozenset[str]:
    """The keys of all pins."""
    return frozenset(directory.listing(PINS))
