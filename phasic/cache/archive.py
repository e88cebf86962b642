"""Entries in and out of a cache as a tar file, which every machine can read and make.

A member is `<key><suffix>`, or `<key><suffix>.zst` where the entry is compressed, nothing else.
Memory does not depend on the size of entries; each is validated before it is published, however it
came.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, TypeVar

from ..errors import FormatError
from .directory import CacheDirectory, Entry, failed
from .scratch import scratch_file
from .store import Store

T = TypeVar("T")
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Imported:
    """A member of an archive, and whether the cache has it now; why not, where it does not."""

    name: str
    kept: bool
    problem: str | None = None


def export(directory: CacheDirectory, entries: Iterable[Entry], stream: IO[bytes]) -> list[Entry]:
    """Writes entries as a tar file; those that vanish meanwhile are left out.

    Returns:
        The entries written.

    Raises:
        CacheError: an entry cannot be read, or the tar file not be written.
    """
    written = []
    try:
        with tarfile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for entry in entries:
                try:
                    file = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
                except FileNotFoundError:
                    continue
                with open(file, "rb") as content:
                    about = os.fstat(file)
                    member = tarfile.TarInfo(os.path.basename(entry.path))
                    member.size, member.mtime = about.st_size, int(about.st_mtime)
                    member.mode = 0o440
                    archive.addfile(member, content)
                written.append(entry)
    except OSError as error:
        raise failed(str(error.filename or "the archive"), error) from error
    return written


def import_into(store: Store[T], stream: IO[bytes]) -> Iterator[Imported]:
    """Publishes the members of a tar file one by one.

    Raises:
        FormatError: it is no tar file, or ends too early.
        CacheError: the cache cannot be written to.
    """
    try:
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                key = store.directory.key_of(member.name)
                content = archive.extractfile(member) if member.isreg() else None
                if content is None or key is None:
                    yield Imported(member.name, False, "its name is not that of an entry")
                    continue
                try:
                    yield Imported(member.name, _publish(store, key, content))
                except FormatError as error:
                    yield Imported(member.name, False, error.message)
    except tarfile.TarError as error:
        raise FormatError(
            f"the archive cannot be read: {error}",
            code="ARCHIVE_INVALID",
            hint="it is a tar file, as `phasic cache export` writes it",
        ) from error


def _publish(store: Store[T], key: str, content: IO[bytes]) -> bool:
    with scratch_file(store.directory) as path:
        try:
            with open(os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "wb") as copy:
                while chunk := content.read(_CHUNK):
                    copy.write(chunk)
        except OSError as error:
            raise failed(path, error) from error
        return store.add(key, path)
