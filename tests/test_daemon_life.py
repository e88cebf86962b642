"""The daemon starts once, ends by signal, request or idleness, and by systemd."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from cache_state import names
from cli_runner import phasic
from daemons import (
    Daemon,
    Variables,
    daemon,
    obtain,
    status,
    until,
)
from phasic import daemon_settings, trace_stores
from phasic.cache import pending
from phasic.cache.directory import CacheDirectory
from phasic.cli.exit_codes import ExitCode
from phasic.daemon.housekeeping import Housekeeper, Pace
from phasic.daemon.metrics import Metrics
from phasic.errors import ConfigError
from search_paths import search_path


def test_start_status_stop(
    variables: Variables, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert phasic("daemon", "status").code == ExitCode.NO
    started = phasic("daemon", "start", "--json").envelope["data"]
    try:
        assert started["state"] == "started"
        again = phasic("daemon", "start", "--json").envelope["data"]
        assert (again["state"], again["pid"]) == ("running already", started["pid"])
        shown = phasic("daemon", "status", "--json").envelope["data"]
        assert (shown["state"], shown["pid"]) == ("running", started["pid"])
        assert shown["places"] == daemon_settings.served(trace_stores.places())
        with monkeypatch.context() as other:
            other.setenv("PHASIC_CACHE_SHARED_DIR", str(place / "elsewhere"))
            error = phasic("daemon", "start", "--json").envelope["error"]
            assert error["code"] == "DAEMON_OTHER_CACHE"
            assert "phasic daemon stop && phasic daemon start" in error["hint"]
        assert "phasic_daemon_requests_total" in phasic("daemon", "status", "--metrics").out
    finally:
        stopped = phasic("daemon", "stop", "--json").envelope["data"]
    assert stopped == {"state": "stopped", "pid": started["pid"]}
    assert names(place / "d") == ["lock"]
    assert phasic("daemon", "stop").fields["state"] == "not running"
    log = phasic("daemon", "logs").out
    assert log.count("started: process") == 1
    assert log.count("stopped") == 1
    assert (place / "state" / "daemon" / f"{os.uname().nodename}.log").stat().st_mode & 0o77 == 0


def test_of_two_that_start_one_wins(variables: Variables, place: Path) -> None:
    both = [Daemon(variables, wait=False) for _ in range(4)]
    until(lambda: sum(one.process.poll() is None for one in both) == 1)
    (winner,) = [one for one in both if one.process.poll() is None]
    winner.await_socket()
    assert status(place)["pid"] == winner.process.pid
    for one in both:
        if one is not winner:
            out, _ = one.process.communicate()
            assert json.loads(out)["error"]["code"] == "DAEMON_RUNNING"
            assert one.process.returncode == ExitCode.ENVIRONMENT
    code, _, err = winner.end()
    assert (code, err) == (0, "")


def test_the_socket_of_a_killed_daemon_is_replaced(variables: Variables, place: Path) -> None:
    with daemon(variables) as first:
        first.kill()
    with daemon(variables) as second:
        assert status(place)["pid"] == second.process.pid


def test_an_idle_daemon_ends(variables: Variables, place: Path) -> None:
    with daemon(variables | {"PHASIC_DAEMON_IDLE_SECONDS": 1}) as running:
        obtain(variables, 4)
        running.process.wait(20)
        assert running.process.returncode == 0
    assert names(place / "d") == ["lock"]


def test_a_mark_of_what_is_gone_keeps_none_alive(variables: Variables, place: Path) -> None:
    (place / "cache").mkdir(mode=0o700)
    pending.mark(CacheDirectory(str(place / "cache"), ".trace"), "0" * 64)
    with daemon(variables | {"PHASIC_DAEMON_IDLE_SECONDS": 1}) as running:
        assert running.process.wait(timeout=30) == 0


def test_modules_of_the_directory_where_it_is_started_are_not_its_own(
    variables: Variables, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user's `queue.py`, which the standard library has too."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("PYTHONPATH", search_path())
    (place / "queue.py").write_text("raise SystemExit('the wrong module')\n")
    assert phasic("daemon", "start").fields["state"] == "started"
    assert phasic("daemon", "stop").fields["state"] == "stopped"
    assert '"-P"' in phasic("daemon", "unit").out


def test_a_runtime_directory_that_is_not_ours_is_not_taken(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under sudo, or a relative one, which is to be ignored by the specification."""
    monkeypatch.setenv("PHASIC_STATE_DIR", str(place / "state"))
    fallback = str(place / "state" / "daemon" / os.uname().nodename)
    monkeypatch.chdir(place)
    (place / "run").mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place / "run"))
    assert daemon_settings.place().folder == str(place / "run" / "phasic")
    for other in ("run", str(place / "none"), ""):
        monkeypatch.setenv("XDG_RUNTIME_DIR", other)
        assert daemon_settings.place().folder == fallback
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(place / "run"))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert daemon_settings.place().folder == fallback


