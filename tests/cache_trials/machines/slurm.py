"""An array of tasks under SLURM, on two nodes that are one machine, all of which want one trace.

Each node has process numbers and a host name of its own, as machines have; processes of two nodes
may have the same number.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..setting import Tally, cache_in, scratch
from .namespaces import ADDRESS
from .tools import need

NODES = ("n1", "n2")
CORES = 8  # of a node, as it is told: tasks at a time
START_SECONDS = 60
RUN_SECONDS = 1500

# A walk on a grid out of one corner into the other: quickly explored, slowly recorded.
MODEL = """
import numpy as np

from phasic import Graph

SIDE = 200


def rule(states):
    x, y = states.T
    sources, targets = [], []
    for dx, dy in (1, 0), (-1, 0), (0, 1), (0, -1):
        u, v = x + dx, y + dy
        inside = (x >= 0) & (u >= 0) & (u < SIDE) & (v >= 0) & (v < SIDE)
        (leaving,) = np.nonzero(inside & ~((x == SIDE - 1) & (y == SIDE - 1)))
        sources.append(leaving)
        targets.append(np.stack([u, v], axis=1)[leaving])
    source = np.concatenate(sources)
    ones = np.ones((source.size, 1))
    return source, np.concatenate(targets).astype(np.int32), np.zeros(source.size), ones


def model():
    return Graph(rule=rule, start=[((0, 0), 1.0, [0.0])], n_parameters=1)
"""
NO_LEASE = """
from phasic.cache.lease import Lease, Turn

Lease.ask = lambda self: Turn.OURS
"""

TASK = """#!/bin/sh
PHASIC_CACHE_DIR={cache}
export PHASIC_CACHE_DIR
echo "$SLURMD_NODENAME" > "{place}/node.$SLURM_ARRAY_TASK_ID"
exec "{python}" -m phasic.cli evaluate "{place}/model.py:model" --theta 1.0 --moments 3 \\
    > "{place}/out.$SLURM_ARRAY_TASK_ID" 2> "{place}/said.$SLURM_ARRAY_TASK_ID"
"""

CONFIGURATION = """
ClusterName=trial
SlurmctldHost={host}({address})
AuthType=auth/munge
AuthInfo=socket={place}/munge/socket
SlurmUser=root
SlurmctldPort=6817
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool.%n
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.%n.pid
ProctrackType=proctrack/linuxproc
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
TaskPlugin=task/none
ReturnToService=2
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
NodeName={names} NodeAddr={address} Port={ports} CPUs={cores} RealMemory=64000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def cluster(place: Path) -> Iterator[None]:
    """Two nodes that take jobs within the block, with their files and logs in `place`."""
    need("munged", "slurmctld", "slurmd", "sbatch")
    _name_hosts(place)
    (place / "munge").mkdir(mode=0o755)
    (place / "munge" / "key").write_bytes(os.urandom(1024))
    (place / "munge" / "key").chmod(0o400)
    (place / "state").mkdir()
    configuration = place / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            place=place,
            host=os.uname().nodename,
            address=ADDRESS,
            names=f"{NODES[0][0]}[1-{len(NODES)}]",
            ports=f"[6818-{6817 + len(NODES)}]",
            cores=CORES,
        )
    )
    os.environ["SLURM_CONF"] = str(configuration)
    files = [f"--{name}-file={place}/munge/{name}" for name in ("key", "pid", "log", "seed")]
    commands = {
        "munged": ["munged", "--foreground", "--force", f"--socket={place}/munge/socket", *files],
        "slurmctld": ["slurmctld", "-D", "-f", configuration],
    } | {node: _node(node, configuration) for node in NODES}
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        for name, command in commands.items():
            (place / f"spool.{name}").mkdir()
            with open(place / f"{name}.log", "wb") as log:
                daemons.append(
                    subprocess.Popen(
                        command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                    )
                )
            if name == "munged":
                _wait_until(place, (place / "munge" / "socket").exists)
        _wait_until(place, _all_idle)
        yield
    finally:
        for daemon in reversed(daemons):
            daemon.kill()  # a node is the first process of its namespace: all die with it
            daemon.wait()


def _name_hosts(place: Path) -> None:
    """Gives the nodes names, for those who ask for each other's address."""
    hosts = place / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{ADDRESS} {node}\n" for node in NODES))
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)


