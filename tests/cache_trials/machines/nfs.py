"""A cache on NFS: two clients' views of a server, each blind for a while to what the other makes.

A client keeps what it knows of a directory, also that a name is not in it, for half a minute and
more. Server and clients are in a virtual machine, each client with a host name and a network of its
own: the server takes two mounts of one host for one client, which knows of its own changes.
"""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from phasic import trace_cache, trace_stores
from phasic._engine.trace import TraceHandle
from phasic.trace_elimination import record_elimination_trace
from rules import queue_graph

from .. import stampede
from ..launch import build_shim
from ..setting import Child, Tally, cache_in, replaced, scratch
from . import hanging
from .guest import Guest, Maker
from .tools import need

BLIND_SECONDS = 30  # for which a client trusts what it knows of a directory
CLIENTS = (Path("/run/client.a"), Path("/run/client.b"))
HOSTS = ("host-a", "host-b")
SERVER = "10.1.0.1"
EXPORTED = Path("/run/exported")


def _in_a_guest(name: str, count: int, planted: bool) -> Tally:
    tally = Tally()
    need("rpc.nfsd", "rpc.mountd", "exportfs", "mount.nfs4")
    with scratch() as place:
        os.environ["LD_PRELOAD"] = str(build_shim(place))
        maker = Maker(place)
        with Guest(maker, name, count, int(planted)) as guest:
            guest.add_to(tally)
    return tally


def new_entry(entries: int, *, planted: bool) -> Tally:
    """`entries` are seen by another client, whether it looks or waits for them, within 1 s."""
    return _in_a_guest("nfs-new-entry", entries, planted)


def one_key(processes: int, *, planted: bool) -> Tally:
    """`processes` of two clients want what takes longer to record than a lease: 1 recording."""
    return _in_a_guest("nfs-one-key", processes, planted)


def hangs(seconds: int, *, planted: bool) -> Tally:
    """The server of the shared cache is silent for `seconds`: a task goes on without it."""
    return _in_a_guest("nfs-hangs", seconds, planted)


# ---- within the machine


def _serve() -> None:
    """Starts the server and mounts what it exports twice."""
    for module in ("nfsd", "nfsv4"):
        subprocess.run(["modprobe", module], check=True)
    for folder in ("/var/lib/nfs/rpc_pipefs", EXPORTED, *CLIENTS):
        os.makedirs(folder, exist_ok=True)
    mounts = [
        ["-t", "rpc_pipefs", "none", "/var/lib/nfs/rpc_pipefs"],
        ["-t", "nfsd", "none", "/proc/fs/nfsd"],
        ["-t", "tmpfs", "-o", "mode=0700", "none", str(EXPORTED)],
    ]
    for mount in mounts:
        subprocess.run(["mount", *mount], check=True)
    Path("/etc/exports").write_text(f"{EXPORTED} *(rw,sync,no_subtree_check,no_root_squash,fsid=0)")
    subprocess.run(["exportfs", "-ra"], check=True)
    _set_server(1)
    subprocess.run(["rpc.mountd", "--no-nfs-version", "3"], check=True)
    _make_network()
    options = f"vers=4.2,nosharecache,acdirmin={BLIND_SECONDS},hard"
    for client, host in zip(CLIENTS, HOSTS, strict=True):
        # A client is known to its server by its host's name.
        mount = f"hostname {host} && exec mount -t nfs4 -o {options} {SERVER}:/ {client}"
        subprocess.run(
            ["nsenter", f"--net=/run/netns/{host}", "unshare", "--uts", "sh", "-c", mount],
            check=True,
        )


def _make_network() -> None:
    """A network of the server with each client's host, which is a namespace."""
    commands = ["ip link add server type bridge", f"ip address add {SERVER}/24 dev server"]
    for number, host in enumerate(HOSTS, 2):
        commands += [
            f"ip netns add {host}",
            f"ip link add {host} master server type veth peer name net netns {host}",
            f"ip link set {host} up",
            f"ip -n {host} address add 10.1.0.{number}/24 dev net",
            f"ip -n {host} link set net up",
        ]
    for command in [*commands, "ip link set server up"]:
        subprocess.run(command.split(), check=True)


def _set_server(on: int) -> None:
    threads = str(8 * on)
    options = ["--grace-time", "10", "--lease-time", "10", "--no-nfs-version", "3"]
    subprocess.run(["rpc.nfsd", *(options if on else []), threads], check=True)


