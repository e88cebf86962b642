"""The file system under a directory: what it is, how it is mounted, how much room it has."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from phasic.cli.checks.finding import Finding, advice, ok, problem

_MOUNTS = Path("/proc/self/mountinfo")
_PASSING = {"tmpfs", "ramfs"}
_LITTLE, _TOO_LITTLE = 1 << 30, 64 << 20


@dataclass(frozen=True)
class Mount:
    """One line of mountinfo."""

    point: str
    kind: str
    options: frozenset[str]


def mount_of(path: str, mountinfo: str) -> Mount | None:
    """The mount that holds the absolute `path`: the deepest, of several at one place the last."""
    found: Mount | None = None
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        if "-" not in fields[6:]:
            continue
        point = _unescaped(fields[4])
        inside = path == point or path.startswith(point.rstrip("/") + "/")
        if inside and (found is None or len(point) >= len(found.point)):
            kind, _, of_system = fields[fields.index("-", 6) + 1 :][:3]
            options = {*fields[5].split(","), *of_system.split(",")}
            if "rw" in fields[5].split(",") and "ro" in of_system.split(","):
                options.discard("rw")
            found = Mount(point, kind, frozenset(options))
    return found


def _unescaped(text: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)


def check_mount(mount: Mount) -> Finding:
    """Whether what is written stays, and is safe."""
    notes = sorted(mount.options & {"noatime", "relatime", "strictatime", "soft", "hard", "ro"})
    found = ", ".join([f"{mount.kind} at {mount.point}", *notes])
    name = "file system"
    if "ro" in mount.options:
        return problem(
            name, found, "it is read-only: choose another with `phasic config set cache_dir`"
        )
    if mount.kind in _PASSING:
        return advice(
            name,
            found,
            "traces are lost when the machine restarts: choose a disk with"
            " `phasic config set cache_dir`, unless that is meant",
        )
    if mount.kind.startswith("nfs") and "soft" in mount.options:
        return advice(name, found, "a soft mount gives up on a slow server: let it be mounted hard")
    if "noatime" in mount.options:
        return ok(name, f"{found} (no harm: phasic notes the last uses itself)")
    return ok(name, found)


def check_room(path: str, high_bytes: int, used: int) -> Iterator[Finding]:
    """Free space and free inodes for what this user may still write."""
    about = os.statvfs(path)
    free = about.f_bavail * about.f_frsize
    yield _room(free, high_bytes, used)
    if about.f_files and not about.f_favail:
        yield problem("inodes", "0 free", "remove files, or choose another cache_dir")


def _room(free: int, high_bytes: int, used: int) -> Finding:
    found = f"{free / (1 << 30):,.1f} GiB"
    if free < _TOO_LITTLE:
        return problem(
            "free space",
            found,
            "traces cannot be kept: free some with `phasic cache prune --max-bytes 1G`, or choose"
            " another cache_dir",
        )
    if high_bytes > used + free:
        return advice(
            "free space",
            found,
            f"the disk is full before cache_high_bytes ({high_bytes:,}) is reached: set it lower,"
            " or set cache_min_free_bytes",
        )
    if free < _LITTLE:
        return advice(
            "free space", found, "`phasic config set cache_min_free_bytes 200M` leaves some free"
        )
    return ok("free space", found)


def check_here(path: str) -> Iterator[Finding]:
    """The mount of an existing path, where the system tells."""
    try:
        text = _MOUNTS.read_text(errors="surrogateescape")
    except OSError:
        return
    mount = mount_of(os.path.realpath(path), text)
    if mount is not None:
        yield check_mount(mount)
