"""A file system in user space that passes calls on to a folder, and fails or stops as it is told.

``python -m cache_trials.machines.faulty_files SOURCE MOUNT ORDERS LOG`` serves until it is killed.
ORDERS is a file, `name action number errno`: from its next change on, calls are counted, each is a
line of LOG, and one of them (`at`) or all from it on (`from`) fail, or are not answered (`hang`)
until ORDERS changes again. The action `none` lets all pass.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import mfusepy

_STATUS = ("mode", "nlink", "size", "uid", "gid", "atime", "mtime", "ctime", "ino")


class FaultyFiles(mfusepy.Operations):
    """What is asked of SOURCE, after the orders."""

    use_ns = True

    def __init__(self, source: str, orders: str, log: str) -> None:
        self._source = source
        self._orders = orders
        self._log = log
        self._followed: list[str] = []
        self._counted = 0

    def _at(self, call: str, path: str) -> str:
        self._obey(call, path)
        return self._source + path

    def _read_orders(self) -> list[str]:
        with open(self._orders) as file:
            return file.read().split()

    def _obey(self, call: str, path: str) -> None:
        orders = self._read_orders()
        if orders != self._followed:
            self._followed, self._counted = orders, 0
        _, action, number, error = orders
        if action == "none":
            return
        self._counted += 1
        fires = self._counted >= int(number) if action != "at" else self._counted == int(number)
        with open(self._log, "a") as log:
            log.write(f"{call} {path} {'fails' if fires else ''}\n")
        if fires and action == "hang":
            while self._read_orders() == orders:
                time.sleep(0.05)
        elif fires:
            raise mfusepy.FuseOSError(int(error))

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        about = os.lstat(self._at("getattr", path))
        status = {f"st_{name}": getattr(about, f"st_{name}") for name in _STATUS}
        return status | {f"st_{name}time": getattr(about, f"st_{name}time_ns") for name in "amc"}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self._at("readdir", path))]

    def open(self, path: str, flags: int) -> int:
        return os.open(self._at("open", path), flags)

    def create(self, path: str, mode: int, fi: object = None) -> int:
        return os.open(self._at("create", path), os.O_CREAT | os.O_RDWR | os.O_EXCL, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        self._obey("read", path)
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        self._obey("write", path)
        return os.pwrite(fh, data, offset)

    def flush(self, path: str, fh: int) -> int:
        self._obey("close", path)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        self._obey("fsync", path)
        os.fsync(fh)
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        self._obey("fsyncdir", path)
        return 0

    def release(self, path: str, fh: int) -> int:
        os.close(fh)
        return 0

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        os.truncate(self._at("truncate", path), length)
        return 0

    def link(self, target: str, source: str) -> int:
        os.link(self._source + source, self._at("link", target))
        return 0

    def rename(self, old: str, new: str) -> int:
        os.rename(self._source + old, self._at("rename", new))
        return 0

    def unlink(self, path: str) -> int:
        os.unlink(self._at("unlink", path))
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        os.mkdir(self._at("mkdir", path), mode)
        return 0

    def rmdir(self, path: str) -> int:
        os.rmdir(self._at("rmdir", path))
        return 0

    def chmod(self, path: str, mode: int) -> int:
        os.chmod(self._at("chmod", path), mode)
        return 0

    def utimens(self, path: str, times: Any = None) -> int:
        os.utime(self._at("utimens", path), ns=times)
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        about = os.statvfs(self._at("statfs", path))
        return {name: getattr(about, name) for name in dir(about) if name.startswith("f_")}


def main(source: str, mount: str, orders: str, log: str) -> None:
    no_cache = {"attr_timeout": 0, "entry_timeout": 0, "negative_timeout": 0}
    files = FaultyFiles(source, orders, log)
    mfusepy.FUSE(
        files, mount, foreground=True, nothreads=True, default_permissions=True, **no_cache
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
