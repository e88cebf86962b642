"""A virtual machine with a kernel of Debian's, emulated: no support of the processor is needed.

It sees this machine's files through a layer in memory that takes what it writes, so it runs the
same Python and the same library. Its first process is a program of `inside`; what that tells, an
object a line on the second serial port, is what we learn of it. It is up within seconds.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..setting import Tally
from .tools import NotInstalled, need

KERNEL_VARIABLE = "CACHE_TRIALS_KERNEL"
SECONDS = 600  # after which it is switched off
EARLY_MODULES = ("virtio_pci", "virtio_blk", "9pnet_virtio", "9p", "overlay", "ext4")
COMMANDS = ("sh", "mount", "modprobe", "mkdir", "switch_root")

INIT = """#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs dev /dev
for module in {modules}; do modprobe $module; done
mkdir -p /below /above
mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=524288 root /below
mount -t tmpfs none /above; mkdir /above/upper /above/work
mount -t overlay -o lowerdir=/below,upperdir=/above/upper,workdir=/above/work root /new
for place in proc sys dev; do mount --move /$place /new/$place; done
exec switch_root /new /bin/sh {start}
"""
START = """#!/bin/sh
export PATH={path} PYTHONPATH={python_path} LD_PRELOAD={preload} HOME=/root
mkdir -p /lib/modules/{release}
mount --bind {kernel}/lib/modules/{release} /lib/modules/{release}
mount -t tmpfs none /run
ip link set lo up
{python} -m cache_trials.machines.inside {arguments}
echo o > /proc/sysrq-trigger
sleep 60
"""


class Maker:
    """What machines are made of: a kernel and a first file system, prepared in `place`."""

    def __init__(self, place: Path) -> None:
        need("qemu-system-x86_64", "busybox", "depmod", "modprobe", "cpio", "mkfs.ext4")
        folder = os.environ.get(KERNEL_VARIABLE)
        if not folder:
            raise NotInstalled(f"no kernel ({KERNEL_VARIABLE}; see cache_trials.machines)")
        self.place = place
        self.folder = Path(folder).resolve()
        (self.image,) = self.folder.glob("boot/vmlinuz-*")
        self.release = self.image.name.removeprefix("vmlinuz-")
        self.first = place / "first.cpio"
        self._make_first(place / "first")

    @property
    def start(self) -> Path:
        """The script that the first file system hands over to."""
        return self.place / "start.sh"

    def _make_first(self, root: Path) -> None:
        modules = Path("lib", "modules", self.release)
        if not (self.folder / modules / "modules.dep").exists():
            subprocess.run(["depmod", "-b", self.folder, self.release], check=True)
        for name in ("bin", "proc", "sys", "dev", "new", modules):
            (root / name).mkdir(parents=True, exist_ok=True)
        shutil.copy(shutil.which("busybox") or "", root / "bin" / "busybox")
        for name in COMMANDS:
            (root / "bin" / name).symlink_to("busybox")
        for path in (self.folder / modules).glob("modules.*"):
            shutil.copy(path, root / modules)
        for module in EARLY_MODULES:
            loads = subprocess.run(
                ["modprobe", "-d", self.folder, "-S", self.release, "--show-depends", module],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            for word, *rest in map(str.split, loads.splitlines()):
                if word == "insmod":
                    target = root / Path(rest[0]).relative_to(self.folder)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(rest[0], target)
        (root / "init").write_text(INIT.format(modules=" ".join(EARLY_MODULES), start=self.start))
        (root / "init").chmod(0o755)
        names = "\n".join(str(path.relative_to(root)) for path in root.rglob("*"))
        with open(self.first, "wb") as target:
            subprocess.run(
                ["cpio", "--quiet", "-o", "-H", "newc"],
                cwd=root,
                input=names.encode(),
                stdout=target,
                check=True,
            )


class Guest:
    """A machine that runs `inside NAME ARGUMENTS`; a context manager that switches it off."""

    def __init__(
        self, maker: Maker, name: str, *arguments: object, disks: Sequence[Sequence[str]] = ()
    ) -> None:
        maker.start.write_text(
            START.format(
                path=os.environ["PATH"],
                python_path=os.environ.get("PYTHONPATH", ""),
                preload=os.environ.get("LD_PRELOAD", ""),
                release=maker.release,
                kernel=maker.folder,
                python=sys.executable,
                arguments=shlex.join([name, *map(str, arguments)]),
            )
        )
        self._console = maker.place / "console.log"
        command = [
            *("qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max"),
            *("-m", "2048", "-smp", "2", "-nodefaults", "-display", "none", "-no-reboot"),
            *("-kernel", str(maker.image), "-initrd", str(maker.first)),
            *("-append", "console=ttyS0 quiet panic=-1 edd=off"),
            *("-serial", f"file:{self._console}", "-serial", "stdio"),
            "-virtfs",
            "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap",
            *(option for disk in disks for option in disk),
        ]
        self._machine = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        self._watch = threading.Timer(SECONDS, self._machine.kill)
        self._watch.daemon = True
        self._watch.start()

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.cut_power()

    def cut_power(self) -> None:
        """What it had not written to its disks is gone."""
        self._watch.cancel()
        self._machine.kill()
        self._machine.wait()

    def told(self) -> Iterator[dict[str, Any]]:
        """What its program tells, until it is off."""
        assert self._machine.stdout is not None
        for line in self._machine.stdout:
            if line.startswith("{"):
                yield json.loads(line)

    def add_to(self, tally: Tally) -> None:
        """Adds the counts and the broken promises that the program tells in the end."""
        last = (list(self.told()) or [{}])[-1]
        if "broken" not in last:
            raise RuntimeError(f"the guest has told no result:\n{self.console()}")
        tally.counts |= last["counts"]
        tally.broken += last["broken"]

    def console(self) -> str:
        """The end of what was written on its console."""
        return self._console.read_text(errors="replace")[-3000:]
