"""A cache directory: whom it trusts, its entries, and the dot-directories of its housekeeping.

One file an entry, `<key><suffix>`, the key 64 hexadecimal digits, or the same compressed,
`<key><suffix>.zst`. Dot-directories hold what is no entry; they are made when needed, as open to
the group as the cache is, and removed when empty:
`.tmp` (being written), `.lease` (being recorded), `.quarantine` (damaged), `.access` (last uses,
only where there are limits), `.pins`, `.pending` (to be saved in the tiers behind), `.plans`.
"""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from errno import EINVAL, ENOTDIR

from ..errors import CacheError

_KEY = re.compile(r"[0-9a-f]{64}")
_PRIVATE = 0o700
_AGAIN = 16  # another process may remove a dot-directory between two of our calls
_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.05

PACKED = ".zst"
TEMPORARY = ".tmp"
QUARANTINE = ".quarantine"
PLANS = ".plans"
ACCESS = ".access"
PENDING = ".pending"


@dataclass(frozen=True)
class Entry:
    """One key of the cache. `modified` is in seconds since the epoch.

    Of one that is there in both forms the path is the plain one's and the bytes are those of both.
    """

    key: str
    path: str
    n_bytes: int
    modified: float


class CacheDirectory:
    """The entries with one suffix in one directory, which need not exist.

    Whatever looks into a directory that others than those trusted may write to raises `CacheError`
    (`CACHE_UNTRUSTED`): trusted are we and root, and our groups where the directory is setgid.
    """

    def __init__(self, path: str, suffix: str) -> None:
        self.path = path
        self.suffix = suffix

    # ---- entries

    def entry_path(self, key: str) -> str:
        """Where the entry of `key` is or would be.

        Raises:
            CacheError: `key` is no key.
        """
        if not is_key(key):
            raise CacheError(
                f"{key!r} is no key", code="CACHE_KEY", hint="a key has 64 hexadecimal digits"
            )
        return os.path.join(self.path, key + self.suffix)

    def packed_path(self, key: str) -> str:
        """Where the entry of `key` is or would be, compressed."""
        return self.entry_path(key) + PACKED

    def found_path(self, key: str) -> str | None:
        """Where the entry of `key` is, whatever is there in its place; None where nothing is."""
        plain, packed = self.entry_path(key), self.packed_path(key)
        return next((path for path in (plain, packed) if os.path.lexists(path)), None)

    def entries(self) -> list[Entry]:
        """All entries, by key. One that vanishes meanwhile is left out.

        Raises:
            CacheError: the directory is there and cannot be read, or is not trusted.
        """
        found: dict[str, Entry] = {}
        for entry in sorted(self._entries(), key=lambda entry: entry.path):
            plain = found.get(entry.key)
            if plain is None:
                found[entry.key] = entry
                continue
            found[entry.key] = Entry(
                entry.key,
                plain.path,
                plain.n_bytes + entry.n_bytes,
                max(plain.modified, entry.modified),
            )
        return list(found.values())

    def irregular(self) -> list[str]:
        """Keys whose place is taken by what is no regular file."""
        return sorted(
            {
                key
                for key, item in self._named_like_entries()
                if not item.is_file(follow_symlinks=False)
            }
        )

    def _entries(self) -> Iterator[Entry]:
        for key, item in self._named_like_entries():
            try:
                status = item.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield Entry(key, item.path, status.st_size, status.st_mtime)

    def _named_like_entries(self) -> Iterator[tuple[str, os.DirEntry[str]]]:
        if self.status() is None:
            return
        try:
            found = list(os.scandir(self.path))
        except OSError as error:
            raise failed(self.path, error) from error
        for item in found:
            key = self.key_of(item.name)
            if key is not None:
                yield key, item

    def key_of(self, name: str) -> str | None:
        """The key of the entry that a file of that name would be, in either form; else None."""
        plain = name.removesuffix(PACKED)
        key = plain.removesuffix(self.suffix)
        return key if key != plain and is_key(key) else None

    def remove(self, key: str) -> bool:
        """Removes one entry, in both forms; whether it was there.

        Raises:
            CacheError: it is there and cannot be removed.
        """
        removed = [self.unlink(path) for path in (self.entry_path(key), self.packed_path(key))]
        return any(removed)

    def quarantined(self) -> list[str]:
        """Names of the entries that were moved aside."""
        return self.listing(QUARANTINE)

    def clear(self, kept: frozenset[str] = frozenset()) -> list[Entry]:
        """Removes all entries but those of the keys `kept`, and what is quarantined, planned or
        noted of them, marks of what is to be saved behind too.

        Files that are being written are left to their writers.

        Returns:
            The entries removed.

        Raises:
            CacheError: something is there and cannot be removed.
        """
        removed = [
            entry for entry in self.entries() if entry.key not in kept and self.remove(entry.key)
        ]
        for name in (QUARANTINE, PLANS, ACCESS, PENDING):
            for file in self.listing(name):
                if name not in (ACCESS, PENDING) or file not in kept:
                    self.discard(os.path.join(self.folder(name), file))
            self.drop_folder(name)
        return removed

    # ---- the directory

    def status(self) -> os.stat_result | None:
        """Of the directory; None where there is none.

        Raises:
            CacheError: it is no directory, cannot be reached, or is not trusted.
        """
        try:
            about = os.stat(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise failed(self.path, error) from error
        if not stat.S_ISDIR(about.st_mode):
            raise failed(self.path, NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR)))
        if not _is_trusted(about):
            raise CacheError(
                f"{self.path} can be written by others or belongs to someone else",
                code="CACHE_UNTRUSTED",
                hint="chmod go-w it, or choose another with PHASIC_CACHE_DIR; to share one with a "
                "group, chmod 2770 it",
            )
        return about

    # ---- housekeeping

    def folder(self, name: str) -> str:
        """The path of a dot-directory, which need not exist."""
        return os.path.join(self.path, name)

    def listing(self, name: str) -> list[str]:
        """What a dot-directory holds, sorted; nothing where it is missing."""
        folder = self.folder(name)
        for attempt in range(_AGAIN):
            try:
                return sorted(os.listdir(folder))
            except FileNotFoundError:
                return []
            except PermissionError as error:
                if not self._will_open(folder, attempt):
                    raise failed(folder, error) from error
            except OSError as error:
                raise failed(folder, error) from error
        raise AssertionError("the last attempt returns or raises")

    def make_file(self, name: str, file: str) -> bool:
        """Makes the empty `file` in the dot-directory `name`; False where there is one.

        Makes what directories are missing. The file is as open to the group as the cache is.

        Raises:
            CacheError: it cannot be made.
        """
        return self.within(name, lambda folder, mode: _make_file(os.path.join(folder, file), mode))

    def within(self, name: str, action: Callable[[str, int], bool]) -> bool:
        """Does what needs the dot-directory `name`: `action(its path, mode of files in it)`."""
        folder = self.folder(name)
        for attempt in range(_AGAIN):
            try:
                mode = self._make_folder(folder)
                return action(folder, mode)
            except FileNotFoundError as error:
                # Another process has emptied and removed it just now.
                if attempt == _AGAIN - 1:
                    raise failed(folder, error) from error
            except PermissionError as error:
                if not self._will_open(folder, attempt):
                    raise failed(folder, error) from error
            except CacheError:
                raise
            except OSError as error:
                raise failed(folder, error) from error
        raise AssertionError("the last attempt returns or raises")

    def settle(self, path: str) -> None:
        """Makes a new name last; one that may not last is taken back.

        Raises:
            CacheError: the directory cannot be written out.
        """
        try:
            self.sync()
        except CacheError:
            self.unlink(path)
            raise

    def sync(self) -> None:
        """Has the names in the directory on the medium.

        Raises:
            CacheError: they cannot be written out.
        """
        try:
            sync_folder(self.path)
        except OSError as error:
            raise failed(self.path, error) from error

    def drop_folder(self, name: str) -> None:
        """Removes a dot-directory if it is empty."""
        self._removed(self.folder(name))

    def unlink(self, path: str) -> bool:
        """Removes a file of the cache; whether it was there.

        Raises:
            CacheError: it is there and cannot be removed.
        """
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise failed(path, error) from error
        return True

    def discard(self, path: str) -> bool:
        """Removes what is no entry, a directory with all that it holds; whether it was there.

        Raises:
            CacheError: it is there and cannot be removed.
        """
        try:
            if stat.S_ISDIR(os.lstat(path).st_mode):
                from shutil import rmtree  # it loads much, and directories are rare here

                rmtree(path)
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            raise failed(path, error) from error
        return self.unlink(path)

    def _make_folder(self, folder: str) -> int:
        about = self.status()
        if about is None:
            _make_directories(self.path)
            about = os.stat(self.path)
        try:
            os.mkdir(folder, _PRIVATE)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                raise
        else:
            with suppress(PermissionError):  # another user has removed it and made it anew
                opened = stat.S_IMODE(about.st_mode) & (stat.S_ISGID | stat.S_IRWXG)
                os.chmod(folder, _PRIVATE | opened)
        return 0o600 | about.st_mode & 0o060

    def _will_open(self, folder: str, attempt: int) -> bool:
        """After permission was denied: whether to try again, since another user has made the folder
        and not opened it to the group yet. One whose maker died before that goes."""
        if attempt == _AGAIN - 1:
            return False
        try:
            about = os.lstat(folder)
        except OSError:
            return True
        if about.st_uid == os.geteuid():
            return False
        if not about.st_mode & stat.S_IRWXG:
            time.sleep(min(_FIRST_PAUSE_SECONDS * 2**attempt, _LONGEST_PAUSE_SECONDS))
            if attempt >= _AGAIN // 2:
                self._removed(folder)
        return True

    @staticmethod
    def _removed(folder: str) -> bool:
        try:
            os.rmdir(folder)
        except OSError:
            return False
        return True


