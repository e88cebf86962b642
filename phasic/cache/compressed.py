"""Entries in two forms: as they are, and compressed. `<key><suffix>.zst` is a Zstandard frame.

Both are found wherever they are; where both are, the plain one is read. Compressed ones are written
only in a store that is told to, from a size on. What is read from one goes to a file in the `.tmp`
of the nearest cache, is validated there, and stays mapped when its name is gone.
"""

from __future__ import annotations

import os
import stat
from errno import ELOOP, EMLINK, ENOSYS, ENXIO, EOPNOTSUPP, EPERM
from typing import IO, Generic, Protocol, TypeVar

from ..errors import CacheError, DependencyError, FormatError
from . import compression
from .directory import QUARANTINE, CacheDirectory, failed
from .scratch import scratch_file


class Measured(Protocol):
    """A value that knows how long its plain entry is."""

    @property
    def n_bytes(self) -> int: ...


T = TypeVar("T", bound=Measured)
_MAGIC = b"\x28\xb5\x2f\xfd"
_ATTEMPTS = 8  # more than one only where entries are removed meanwhile
_ENTRY_MODE = 0o440
_NO_ZSTANDARD = "ZSTANDARD_MISSING"
_MOST_BYTES = 1 << 34  # of any trace file
_NO_LINKS = (EPERM, EOPNOTSUPP, EMLINK, ENOSYS)


class PlainCodec(Protocol[T]):
    """How values become plain entries and back; as `store.Codec`, and files anywhere."""

    def load(self, directory: str, key: str) -> T | None: ...
    def read(self, path: str, key: str) -> T: ...
    def save(self, directory: str, key: str, value: T) -> None: ...
    def write(self, path: str, value: T) -> None: ...
    def set_aside(self, directory: str, key: str) -> None: ...


