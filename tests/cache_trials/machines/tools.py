"""Programs that a trial needs, and the packages of Debian that have them."""

from __future__ import annotations

import os
import shutil

PACKAGES = {
    "unshare": "util-linux",
    "ip": "iproute2",
    "munged": "munge",
    "slurmctld": "slurm-wlm",
    "slurmd": "slurm-wlm",
    "sbatch": "slurm-wlm",
    "fusermount3": "fuse3",
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "depmod": "kmod",
    "modprobe": "kmod",
    "cpio": "cpio",
    "mkfs.ext4": "e2fsprogs",
    "rpc.nfsd": "nfs-kernel-server",
    "rpc.mountd": "nfs-kernel-server",
    "exportfs": "nfs-kernel-server",
    "mount.nfs4": "nfs-common",
}


class NotInstalled(Exception):
    """Something that a trial needs is not there; the message says what."""


def need(*programs: str) -> None:
    """Raises `NotInstalled` unless we are root and have them all."""
    if os.geteuid() != 0:
        raise NotInstalled("it needs root")
    # Daemons are where root's shell looks and perhaps not ours.
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        packages = sorted({PACKAGES[program] for program in missing})
        raise NotInstalled(f"no {', '.join(missing)} (Debian: {', '.join(packages)})")
