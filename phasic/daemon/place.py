"""Where the daemon of this node and user is: a directory that nobody else can enter.

It holds the socket, whose name has the version of the protocol, and a file that the daemon locks as
long as it lives, so that of several that start one wins whatever their versions are. A socket whose
daemon was killed is replaced by the next one.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ..cache.directory import failed
from ..errors import CacheError
from . import protocol

_NAME = re.compile(r"phasic-(\d+)\.sock")
_WAITING = 128  # clients that are not accepted yet
_ATTEMPTS = 5
_PAUSE_SECONDS = 0.02
_HINT = "chmod 700 it, or name another with PHASIC_DAEMON_DIR"


@dataclass(frozen=True)
class Place:
    """The daemon's directory."""

    folder: str

    @property
    def address(self) -> str:
        """The path of the socket of our version."""
        return os.path.join(self.folder, f"phasic-{protocol.PROTOCOL}.sock")

    @property
    def lock(self) -> str:
        return os.path.join(self.folder, "lock")

    def check(self) -> bool:
        """Whether the directory is there.

        Raises:
            CacheError: others can enter it, or it is not ours (`DAEMON_UNTRUSTED`).
        """
        try:
            about = os.lstat(self.folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise failed(self.folder, error) from error
        if not stat.S_ISDIR(about.st_mode):
            raise _untrusted(f"{self.folder} is no directory")
        if about.st_uid != os.geteuid():
            raise _untrusted(f"{self.folder} belongs to user {about.st_uid}, not to us")
        if about.st_mode & 0o077:
            mode = stat.S_IMODE(about.st_mode)
            raise _untrusted(f"{self.folder} is open to others (mode {mode:o}, expected 700)")
        return True

    def make(self) -> None:
        """Makes the directory where it is missing.

        Raises:
            CacheError: it cannot be made, or is not to be trusted.
        """
        if self.check():
            return
        try:
            os.makedirs(os.path.dirname(self.folder), 0o700, exist_ok=True)
            with suppress(FileExistsError):
                os.mkdir(self.folder, 0o700)
        except OSError as error:
            raise failed(self.folder, error) from error
        self.check()

    def is_inhabited(self) -> bool:
        """Whether there is, or was, a daemon of any version. Of a directory that is not to be
        trusted a client has to say so, and it counts as well.
        """
        try:
            return any(map(_NAME.fullmatch, os.listdir(self.folder)))
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def other_versions(self) -> list[int]:
        """Versions of the protocol, not ours, of which a daemon listens here."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise failed(self.folder, error) from error
        versions = [int(match[1]) for match in map(_NAME.fullmatch, names) if match]
        return sorted(
            version
            for version in versions
            if version != protocol.PROTOCOL and self._listens(f"phasic-{version}.sock")
        )

    def _listens(self, name: str) -> bool:
        with socket.socket(socket.AF_UNIX) as stream:
            stream.setblocking(False)
            try:
                with self.shortened(name) as address:
                    stream.connect(address)
            except BlockingIOError:
                return True
            except OSError:
                return False
        return True

    @contextmanager
    def shortened(self, name: str) -> Iterator[str]:
        """The path of a socket in the directory by way of a descriptor: a socket's path has at most
        107 bytes, and a directory's may have more.
        """
        folder = os.open(self.folder, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{folder}/{name}"
        finally:
            os.close(folder)

    # ---- of the daemon

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within the block no other daemon of this user runs here.

        Raises:
            CacheError: one does (`DAEMON_RUNNING`).
        """
        self.make()
        try:
            file = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise failed(self.lock, error) from error
        try:
            if not _locked(file):
                raise CacheError(
                    f"a daemon is running already, process {self.holder() or 'unknown'}",
                    code="DAEMON_RUNNING",
                    hint="`phasic daemon status` tells of it, `phasic daemon stop` stops it",
                )
            os.ftruncate(file, 0)
            os.write(file, f"{os.getpid()}\n".encode())
            yield
        finally:
            os.close(file)

    def holder(self) -> int | None:
        """The process that has or had the lock, as it wrote itself; None where none is known."""
        try:
            with open(self.lock, encoding="ascii") as stream:
                text = stream.read(32).strip()
        except (OSError, UnicodeDecodeError):
            return None
        return int(text) if text.isdecimal() else None

    def is_locked(self) -> bool:
        """Whether a daemon of any version is alive here."""
        try:
            file = os.open(self.lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise failed(self.lock, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    @contextmanager
    def listening(self) -> Iterator[socket.socket]:
        """Within the block clients can connect; for whoever is `alone`.

        Raises:
            CacheError: no socket can be made here.
        """
        unready = f"{self.address}.new"
        stream = socket.socket(socket.AF_UNIX)
        try:
            with suppress(FileNotFoundError):
                os.unlink(unready)
            # It has its name only once it listens: a client that finds it is never turned away.
            with self.shortened(os.path.basename(unready)) as address:
                stream.bind(address)
            os.chmod(unready, 0o600)
            stream.listen(_WAITING)
            os.rename(unready, self.address)
        except OSError as error:
            stream.close()
            raise failed(self.address, error) from error
        try:
            yield stream
        finally:
            stream.close()
            with suppress(FileNotFoundError):
                os.unlink(self.address)


def _locked(file: int) -> bool:
    for _ in range(_ATTEMPTS):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)  # whoever only looks has it for a moment
        else:
            return True
    return False


def connected(place: Place, seconds: float) -> protocol.Connection | None:
    """A connection to the daemon; None where there is none.

    Raises:
        CacheError: it was killed or does not answer (`DAEMON_LOST`); it is of another version
            (`DAEMON_VERSION`) or user, or its directory not to be trusted (`DAEMON_UNTRUSTED`).
    """
    if not place.check():
        return None
    end = time.monotonic() + seconds
    while True:
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.setblocking(False)
            with place.shortened(os.path.basename(place.address)) as address:
                stream.connect(address)
            break
        except FileNotFoundError:
            stream.close()
            others = place.other_versions()
            if others:
                raise wrong_version(others[0]) from None
            return None
        except BlockingIOError as error:  # too many are waiting
            stream.close()
            if time.monotonic() > end:
                raise protocol.lost("it accepts nobody") from error
            time.sleep(0.01)
        except OSError as error:
            stream.close()
            raise protocol.lost(f"{place.address}: {error.strerror}") from error
    connection = protocol.Connection(stream)
    _, uid = connection.peer()
    if uid != os.geteuid():
        connection.close()
        raise _untrusted(f"user {uid} listens at {place.address}, not we")
    return connection


def wrong_version(other: object) -> CacheError:
    """The error of two versions that meet."""
    return CacheError(
        f"the daemon speaks version {other} of its protocol, and this phasic {protocol.PROTOCOL}",
        code="DAEMON_VERSION",
        hint="restart it with this phasic: phasic daemon stop && phasic daemon start",
    )


def _untrusted(found: str) -> CacheError:
    return CacheError(found, code="DAEMON_UNTRUSTED", hint=_HINT)