class TwoForms(Generic[T]):
    """The codec of a store whose entries may be compressed.

    Args:
        plain: the codec of plain entries.
        nearest: the cache in whose `.tmp` entries are unpacked, and written before being packed.
        limit: bytes that an entry may unpack to.
        from_bytes: plain entries of so many bytes or more are written compressed; 0: none.
    """

    def __init__(
        self, plain: PlainCodec[T], nearest: CacheDirectory, limit: int, from_bytes: int = 0
    ) -> None:
        self._plain = plain
        self._nearest = nearest
        self._limit = limit
        self._from_bytes = from_bytes

    def load(self, directory: str, key: str) -> T | None:
        """The validated value in either form; None where there is none."""
        value = self._plain.load(directory, key)
        return self._load_packed(self._at(directory), key) if value is None else value

    def read(self, path: str, key: str) -> T:
        """The validated value from a file anywhere, in either form."""
        try:
            with open(path, "rb") as source:
                is_packed = source.read(len(_MAGIC)) == _MAGIC
                source.seek(0)
                if is_packed:
                    return self._unpack(source, path, key)
        except CacheError:
            raise
        except OSError as error:
            raise failed(path, error) from error
        return self._plain.read(path, key)

    def save(self, directory: str, key: str, value: T) -> None:
        """Publishes the value in the form that its size asks for; a valid entry stays."""
        here = self._at(directory)
        is_packed = 0 < self._from_bytes <= value.n_bytes
        if is_packed:
            if not self._is_there(here, key):
                self._publish(here, key, value)
        elif not (os.path.lexists(here.packed_path(key)) and self._is_there(here, key)):
            self._plain.save(directory, key, value)

    def write(self, path: str, value: T) -> None:
        """Writes the value to a file anywhere, plain."""
        self._plain.write(path, value)

    def set_aside(self, directory: str, key: str) -> None:
        """Moves what is damaged to `.quarantine`."""
        self._plain.set_aside(directory, key)
        self._set_aside_packed(self._at(directory), key)

    # ---- reading

    def _load_packed(self, here: CacheDirectory, key: str) -> T | None:
        if here.status() is None:
            return None
        path = here.packed_path(key)
        try:
            # O_NONBLOCK: opening a FIFO must not wait for a writer.
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno in (ELOOP, ENXIO):
                raise _irregular(path) from error
            raise failed(path, error) from error
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise _irregular(path)
            with open(file, "rb", closefd=False) as source:
                return self._unpack(source, path, key)
        finally:
            os.close(file)

    def _unpack(self, source: IO[bytes], path: str, key: str) -> T:
        with scratch_file(self._nearest) as unpacked:
            try:
                with open(unpacked, "wb") as target:
                    compression.decompress(source, target, self._limit)
                return self._plain.read(unpacked, key)
            except DependencyError as error:
                raise CacheError(
                    f"{path}: {error.message}", code=_NO_ZSTANDARD, hint=error.hint
                ) from error
            except FormatError as error:
                problem = f"{path}: {error.message.removeprefix(f'{unpacked}: ')}"
                problem = problem.replace(unpacked, path)
                if error.code == "FORMAT_TOO_LARGE" and _may_be_whole(source):
                    raise CacheError(problem, code=error.code, hint=error.hint) from error
                raise FormatError(problem, code=error.code, hint=error.hint) from error
            except CacheError:
                raise
            except OSError as error:
                raise failed(unpacked, error) from error

    # ---- quarantine

    def _is_there(self, here: CacheDirectory, key: str) -> bool:
        """Whether a valid entry is there in either form; a bad one is moved aside."""
        try:
            return self.load(here.path, key) is not None
        except (FormatError, CacheError) as error:
            if error.code == _NO_ZSTANDARD:
                return False  # others read that one, and we a plain one
            if isinstance(error, CacheError) and error.code != "CACHE_NOT_REGULAR":
                raise
            self.set_aside(here.path, key)
            return False

    def _set_aside_packed(self, here: CacheDirectory, key: str) -> None:
        path = here.packed_path(key)
        try:
            before = os.lstat(path)
        except FileNotFoundError:
            return
        except OSError as error:
            raise failed(path, error) from error
        try:
            self._load_packed(here, key)
            return
        except CacheError as error:
            if error.code != "CACHE_NOT_REGULAR":
                raise
        except FormatError:
            pass  # so it is damaged still
        aside = f"{key}.{os.urandom(16).hex()}"
        here.within(QUARANTINE, lambda folder, _mode: _move(path, f"{folder}/{aside}", before))
        here.sync()
        here.drop_folder(QUARANTINE)

    # ---- publishing

    def _publish(self, here: CacheDirectory, key: str, value: T) -> None:
        name = here.packed_path(key)
        with scratch_file(self._nearest) as unpacked, scratch_file(here) as packed:
            self._plain.write(unpacked, value)
            try:
                with open(unpacked, "rb") as source, open(packed, "wb") as target:
                    compression.compress(source, target, os.fstat(source.fileno()).st_size)
                    target.flush()
                    os.fchmod(target.fileno(), _ENTRY_MODE)
                    os.fsync(target.fileno())
                for _ in range(_ATTEMPTS):
                    if _named(packed, name):
                        here.settle(name)
                        return
                    if self._is_there(here, key):
                        return
            except CacheError:
                raise
            except OSError as error:
                raise failed(name, error) from error
        raise CacheError(
            f"{name} is taken and removed again and again",
            code="IO_ERROR",
            hint="another process is at the quarantine: try again",
        )

    def _at(self, directory: str) -> CacheDirectory:
        return CacheDirectory(directory, self._nearest.suffix)


def _named(packed: str, name: str) -> bool:
    """Gives a complete file its name; False where that is taken."""
    try:
        os.link(packed, name, follow_symlinks=False)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        os.rename(packed, name)
    return True


def _move(path: str, aside: str, bad: os.stat_result) -> bool:
    """Moves what is `bad`; should another have taken its name just before, it gets that back."""
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        if not os.path.lexists(path):
            return False  # another process has moved it
        raise
    if not os.path.samestat(os.lstat(aside), bad) and _named(aside, path):
        os.unlink(aside)
    return True


def _irregular(path: str) -> CacheError:
    return CacheError(
        f"{path} is no regular file",
        code="CACHE_NOT_REGULAR",
        hint="nothing but traces belongs there: remove it, or name another directory",
    )


def _may_be_whole(source: IO[bytes]) -> bool:
    """Whether a frame that claims too much for us may be right for others."""
    source.seek(0)
    return compression.claimed(source) <= _MOST_BYTES
