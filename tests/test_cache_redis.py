"""Leases among machines that share no directory, by a Redis of our own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import redis_servers
from cli_runner import phasic
from fake_s3 import FakeS3
from phasic import PhasicWarning, errors, remote_settings, trace_cache, trace_stores
from phasic.cache.counts import Counts
from phasic.cache.lease import Turn
from phasic.cache.redis_lease import RedisLeases
from phasic.errors import ConfigError, DependencyError
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

redis = pytest.importorskip("redis")
pytest.importorskip("obstore")
pytest.importorskip("zstandard")
pytestmark = pytest.mark.skipif(redis_servers.SERVER is None, reason="no redis-server here")

TERM = 0.4
SECRET = "planted-secret-of-redis"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_servers.serving(tmp_path_factory.mktemp("r")) as url:
        yield url


def leases(url: str, folder: Path, term: float = TERM, **more: str) -> RedisLeases:
    counts = Counts(str(folder / "counts"), url)
    given = {"user": "", "password_file": "", "space": folder.name, **more}
    return RedisLeases(url, term=term, seconds=0.5, counts=counts, **given)


# ---- a lease


def test_a_lease_has_one_holder_until_it_is_given_back(server: str, tmp_path: Path) -> None:
    among = leases(server, tmp_path)
    first, second, other = among("key"), among("key"), among("another")
    assert [first.ask(), second.ask(), other.ask()] == [Turn.OURS, Turn.TAKEN, Turn.OURS]
    time.sleep(2.5 * TERM)  # it is renewed all along
    assert second.ask() is Turn.TAKEN
    second.release()  # it is not theirs
    assert among("key").ask() is Turn.TAKEN
    first.release()
    third = among("key")
    assert third.ask() is Turn.OURS
    first.release()  # not ours any more
    assert among("key").ask() is Turn.TAKEN
    for lease in (third, other):
        lease.release()
    assert "phasic-lease" not in {thread.name for thread in threading.enumerate()}


def test_spaces_are_apart(server: str, tmp_path: Path) -> None:
    one, two = leases(server, tmp_path, space="one"), leases(server, tmp_path, space="two")
    held = [one("key"), two("key")]
    assert [lease.ask() for lease in held] == [Turn.OURS] * 2
    for lease in held:
        lease.release()


def test_who_waits_hears_it_at_once(server: str, tmp_path: Path) -> None:
    among = leases(server, tmp_path, term=60.0)
    holder, waiting = among("key"), [among("key") for _ in range(5)]
    assert holder.ask() is Turn.OURS
    for lease in waiting:
        assert lease.ask() is Turn.TAKEN
        lease.pause(0.01)  # listens
    heard: list[float] = []

    def wait(lease) -> None:
        while lease.ask() is Turn.TAKEN:
            lease.pause(30.0)
        heard.append(time.monotonic())

    threads = [threading.Thread(target=wait, args=(lease,)) for lease in waiting]
    for thread in threads:
        thread.start()
    time.sleep(0.2)
    assert heard == []
    released = time.monotonic()
    holder.release()
    for thread in threads:
        thread.join(20)
    assert len(heard) == 5
    assert max(heard) - released < 1.0
    for lease in waiting:
        lease.release()


def test_a_killed_holder_has_one_successor(server: str, tmp_path: Path) -> None:
    among = leases(server, tmp_path)
    client = redis.Redis.from_url(server)
    client.set(f"phasic:{tmp_path.name}:key", "somebody's token", px=round(1000 * TERM))
    waiting = [among("key") for _ in range(10)]
    assert {lease.ask() for lease in waiting} == {Turn.TAKEN}
    time.sleep(1.5 * TERM)
    turns = [lease.ask() for lease in waiting]
    assert (turns.count(Turn.OURS), turns.count(Turn.TAKEN)) == (1, 9)
    for lease in waiting:
        lease.release()
    assert client.keys(f"phasic:{tmp_path.name}:*") == []
    client.close()


# ---- machines

MACHINE = """
import json, os, sys, time, warnings
from phasic import errors, trace_cache, trace_stores
from phasic.models import coalescent
from phasic.trace_elimination import record_elimination_trace

graph = coalescent.kingman(6)
trace = record_elimination_trace(graph)

def record():
    with open(os.environ["RECORDINGS"], "ab", buffering=0) as log:
        log.write(b"x")
    time.sleep(float(os.environ["RECORDING_SECONDS"]))
    return trace.handle