def sync_folder(path: str) -> None:
    """Has the names in a folder on the medium. Raises `OSError`."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno != EINVAL:  # a file system that has no such thing
            raise
    finally:
        os.close(file)


def is_key(name: str) -> bool:
    """Whether a name is that of a key."""
    return _KEY.fullmatch(name) is not None


def _is_trusted(about: os.stat_result) -> bool:
    if about.st_mode & stat.S_IWOTH:
        return False
    if about.st_uid in (os.geteuid(), 0):
        return True
    ours = {os.getegid(), *os.getgroups()}
    return bool(about.st_mode & stat.S_ISGID) and about.st_gid in ours


def _make_directories(path: str) -> None:
    parent = os.path.dirname(path)
    if not os.path.isdir(parent):
        _make_directories(parent)
    try:
        os.mkdir(path, _PRIVATE)
    except FileExistsError:
        if not os.path.isdir(path):
            raise


def _make_file(path: str, mode: int) -> bool:
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    except FileExistsError:
        return False
    try:
        os.fchmod(file, mode)  # whatever the umask
    finally:
        os.close(file)
    return True


def failed(path: str, error: OSError) -> CacheError:
    """The exception of an operating system call that failed."""
    raised = CacheError(
        f"{path}: {error.strerror or error}",
        code="IO_ERROR",
        hint="check the path, its permissions and free space",
    )
    raised.errno = error.errno
    return raised