def _node(name: str, configuration: Path) -> list[str]:
    apart = ["--pid", "--mount", "--uts", "--fork", "--kill-child", "--mount-proc"]
    start = f'hostname {name} && exec slurmd -D -f "{configuration}" -N {name}'
    return ["unshare", *apart, "sh", "-c", start]


def _all_idle() -> bool:
    asked = subprocess.run(
        ["sinfo", "--noheader", "--Node", "--format=%T"],
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.returncode == 0 and asked.stdout.split() == ["idle"] * len(NODES)


def _wait_until(place: Path, is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + START_SECONDS
    while not is_so():
        if time.monotonic() > end:
            logs = "\n".join(path.read_text()[-1000:] for path in place.glob("*.log"))
            raise RuntimeError(f"the cluster is not ready after {START_SECONDS} s:\n{logs}")
        time.sleep(0.1)


def one_directory(tasks: int, *, planted: bool) -> Tally:
    """`tasks` with one cache directory: 1 recording."""
    tally = Tally()
    with scratch() as place:
        cache = place / "cache"
        cache.mkdir(0o700)
        _run(tally, place, tasks, str(cache), planted)
        _check_only(tally, cache)
    return tally


def local_caches(tasks: int, *, planted: bool) -> Tally:
    """`tasks` with one cache directory a node and a shared one behind them: 1 recording."""
    tally = Tally()
    with scratch() as place:
        shared = place / "shared"
        shared.mkdir(0o700)
        with cache_in(place / "unused", cache_shared_dir=shared):
            _run(tally, place, tasks, f"{place}/local.$SLURMD_NODENAME", planted)
        entry = _check_only(tally, shared)
        for node in NODES:
            _check_only(tally, place / f"local.{node}", entry)
    return tally


def _run(tally: Tally, place: Path, tasks: int, cache: str, planted: bool) -> None:
    """Runs the array; its outputs are equal and right, and it has recorded once."""
    (place / "model.py").write_text(MODEL + (NO_LEASE if planted else ""))
    task = place / "task.sh"
    task.write_text(TASK.format(place=place, cache=cache, python=sys.executable))
    alone = subprocess.run(
        [sys.executable, "-m", "phasic.cli", "evaluate", f"{place}/model.py:model"]
        + ["--theta", "1.0", "--moments", "3"],
        env={**os.environ, "PHASIC_DISABLE_CACHE": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    with cluster(place), cache_in(place / "unused", debug=1):
        began = time.monotonic()
        del os.environ["PHASIC_CACHE_DIR"]
        subprocess.run(
            ["sbatch", "--wait", f"--array=1-{tasks}", "--output=/dev/null", task],
            check=False,  # it ends as the worst of its tasks: see what they wrote
            timeout=RUN_SECONDS,
            stdout=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - began
    outputs = Counter(path.read_text() for path in place.glob("out.*"))
    nodes = Counter(path.read_text().strip() for path in place.glob("node.*"))
    said = [line for path in place.glob("said.*") for line in path.read_text().splitlines()]
    others = [line for line in said if not line.startswith("phasic: ")]
    recordings = sum(line.startswith("phasic: recorded: ") for line in said)
    tally.counts |= {
        "tasks": outputs.total(),
        **{f"of them on {node}": nodes[node] for node in NODES},
        "recordings": recordings,
        "different outputs": len(outputs),
        "s": round(seconds),
    }
    tally.must(outputs.total() == tasks, f"{outputs.total()} of {tasks} tasks ran")
    tally.must(min(nodes[node] for node in NODES) > tasks // 4, f"on both nodes: {nodes}")
    tally.must(recordings == 1, f"{recordings} recordings, not 1")
    tally.must(not others, f"nobody has a reason to say anything: {others[:3]}")
    tally.must(set(outputs) == {alone}, f"all are as without a cache: {list(outputs)[:2]}")


def _check_only(tally: Tally, cache: Path, expected: bytes | None = None) -> bytes:
    """The one thing in a cache; it is the entry `expected`, if one is."""
    left = sorted(path.name for path in cache.iterdir())
    tally.must(
        len(left) == 1 and re.fullmatch(r"[0-9a-f]{64}\.trace", left[0]) is not None,
        f"nothing is left in {cache.name} but an entry: {left}",
    )
    entry = (cache / left[0]).read_bytes() if left else b""
    tally.must(expected in (None, entry), f"{cache.name}: it is a copy")
    return entry