def _by_a_plain_open(planted: bool) -> AbstractContextManager[Any]:
    """A name is looked for, and nothing is done about a client that does not ask its server."""

    def load(directory: str, key: bytes) -> TraceHandle | None:
        path = os.path.join(directory, f"{key.hex()}.trace")
        return TraceHandle.load(path) if _opens(path) else None

    return replaced(planted, TraceHandle, load_entry=staticmethod(load))


def _opens(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_RDONLY))
    except FileNotFoundError:
        return False
    return True


def _until(is_so: Any, most: float) -> float:
    """Seconds until something is so; `most` if it is not by then."""
    began = time.monotonic()
    while time.monotonic() - began < most:
        if is_so():
            return time.monotonic() - began
        time.sleep(0.02)
    return most


def see_new_entries(entries: str, planted: str) -> Tally:
    tally = Tally()
    _serve()
    here, there = (client / "cache" for client in CLIENTS)
    here.mkdir(0o700)
    traces = [record_elimination_trace(queue_graph(3 + k)).handle for k in range(int(entries) + 1)]
    most = BLIND_SECONDS + 15

    def publish(trace: TraceHandle) -> None:
        with cache_in(here):
            trace_cache.keep(trace)

    # Without us: a name that was looked for in vain before it was made.
    first = str(there / f"{traces[0].hashes[1].hex()}.trace")
    os.listdir(there)
    _opens(first)
    publish(traces[0])
    blind = _until(lambda: _opens(first), most)
    tally.counts["s that a plain open is blind"] = round(blind, 2)
    tally.must(blind > 5, f"there is blindness to overcome: {blind:.2f} s")

    looked, waited = [], []
    with cache_in(there, cache_lease_seconds=5), _by_a_plain_open(planted == "1"):
        store = trace_stores.trace_store()
        for trace in traces[1:]:
            key = trace.hashes[1].hex()
            tally.must(store.look(key)[0] is None, "it is not there before")
            publish(trace)
            looked.append(_until(lambda key=key: store.look(key)[0] is not None, most))
        for k in range(3):
            waited.append(_wait_for(here, there, 100 + k))
    tally.counts |= {
        "entries looked for": len(looked),
        "s until the last was seen": round(max(looked), 3),
        "waited for": len(waited),
        "s after which a waiter had it": round(max(waited), 3),
    }
    tally.must(max(looked) <= 1, f"who looks sees it within 1 s: {max(looked):.2f} s")
    tally.must(max(waited) <= 1, f"who waits has it within 1 s: {max(waited):.2f} s")
    return tally


def _wait_for(here: Path, there: Path, size: int) -> float:
    """One client waits while the other records; how much later than that one it has the entry."""
    graph = queue_graph(size)
    key = graph.frozen.trace_key

    def record() -> TraceHandle:
        time.sleep(3)
        return record_elimination_trace(graph).handle

    def want(cache: Path) -> dict[str, Any]:
        with cache_in(cache):
            obtained = trace_cache.obtain(key, record)
            return {"recorded": obtained.recorded, "at": time.time()}

    first = Child(lambda: want(here))
    time.sleep(1)
    second = Child(lambda: want(there))
    made, got = first.wait().result, second.wait().result
    if not made or not got or not made["recorded"] or got["recorded"]:
        raise RuntimeError(f"one records and the other waits: {made}, {got}")
    return got["at"] - made["at"]


def want_one_key(processes: str, planted: str) -> Tally:
    tally = Tally()
    _serve()
    caches = [client / "cache" for client in CLIENTS]
    caches[0].mkdir(0o700)
    bug = "no lease" if planted == "1" else ""
    with scratch() as place, stampede.planted_bug(bug):
        herd = stampede.Herd(place, caches, seconds=15.0, cache_lease_seconds=5)
        results = herd.run(int(processes))
        recordings = len(herd.recordings())
    tally.counts |= {"processes": int(processes), "recordings": recordings}
    tally.must(recordings == 1, f"{recordings} recordings, not 1")
    stampede.check_equal(tally, results)
    left = sorted(os.listdir(EXPORTED / "cache"))
    tally.must(len(left) == 1 and left[0].endswith(".trace"), f"nothing is left but it: {left}")
    return tally


def go_on_without(seconds: str, planted: str) -> Tally:
    tally = Tally()
    _serve()
    shared = CLIENTS[0] / "cache"
    shared.mkdir(0o700)
    with scratch() as place:
        hanging.go_on(
            tally,
            place,
            shared,
            int(seconds),
            lambda: _set_server(0),
            lambda: _set_server(1),
            planted=planted == "1",
        )
    return tally
