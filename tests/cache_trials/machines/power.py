"""The power fails while entries are published: what was acknowledged is there, and whole.

A virtual machine publishes on a disk of its own and tells each key that is kept; then it is killed.
Lost are its memory and what its disk had not been told to flush: the disk's writes are logged, and
replayed up to the last flush.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import random
import shutil
import struct
import subprocess
import time
from pathlib import Path
from typing import Any

from phasic import trace_stores
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

from .. import wide
from ..setting import Tally, cache_in, scratch
from .guest import Guest, Maker

DISK_BYTES = 256 << 20
LOG_BYTES = 1 << 30  # sparse
MOST_KEYS = 60  # acknowledged before the power fails
PUBLISHERS = 2

# The log of qemu's driver `blklogwrites`, which is that of Linux's dm-log-writes.
_SECTOR = 512
_MAGIC = 0x6A736677736872
_DISCARD = 4
_SUPER = struct.Struct("<QQQI")
_ENTRY = struct.Struct("<QQQQ")

# The bug: nothing is flushed when it is asked for.
NO_FSYNC = """
int fsync(int file) { (void)file; return 0; }
int fdatasync(int file) { (void)file; return 0; }
"""


def cut(cuts: int, *, planted: bool) -> Tally:
    """`cuts` times; then all disks are looked at."""
    tally = Tally()
    chance = random.Random(1)
    with scratch() as place:
        maker = Maker(place)
        fresh = place / "fresh"
        with open(fresh, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", fresh], check=True)
        library = _no_fsync(place) if planted else None
        before = os.environ.get("LD_PRELOAD", "")
        os.environ["LD_PRELOAD"] = os.pathsep.join(filter(None, [before, library]))
        disks = [_publish_until_cut(maker, fresh, number, chance) for number in range(cuts)]
        os.environ["LD_PRELOAD"] = before
        tally.counts |= {"power cuts": cuts}
        options = [["-drive", f"file={disk},if=virtio,format=raw,cache=unsafe"] for disk in disks]
        with Guest(maker, "verify", place, cuts, disks=options) as guest:
            guest.add_to(tally)
    return tally


def _no_fsync(place: Path) -> str:
    library = place / "no_fsync.so"
    compiler = os.environ.get("CC", "cc")
    command = [compiler, "-shared", "-fPIC", "-x", "c", "-", "-o", library]
    subprocess.run(command, input=NO_FSYNC, text=True, check=True)
    return str(library)


def _publish_until_cut(maker: Maker, fresh: Path, number: int, chance: random.Random) -> Path:
    """The disk as it is after the cut; `acknowledged.NUMBER` has the digests by key."""
    disk, log = maker.place / f"disk.{number}", maker.place / "log"
    shutil.copy(fresh, disk)
    with open(log, "wb") as file:
        file.truncate(LOG_BYTES)
    options = [
        *("-blockdev", f"driver=file,filename={disk},node-name=disk"),
        *("-blockdev", f"driver=file,filename={log},node-name=log"),
        *("-blockdev", "driver=blklogwrites,file=disk,log=log,node-name=logged"),
        *("-device", "virtio-blk-pci,drive=logged,write-cache=on"),
    ]
    acknowledged: dict[str, str] = {}
    last = chance.randint(MOST_KEYS // 4, MOST_KEYS)
    with Guest(maker, "publish", disks=[options]) as guest:
        for told in guest.told():
            acknowledged[told["key"]] = told["digest"]
            if len(acknowledged) >= last:
                break
        else:
            raise RuntimeError(f"the guest has ended by itself:\n{guest.console()}")
        time.sleep(chance.uniform(0.0, 0.2))
        guest.cut_power()
        # What it told in its last moments is acknowledged too.
        acknowledged |= {told["key"]: told["digest"] for told in guest.told()}
    shutil.copy(fresh, disk)
    _replay(log, disk)
    (maker.place / f"acknowledged.{number}").write_text(json.dumps(acknowledged))
    return disk


def _replay(log: Path, disk: Path) -> None:
    """Makes the writes to a disk that were flushed."""
    with open(log, "rb") as source, open(disk, "r+b") as target:
        # The number of entries is brought up to date by a flush, and is so that of the last one.
        magic, _, entries, sector = _SUPER.unpack(source.read(_SUPER.size))
        if magic != _MAGIC or sector != _SECTOR or not entries:
            raise RuntimeError(f"no log of writes: {magic:x}, {entries} entries")
        position = _SECTOR
        for _ in range(entries):
            source.seek(position)
            at, sectors, flags, more = _ENTRY.unpack(source.read(_ENTRY.size))
            position += _SECTOR + more
            if flags & _DISCARD or not sectors:
                continue
            source.seek(position)
            target.seek(at * _SECTOR)
            target.write(source.read(sectors * _SECTOR))
            position += sectors * _SECTOR


# ---- within the machine


def _graph(number: int) -> Any:
    return wide.graph(100_000 + 4096 * number) if number % 4 == 0 else queue_graph(3 + number)


def _mount(disk: str, place: Path) -> None:
    place.mkdir()
    subprocess.run(["mount", "-t", "ext4", disk, place], check=True)


def _settings() -> dict[str, object]:
    return {"state_dir": "/run/state"}


def publish_for_ever() -> Tally:
    """Records and tells, in several processes, until the power fails."""
    from .inside import tell

    place = Path("/run/disk")
    _mount("/dev/vda", place)
    own = next((k for k in range(1, PUBLISHERS) if os.fork() == 0), 0)
    with cache_in(place / "cache", **_settings()):
        for number in itertools.count(own, PUBLISHERS):
            obtained = obtain_trace(_graph(number))
            if not obtained.kept:
                raise RuntimeError("not kept")
            digest = hashlib.sha256(obtained.trace.to_bytes()).hexdigest()
            tell(key=obtained.trace.key, digest=digest)
    raise AssertionError("it never ends")


def verify(place: str, disks: str) -> Tally:
    """Looks at all disks."""
    tally = Tally()
    tally.counts |= {
        "acknowledged": 0,
        "of them lost": 0,
        "torn": 0,
        "not acknowledged but there": 0,
    }
    for number in range(int(disks)):
        at = Path(f"/run/disk.{number}")
        _mount(f"/dev/vd{chr(ord('a') + number)}", at)
        expected = json.loads(Path(place, f"acknowledged.{number}").read_text())
        with cache_in(at / "cache", **_settings()):
            store = trace_stores.trace_store()
            there = {entry.key for entry in store.directory.entries()}
            for key in there | set(expected):
                trace, problem = store.look(key)
                tally.counts["acknowledged"] += key in expected
                tally.counts["not acknowledged but there"] += key not in expected
                if key not in there:
                    tally.counts["of them lost"] += 1
                elif trace is None or (
                    key in expected and hashlib.sha256(trace.encode()).hexdigest() != expected[key]
                ):
                    tally.counts["torn"] += 1
                    tally.must(False, f"cut {number}: {problem}")
    tally.must(tally.counts["acknowledged"] > 0, "something was acknowledged")
    tally.must(not tally.counts["of them lost"], "no acknowledged entry is lost")
    return tally
