"""What the daemon tells of itself, and what it does unasked."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

import daemons
from cache_state import names
from cli_runner import phasic
from daemons import (
    RUN,
    Variables,
    daemon,
    environment,
    obtain,
    status,
    until,
)
from phasic import PhasicWarning, trace_stores
from phasic.cache import pending
from phasic.cache.directory import CacheDirectory
from phasic.cli.exit_codes import ExitCode
from phasic.daemon import client as client_module
from phasic.daemon import protocol, server
from phasic.daemon.housekeeping import Housekeeper, Pace
from phasic.daemon.metrics import Metrics
from phasic.errors import CacheError
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

# ---- what it tells


SECRET = "hunter2-correct-horse"


def test_secrets_are_told_nobody(variables: Variables, place: Path) -> None:
    secret = {"AWS_SECRET_ACCESS_KEY": SECRET, "PHASIC_SOMETHING_SECRET": SECRET}
    given = environment(**variables, **secret)
    command = [sys.executable, "-m", "phasic.cli"]
    for words in (["daemon", "start"], ["cache", "info"], ["daemon", "unit"]):
        done = subprocess.run([*command, *words], env=given, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert SECRET not in done.stdout + done.stderr
    try:
        obtain(variables, 4)
        pid = status(place)["pid"]
        assert SECRET not in Path(f"/proc/{pid}/cmdline").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        assert children == ""
        for words in (["daemon", "status"], ["daemon", "status", "--metrics"], ["cache", "info"]):
            assert SECRET not in phasic(*words).out
    finally:
        assert phasic("daemon", "stop").code == ExitCode.DONE
    assert SECRET not in phasic("daemon", "logs", "-n", "10000").out
    for path in (place / "state").rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes()


def test_metrics_on_a_loopback_port(variables: Variables, place: Path) -> None:
    from urllib.request import urlopen

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with daemon(variables | {"PHASIC_DAEMON_METRICS_PORT": port}):
        obtain(variables, 4)
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            lines = answer.read().decode().splitlines()
    assert 'phasic_cache_saved_total{tier="shared"} 1' in lines
    values = [line for line in lines if not line.startswith("#")]
    assert all(
        len(line.rsplit(" ", 1)) == 2 and float(line.rsplit(" ", 1)[1]) >= 0 for line in values
    )
    assert len(values) == len({line.rsplit(" ", 1)[0] for line in values})


def test_doctor_looks_at_the_daemon(variables: Variables, place: Path) -> None:
    from phasic.cli.checks.daemon import check_daemon
    from phasic.cli.checks.finding import State

    assert [(one.state, one.found) for one in check_daemon()] == [(State.OK, "none is running")]
    with daemon(variables) as running:
        (found,) = check_daemon()
        assert (found.state, str(running.process.pid) in found.found) == (State.OK, True)
        running.kill()
    (found,) = check_daemon()
    assert found.state is State.ADVICE
    assert "daemon start" in found.advice


def test_patience_exceeds_the_beat() -> None:
    assert client_module.PATIENCE_SECONDS > 5 * server.TICK_SECONDS


@pytest.mark.measured
def test_a_beat_waits_for_nobody() -> None:
    ours, theirs = socket.socketpair()
    with theirs, protocol.Connection(ours) as connection:
        connection.send("status", 5.0)
        began = time.monotonic()
        for _ in range(5000):  # more than the kernel takes unread
            connection.beat()
        assert time.monotonic() - began < 2
        with pytest.raises(CacheError, match="takes no message"):
            connection.send("kept", 0.2, text="x" * 60_000)
    connection.beat()  # closed: nothing


# ---- housekeeping


def test_what_is_damaged_is_found_and_limits_are_kept(
    variables: Variables, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [obtain_trace(queue_graph(size))[0].key for size in (4, 5, 6)]
    path = place / "cache" / f"{keys[1]}.trace"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    metrics = Metrics()
    pace = Pace(drain=0.1, collect=0.1, scrub=0.1, scrub_bytes=1e9)
    keeper = Housekeeper(trace_stores.served_tiers(), metrics, pace)

    def kept_house() -> None:
        keeper.begin()
        until(lambda: metrics.read()["scrubbed_damaged"] == 1)
        until(lambda: metrics.read()["scrubbed"] > 3)
        keeper.stop(20)

    with pytest.warns(PhasicWarning, match="CACHE_ENTRY_BAD"):
        kept_house()
    assert len(names(place / "cache" / ".quarantine")) == 1
    assert metrics.read()["collections"] > 0
    assert metrics.read()["evicted"] == 0
    monkeypatch.setenv("PHASIC_CACHE_HIGH_BYTES", "1")
    keeper = Housekeeper(trace_stores.served_tiers(), metrics, pace)
    keeper.begin()
    until(lambda: metrics.read()["evicted"] == 2)
    keeper.stop(20)
    assert [name for name in names(place / "cache") if name.endswith(".trace")] == []


def test_scrubbing_is_as_slow_as_it_is_told(variables: Variables, place: Path) -> None:
    n_bytes = obtain_trace(queue_graph(4))[0].n_bytes
    obtain_trace(queue_graph(5))
    metrics = Metrics()
    pace = Pace(collect=0.01, scrub=0.01, scrub_bytes=n_bytes / 60)
    keeper = Housekeeper(trace_stores.served_tiers(), metrics, pace)
    keeper.begin()
    until(lambda: metrics.read()["scrubbed"] == 1)
    time.sleep(0.5)  # the next is due after a minute
    keeper.stop(20)
    assert metrics.read()["scrubbed"] == 1


def test_a_forked_child_keeps_no_lease_alive(variables: Variables, place: Path) -> None:
    """The client forks while it records, and is killed: its child lives on without the lease."""
    program = (
        "import os, time\n"
        "import phasic.trace_elimination as module\n"
        "def record(*given, **named):\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        time.sleep(60)\n"
        "        os._exit(0)\n"
        "    open(os.environ['PHASIC_STATE_DIR'] + '/child', 'w').write(str(child))\n"
        "    time.sleep(60)\n"
        "module.record_elimination_trace = record\n"
    )
    note = place / "state" / "child"
    with daemon(variables):
        client = daemons.Client(variables, 4, program + daemons.CLIENT)
        until(lambda: note.exists() and note.read_text() != "")
        client.process.kill()
        child = int(note.read_text())
        try:
            until(lambda: status(place)["counts"]["lost_clients"] == 1)
            assert Path(f"/proc/{child}").exists()
        finally:
            os.kill(child, 9)
            client.process.communicate()


@pytest.mark.measured
def test_it_starts_though_the_shared_directory_does_not_answer(
    variables: Variables, place: Path
) -> None:
    program = (
        "import os, sys, threading\n"
        "usual = os.stat\n"
        "def stat(path, *given, **named):\n"
        "    if str(path).endswith('shared'):\n"
        "        threading.Event().wait()\n"
        "    return usual(path, *given, **named)\n"
        "os.stat = stat\n"
    ) + RUN
    key = obtain(variables | {"PHASIC_CACHE_SHARED_DIR": ""}, 4)["key"]
    pending.mark(CacheDirectory(str(place / "cache"), ".trace"), key)  # something to do there
    began = time.monotonic()
    with daemon(variables, program):
        assert status(place)["pending"] is True
        assert time.monotonic() - began < 5