def test_housekeeping_outlives_a_configuration_that_is_being_edited(
    variables: Variables, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiers = trace_stores.served_tiers()
    tried: list[float] = []

    def collect(_: object) -> object:
        tried.append(time.monotonic())
        raise ConfigError("not TOML yet", code="CONFIG_FILE")

    monkeypatch.setattr(type(tiers.here.collector), "collect", collect)
    keeper = Housekeeper(tiers, Metrics(), Pace(drain=0.02, collect=0.02))
    keeper.begin()
    until(lambda: len(tried) > 1)
    keeper.stop(20)


def test_systemd_hands_over_a_socket_and_is_told(variables: Variables, place: Path) -> None:
    """As it does: descriptor 3, LISTEN_PID, and a datagram once clients are answered."""
    program = (
        "import os, socket, sys\n"
        "path = os.environ['PHASIC_DAEMON_DIR'] + '/phasic-1.sock'\n"
        "stream = socket.socket(socket.AF_UNIX)\n"
        "stream.bind(path)\n"
        "stream.listen()\n"
        "if stream.fileno() != 3:\n"
        "    os.dup2(stream.fileno(), 3)\n"
        "os.set_inheritable(3, True)\n"
        "os.environ |= {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': '1'}\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'phasic.cli', *sys.argv[1:]])\n"
    )
    (place / "d").mkdir(mode=0o700)
    notified = str(place / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(notified)
        systemd.settimeout(30)
        running = Daemon(variables | {"NOTIFY_SOCKET": notified}, program, wait=False)
        try:
            assert systemd.recv(100).decode().splitlines()[0] == "READY=1"
            assert status(place)["pid"] == running.process.pid
            code, _, err = running.end()
            assert (code, err) == (0, "")
            assert systemd.recv(100) == b"STOPPING=1"
        finally:
            running.process.kill()
            running.process.communicate()
    assert "phasic-1.sock" in names(place / "d")  # it is systemd's


def test_units_are_what_systemd_takes(
    variables: Variables, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    for name, options in {"phasic.service": [], "phasic.socket": ["--socket"]}.items():
        text = phasic("daemon", "unit", *options).out
        (place / name).write_text(text)
    service = (place / "phasic.service").read_text()
    assert "Type=notify" in service
    assert 'Environment="PHASIC_CACHE_DEADLINE_SECONDS=5.0"' in service
    assert "s3cret" not in service
    assert f'Environment="PHASIC_CACHE_DIR={place}/cache"' in service
    assert f"ListenStream={place}/d/phasic-1.sock" in (place / "phasic.socket").read_text()
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("there is no systemd-analyze to verify them")
    units = [str(place / "phasic.service"), str(place / "phasic.socket")]
    done = subprocess.run(
        [program, "--user", "verify", *units],
        env={**os.environ, "XDG_RUNTIME_DIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
