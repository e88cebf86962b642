"""Entries still to be saved in the tiers behind: `.pending/<key>`, an empty file.

A mark is made after the entry is published and is on the medium before the save is acknowledged, so
it outlives its process: whoever comes next saves the entry behind and takes the mark out. A mark is
locked (`flock`) while a process is at it, which ends with the process. Where there are no locks two
may save the same entry; the bytes are the same.

The collector leaves entries that are pending. It has its lease before it looks at the marks, and
whoever has marked looks for its lease and for the entry afterwards: one of the two sees the other.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .directory import PENDING, CacheDirectory, failed, is_key, sync_folder


def mark(directory: CacheDirectory, key: str) -> None:
    """Marks an entry; on return the mark is on the medium.

    Raises:
        CacheError: it cannot be made durable.
    """
    directory.entry_path(key)  # refuses what is no key
    directory.within(PENDING, lambda folder, _mode: _mark(directory, folder, key))
    directory.sync()


def keys(directory: CacheDirectory) -> list[str]:
    """The keys of all marks, sorted. An entry may be gone: then its mark means nothing.

    Raises:
        CacheError: the marks cannot be read.
    """
    return [name for name in directory.listing(PENDING) if is_key(name)]


def waiting(directory: CacheDirectory) -> list[str]:
    """The keys of the marks whose entries are there.

    Raises:
        CacheError: the marks cannot be read.
    """
    return [key for key in keys(directory) if directory.found_path(key) is not None]


def is_marked(directory: CacheDirectory, key: str) -> bool:
    """Whether the entry is to be saved behind."""
    return os.path.lexists(_path(directory, key))


def done(directory: CacheDirectory, key: str) -> bool:
    """Takes a mark out, once the entry is saved behind; whether there was one.

    Raises:
        CacheError: it is there and cannot be removed.
    """
    removed = directory.unlink(_path(directory, key))
    directory.drop_folder(PENDING)
    return removed


@contextmanager
def claim(directory: CacheDirectory, key: str) -> Iterator[bool]:
    """Within the block nobody else saves what is marked; False: another does, or there is no mark.

    Raises:
        CacheError: the mark cannot be opened.
    """
    path = _path(directory, key)
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    except OSError as error:
        raise failed(path, error) from error
    try:
        yield _lock(file) and _is_the_file(path, file)
    finally:
        _unlock(file)
        os.close(file)
        directory.drop_folder(PENDING)  # an NFS client keeps a removed file until it is closed


def _mark(directory: CacheDirectory, folder: str, key: str) -> bool:
    made = directory.make_file(PENDING, key)
    path = os.path.join(folder, key)
    # Another process may have made it a moment ago, so that it is not on the medium yet.
    file = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.utime(file)
        os.fsync(file)
    finally:
        os.close(file)
    sync_folder(folder)
    return made


def _lock(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # no locks on this file system
    return True


def _unlock(file: int) -> None:
    """To close it is not enough: a process forked meanwhile has it open too."""
    with suppress(OSError):  # no locks on this file system
        fcntl.flock(file, fcntl.LOCK_UN)


def _is_the_file(path: str, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _path(directory: CacheDirectory, key: str) -> str:
    return os.path.join(directory.folder(PENDING), key)