print("ready", flush=True)
sys.stdin.readline()
warnings.simplefilter("ignore")
found = trace_cache.obtain(bytes.fromhex(trace.key), record)
print(json.dumps([found.value.hashes[1].hex() == trace.key, found.kept, errors.warning_counts()]))
"""


def stampede(
    folder: Path, machines: int, processes: int, seconds: float = 0.5
) -> tuple[int, list[list[object]], list[bytes]]:
    """Recordings made, what each process said, and the entries of each machine's cache."""
    log = folder / "recordings"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", MACHINE],
            env={
                **os.environ,
                "PHASIC_CACHE_DIR": str(folder / f"machine{number % machines}"),
                "PHASIC_STATE_DIR": str(folder / f"state{number % machines}"),
                "RECORDINGS": str(log),
                "RECORDING_SECONDS": str(seconds),
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(machines * processes)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [json.loads(process.communicate(timeout=120)[0]) for process in started]
    entries = [
        path.read_bytes()
        for number in range(machines)
        for path in (folder / f"machine{number}").glob("*.trace")
    ]
    return len(log.read_bytes()), said, entries


def test_of_two_machines_with_eight_processes_each_one_records(
    server: str, storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_CACHE_REDIS_URL", server)
    recordings, said, entries = stampede(tmp_path, machines=2, processes=8)
    print(f"2 machines x 8 processes: {recordings} recordings")
    assert recordings == 1
    assert said == [[True, True, {}]] * 16
    assert len(entries) == 2
    assert entries[0] == entries[1]
    assert len(storage.objects) == 1


def test_without_leases_every_machine_records(storage: FakeS3, tmp_path: Path) -> None:
    recordings, said, entries = stampede(tmp_path, machines=2, processes=2)
    assert recordings == 2
    assert said == [[True, True, {}]] * 4
    assert entries[0] == entries[1]
    assert len(storage.objects) == 1


# ---- without it


def counted() -> int:
    among = trace_stores.leases()
    assert among is not None
    return among.counts.read()["unavailable"]


def goes_without(told: str) -> None:
    """Recording works; what is said is one warning, and one count."""
    with pytest.warns(PhasicWarning) as said:
        _, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    assert len(said) == 1
    message = str(said[0].message)
    assert told in message
    assert "leases in Redis cannot be used" in message
    assert SECRET not in message
    obtain_trace(queue_graph(5))  # it is not asked, and that was said
    assert counted() == 1


def test_one_that_is_down(storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASIC_CACHE_REDIS_URL", f"unix://{tmp_path}/nothing")
    goes_without("cannot be connected to")
    assert len(storage.objects) == 2


def test_one_that_does_not_answer(storage: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setenv("PHASIC_CACHE_REDIS_URL", f"redis://127.0.0.1:{port}/0")
        monkeypatch.setenv("PHASIC_CACHE_DEADLINE_SECONDS", "1")
        began = time.monotonic()
        goes_without("does not answer in time")
        assert time.monotonic() - began < 8


def test_one_that_dies_meanwhile(
    storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with redis_servers.serving(tmp_path) as url:
        monkeypatch.setenv("PHASIC_CACHE_REDIS_URL", url)
        assert obtain_trace(queue_graph())[1]
    with pytest.warns(PhasicWarning, match="leases in Redis cannot be used"):
        assert obtain_trace(queue_graph(5))[1]
    assert (counted(), len(storage.objects)) == (1, 2)


def test_a_holder_elsewhere_that_keeps_nothing_is_waited_for_no_longer(
    server: str, storage: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_CACHE_REDIS_URL", server)
    monkeypatch.setenv("PHASIC_CACHE_WAIT_SECONDS", "0.5")
    among, key = trace_stores.leases(), queue_graph().compute_trace().key
    storage.objects.clear()
    trace_cache.clear_trace_cache()
    assert among is not None
    holder = among(key)
    assert holder.ask() is Turn.OURS
    with pytest.warns(PhasicWarning, match="CACHE_WAIT_ENDED"):
        assert obtain_trace(queue_graph())[1]
    holder.release()


# ---- passwords


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[str]:
    options = tmp_path / "options"
    options.write_text(f"requirepass {SECRET}\n")
    with redis_servers.serving(tmp_path, options) as url:
        yield url


def test_a_password_from_the_environment(
    locked: str, storage: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_CACHE_REDIS_URL", locked)
    goes_without("refuses the password, or asks for one")
    remote_settings._leases.cache_clear()
    monkeypatch.setenv("REDISCLI_AUTH", SECRET)
    assert obtain_trace(queue_graph(6))[1]
    assert counted() == 1  # no more
    monkeypatch.setenv("REDISCLI_AUTH", "wrong")
    remote_settings._leases.cache_clear()
    with pytest.warns(PhasicWarning, match="refuses the password"):
        obtain_trace(queue_graph(7))


def test_a_password_from_a_file(locked: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n")
    file.chmod(0o644)
    with pytest.raises(ConfigError, match="not its owner's alone") as caught:
        leases(locked, tmp_path, password_file=str(file)).problem()
    assert caught.value.code == "CONFIG_SECRET"
    assert SECRET not in str(caught.value)
    file.chmod(0o600)
    among = leases(locked, tmp_path, password_file=str(file))
    assert among.problem() is None
    assert SECRET not in "".join(map(str, os.environ.items()))
    with pytest.raises(ConfigError, match="cannot be read: FileNotFoundError"):
        leases(locked, tmp_path, password_file=str(tmp_path / "none")).problem()
    assert "refuses the password" in str(leases(locked, tmp_path).problem())


def test_info_tells_of_it_and_not_its_password(
    locked: str, storage: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_CACHE_REDIS_URL", locked)
    remote_settings._leases.cache_clear()
    outcome = phasic("cache", "info", "--json")
    told = outcome.envelope["data"]["leases"]
    assert (told["url"], told["unavailable"]) == (locked, 0)
    assert "refuses the password" in told["problem"]
    monkeypatch.setenv("REDISCLI_AUTH", SECRET)
    remote_settings._leases.cache_clear()
    shown = [phasic(*command) for command in (["cache", "info", "--json"], ["config", "list"])]
    assert shown[0].envelope["data"]["leases"]["problem"] is None
    for outcome in shown:
        assert SECRET not in outcome.out + outcome.err


def test_a_package_that_is_not_installed(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("phasic.cache.redis_lease.find_spec", lambda name: None)
    with pytest.raises(DependencyError, match="package redis, which is not") as caught:
        leases(server, tmp_path)
    assert "phasic[redis]" in str(caught.value)
    assert errors.warning_counts() == {}
