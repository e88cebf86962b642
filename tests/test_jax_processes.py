"""Models in JAX over several devices, over stored executables, and over several processes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rules import queue_graph
from search_paths import search_path

PROGRAMS = Path(__file__).parent / "jax_programs"
DEVICES = "--xla_force_host_platform_device_count="
THETA, TIMES = [0.7, 1.9], [0.5, 1.5]


def environment(devices: int = 1, **more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": search_path(), "XLA_FLAGS": f"{DEVICES}{devices}",
            "JAX_PLATFORMS": "cpu", **more}  # fmt: skip


def run(program: str, *arguments: str, devices: int = 1, **more: str) -> list[Any]:
    """What a program prints: JSON, line by line."""
    done = subprocess.run(
        [sys.executable, PROGRAMS / f"{program}.py", *arguments],
        env=environment(devices, **more), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


# ---- devices


@pytest.mark.parametrize("devices", [2, 4])
def test_devices_split_the_lanes(devices: int) -> None:
    (said,) = run("devices", devices=devices)
    assert said["devices"] == devices
    assert len(said["report"]) == 8
    for way, found in said["report"].items():
        assert found["error"] < 1e-12, way
        assert (found["calls"], found["lanes"]) == (devices, 8), way


# ---- executables that are stored


def test_an_executable_is_stored_and_loaded_and_refused_without_its_trace(tmp_path: Path) -> None:
    file = str(tmp_path / "executable")
    distribution = queue_graph(4).at(THETA)
    value, slope = distribution.loglik(TIMES, gradient=True)
    (written,) = run("stored", "write", file)
    (loaded,) = run("stored", "load", file)
    assert loaded == written
    assert written[0] == pytest.approx(value, rel=1e-14)
    np.testing.assert_allclose(written[1], slope, rtol=1e-12)
    (refused,) = run("stored", "orphan", file)
    assert "NOT_FOUND" in refused
    assert "TRACE_NOT_FOUND" in refused
    assert queue_graph(4).compute_trace().key[:32] in refused


def test_the_persistent_compilation_cache_works_across_processes(tmp_path: Path) -> None:
    settings = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "0",
    }
    first, first_hits = run("stored", "compile", **settings)
    second, hits = run("stored", "compile", **settings)
    assert first == second
    assert first_hits == 0
    assert hits > 0


# ---- processes


class Namespaces:
    """Network namespaces joined by a bridge: machines of their own, as far as sockets go."""

    def __init__(self, count: int) -> None:
        self.names = [f"phasic{os.getpid()}-{k}" for k in range(count)]
        self.bridge = f"phb{os.getpid()}"
        self.addresses = [f"10.213.7.{k + 1}" for k in range(count)]

    def _ip(self, *arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    def build(self) -> bool:
        """Whether this machine allows it."""
        try:
            self._build()
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    def _build(self) -> None:
        self._ip("link", "add", self.bridge, "type", "bridge")
        self._ip("link", "set", self.bridge, "up")
        for k, name in enumerate(self.names):
            outer, inner = f"phv{os.getpid()}{k}", "eth0"
            self._ip("netns", "add", name)
            self._ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", name)
            self._ip("link", "set", outer, "master", self.bridge, "up")
            self._ip("-n", name, "addr", "add", f"{self.addresses[k]}/24", "dev", inner)
            self._ip("-n", name, "link", "set", inner, "up")
            self._ip("-n", name, "link", "set", "lo", "up")
            # Collectives listen where the host's name leads; "ip netns exec" puts this file there.
            own = Path("/etc/netns", name)
            own.mkdir(parents=True)
            host = socket.gethostname()
            (own / "hosts").write_text(f"127.0.0.1 localhost\n{self.addresses[k]} {host}\n")

    def remove(self) -> None:
        if not shutil.which("ip"):
            return
        for name in self.names:
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
            shutil.rmtree(Path("/etc/netns", name), ignore_errors=True)
        subprocess.run(["ip", "link", "del", self.bridge], check=False, capture_output=True)


@contextlib.contextmanager
def machines(count: int) -> Iterator[list[list[str]]]:
    """How to start a process on each of `count` machines; [] before it where there is but one."""
    spaces = Namespaces(count)
    try:
        yield (
            [["ip", "netns", "exec", name] for name in spaces.names]
            if spaces.build()
            else [[] for _ in range(count)]
        )
    finally:
        spaces.remove()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def run_together(count: int, devices: int, caches: list[Path]) -> list[dict[str, Any]]:
    with machines(count) as prefixes:
        host = "10.213.7.1" if prefixes[0] else "127.0.0.1"
        address = f"{host}:{free_port()}"
        started = [
            subprocess.Popen(
                [*prefixes[k], sys.executable, PROGRAMS / "processes.py", str(k), str(count),
                 address],
                env=environment(devices, PHASIC_CACHE_DIR=str(caches[k])),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            )
            for k in range(count)
        ]  # fmt: skip
        said = []
        for process in started:
            out, error = process.communicate(timeout=300)
            assert process.returncode == 0, error
            said.append(json.loads(out.splitlines()[-1]))
        return said


@pytest.mark.parametrize(("processes", "devices"), [(2, 2), (4, 1)])
@pytest.mark.parametrize("shared", [True, False], ids=["one cache", "own caches"])
def test_processes_give_the_answers_of_one(
    processes: int, devices: int, shared: bool, tmp_path: Path
) -> None:
    (alone,) = run_together(1, 1, [tmp_path / "alone"])
    caches = [tmp_path / ("shared" if shared else str(k)) for k in range(processes)]
    together = run_together(processes, devices, caches)
    for said in together:
        assert said["devices"] == processes * devices
        for way in ("shard_map", "jit"):
            np.testing.assert_allclose(said[way], alone[way], rtol=1e-13)
    traces = [sorted(path.rglob("*.trace")) for path in set(caches)]
    assert all(len(found) == 1 for found in traces), traces
    assert len({found[0].read_bytes() for found in traces}) == 1
