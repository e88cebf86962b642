"""The daemon as its users meet it; `cache_trials/served.py` kills it, in short and at length."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import daemons
from cache_state import counted, names
from cli_runner import phasic
from daemons import RUN, Daemon, daemon, environment, obtain, settings, until
from phasic import PhasicWarning, daemon_settings, trace_cache, trace_stores
from phasic.cache import pending
from phasic.cache.directory import CacheDirectory
from phasic.cli.exit_codes import ExitCode
from phasic.daemon import client as client_module
from phasic.daemon import protocol, server
from phasic.daemon.client import ask
from phasic.daemon.housekeeping import Housekeeper, Pace
from phasic.daemon.metrics import Metrics
from phasic.daemon.place import Place
from phasic.errors import CacheError, ConfigError
from phasic.trace_elimination import obtain_trace
from rules import queue_graph
from search_paths import search_path

Variables = dict[str, object]


@pytest.fixture
def place() -> Iterator[Path]:
    """Short enough for a socket's path, of tests that connect by themselves."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def variables(place: Path, monkeypatch: pytest.MonkeyPatch) -> Variables:
    chosen = settings(place, cache_deadline_seconds=5)
    for name, value in chosen.items():
        monkeypatch.setenv(name, str(value))
    return chosen


def marks(place: Path) -> list[str]:
    return pending.keys(CacheDirectory(str(place / "cache"), ".trace"))


def status(place: Path) -> dict:
    answer = ask(Place(str(place / "d")), "status")
    assert answer is not None
    return answer


# ---- entries


def test_what_a_client_records_the_daemon_saves_behind(variables: Variables, place: Path) -> None:
    with daemon(variables):
        got = obtain(variables, 4)
        assert (got["recorded"], got["kept"], got["warnings"]) == (True, True, {})
        name = f"{got['key']}.trace"
        until(lambda: name in names(place / "shared") and not marks(place))
        assert (place / "shared" / name).read_bytes() == (place / "cache" / name).read_bytes()
        assert status(place)["counts"]["requests"] == 2  # this is the second
    assert counted("local") == {"misses": 1, "saved": 1}
    assert counted("shared") == {"misses": 1, "saved": 1}


def test_an_entry_of_another_machine_is_brought_here_by_path(
    variables: Variables, place: Path
) -> None:
    first = obtain(variables | {"PHASIC_CACHE_DIR": place / "elsewhere"}, 4)
    with daemon(variables):
        got = obtain(variables, 4)
        assert (got["recorded"], got["warnings"]) == (False, {})
        assert got["moments"] == first["moments"]
        again = obtain(variables, 4)
        assert status(place)["counts"]["requests"] == 2  # a hit asks nobody
    assert again["recorded"] is False
    assert names(place / "cache") == names(place / "shared") == [f"{got['key']}.trace"]
    assert counted("local") == {"hits": 1, "misses": 1, "saved": 1}


def test_finding_and_keeping_go_through_it(variables: Variables, place: Path) -> None:
    first = obtain(variables | {"PHASIC_CACHE_DIR": place / "elsewhere"}, 4)
    with daemon(variables):
        assert trace_cache.find(bytes(32)) is None
        found = trace_cache.find(bytes.fromhex(first["key"]))
        assert found is not None
        trace = queue_graph(5).compute_trace()
        there = place / "shared" / f"{trace.key}.trace"
        until(lambda: there.exists() and not marks(place))
        there.unlink()
        assert trace_cache.keep(trace.handle)
        until(lambda: len(names(place / "shared")) == 2 and not marks(place))
        assert status(place)["counts"]["requests"] == 5


def test_threads_each_have_a_connection(variables: Variables, place: Path) -> None:
    ended = []

    def want(number: int) -> None:
        obtain_trace(queue_graph(number))
        ended.append(number)

    with daemon(variables):
        threads = [threading.Thread(target=want, args=(3 + k % 4,)) for k in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: len(names(place / "shared")) == 4 and not marks(place))
    assert len(ended) == 16
    assert counted("shared") == {"misses": 4, "saved": 4}


def test_a_local_cache_that_cannot_be_written_is_gone_without(
    variables: Variables, place: Path
) -> None:
    (place / "cache").write_text("no directory")
    with daemon(variables):
        got = obtain(variables, 4)
    assert (got["recorded"], got["kept"]) == (True, True)
    assert got["warnings"] == {"CACHE_READ_FAILED": 1, "CACHE_SAVE_FAILED": 1}
    assert names(place / "shared") == [f"{got['key']}.trace"]


# ---- without it


def test_without_a_daemon_nothing_is_said(variables: Variables, place: Path) -> None:
    assert obtain(variables, 4)["warnings"] == {}
    assert len(names(place / "shared")) == 1
    assert not (place / "d").exists()


def test_a_dead_one_is_one_warning_and_one_count(variables: Variables, place: Path) -> None:
    with daemon(variables) as running:
        running.kill()
    assert names(place / "d") == ["lock", "phasic-1.sock"]
    with pytest.warns(PhasicWarning, match="DAEMON_LOST") as said:
        [obtain_trace(queue_graph(size)) for size in (4, 5, 6)]
    assert len(said) == 1
    assert len(names(place / "cache")) == len(names(place / "shared")) == 3
    assert counted("local") == {"misses": 3, "saved": 3, "daemon_lost": 1}
    info = phasic("cache", "info", "--json").envelope["data"]
    assert (info["daemon"]["state"], info["daemon_lost"]) == ("lost", 1)


def test_off_asks_no_daemon(variables: Variables, place: Path) -> None:
    with daemon(variables):
        got = obtain(variables | {"PHASIC_DAEMON": "off"}, 4)
        assert status(place)["counts"]["requests"] == 1
    assert got["warnings"] == {}
    assert len(names(place / "shared")) == 1


def test_a_disabled_cache_wins(variables: Variables, place: Path) -> None:
    disabled = variables | {"PHASIC_DISABLE_CACHE": 1, "PHASIC_DAEMON": "require"}
    got = obtain(disabled, 4)
    assert (got["recorded"], got["kept"]) == (True, False)
    assert got["warnings"] == {"CACHE_DISABLED": 1}
    run = subprocess.run(
        [sys.executable, "-m", "phasic.cli", "daemon", "start"],
        env=environment(**disabled),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == ExitCode.USAGE
    assert "error[CACHE_DISABLED]" in run.stderr


def test_required_and_not_there_is_an_error(
    variables: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_DAEMON", "require")
    with pytest.raises(CacheError, match="none is running") as caught:
        obtain_trace(queue_graph(4))
    assert caught.value.code == "DAEMON_REQUIRED"


def test_what_a_dead_daemon_had_acknowledged_is_saved_by_the_next(
    variables: Variables, place: Path
) -> None:
    """It is killed after the acknowledgement, before the save."""
    program = (
        "import sys, time\n"
        "from phasic.cache.store import Store\n"
        "usual = Store._save\n"
        "def save(self, key, value):\n"
        "    if self.directory.path.endswith('shared'):\n"
        "        time.sleep(600)\n"
        "    return usual(self, key, value)\n"
        "Store._save = save\n"
    ) + RUN
    with daemon(variables, program) as running:
        got = obtain(variables, 4)
        assert (got["recorded"], got["kept"], got["warnings"]) == (True, True, {})
        running.kill()
    assert names(place / "shared") == [".lease"]
    assert marks(place) == [got["key"]]
    with daemon(variables):
        until(lambda: f"{got['key']}.trace" in names(place / "shared") and not marks(place))


# ---- who may talk to whom


def planted_version(version: int) -> str:
    return (
        "import sys\n"
        "from phasic.daemon import protocol\n"
        f"protocol.PROTOCOL = {version}\n"
        "import phasic.daemon.client, phasic.daemon.place\n"
        f"phasic.daemon.client.PROTOCOL = {version}\n"
    )


@pytest.mark.parametrize(("of_daemon", "of_client"), [(1, 2), (2, 1)])
def test_another_version_is_noticed_by_its_socket(
    variables: Variables, place: Path, of_daemon: int, of_client: int
) -> None:
    with daemon(variables, planted_version(of_daemon) + RUN):
        got = obtain(variables, 4, planted_version(of_client) + daemons.CLIENT)
        assert got["warnings"] == {"DAEMON_VERSION": 1}
        assert (got["recorded"], got["kept"], got["issued"]) == (True, True, 1)
        assert len(names(place / "shared")) == 1
        # A second one does not start beside it, and the old one can be stopped.
        other = Daemon(variables, planted_version(of_client) + RUN, wait=False)
        out, _ = other.process.communicate(timeout=60)
        assert json.loads(out)["error"]["code"] == "DAEMON_RUNNING"
        stopper = subprocess.run(
            [sys.executable, "-c", planted_version(of_client) + RUN, "daemon", "stop"],
            env=environment(**variables),
            check=False,
        )
        assert stopper.returncode == 0


@pytest.mark.parametrize(("of_daemon", "of_client"), [(1, 2), (2, 1)])
def test_another_version_under_the_same_name_is_refused(
    variables: Variables, place: Path, of_daemon: int, of_client: int
) -> None:
    with daemon(variables, planted_version(of_daemon) + RUN):
        os.link(place / "d" / f"phasic-{of_daemon}.sock", place / "d" / f"phasic-{of_client}.sock")
        got = obtain(variables, 4, planted_version(of_client) + daemons.CLIENT)
        assert got["warnings"] == {"DAEMON_VERSION": 1}
        assert (got["recorded"], got["kept"], got["issued"]) == (True, True, 1)


def test_a_client_of_another_cache_is_refused_and_works(variables: Variables, place: Path) -> None:
    (place / "far").mkdir(mode=0o700)
    with daemon(variables):
        for other in (
            {"PHASIC_CACHE_DIR": place / "other"},
            {"PHASIC_CACHE_SHARED_DIR": place / "far"},
        ):
            got = obtain(variables | other, 4)
            assert got["warnings"] == {"DAEMON_OTHER_CACHE": 1}
            assert (got["kept"], got["issued"]) == (True, 1)
        assert status(place)["counts"]["refused"] == 2
    assert len(names(place / "far")) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users")
def test_another_user_is_refused(variables: Variables, place: Path) -> None:
    program = (
        "import os, socket, sys\n"
        "stream = socket.socket(socket.AF_UNIX)\n"
        "os.setgid(54321); os.setuid(54321)\n"
        "stream.connect(sys.argv[1])\n"
        "sys.stdout.buffer.write(stream.recv(4096))\n"
    )
    with daemon(variables) as running:
        path = place / "d" / "phasic-1.sock"
        place.chmod(0o755)  # by mistake: file modes alone would refuse
        path.parent.chmod(0o755)
        path.chmod(0o666)
        done = subprocess.run(
            [sys.executable, "-c", program, str(path)], capture_output=True, check=False
        )
        assert b"DAEMON_USER" in done.stdout, done.stderr
        assert b"user 54321" in done.stdout
        path.parent.chmod(0o700)
        assert status(place)["counts"]["refused"] == 1
        running.end()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be other users")
def test_a_socket_of_another_user_is_refused(variables: Variables, place: Path) -> None:
    program = (
        "import os, socket, sys, time\n"
        "stream = socket.socket(socket.AF_UNIX)\n"
        "stream.bind(sys.argv[1])\n"
        "os.setgid(54321); os.setuid(54321)\n"
        "stream.listen()\n"
        "print('listening', flush=True)\n"
        "time.sleep(60)\n"
    )
    (place / "d").mkdir(mode=0o700)
    imposter = subprocess.Popen(
        [sys.executable, "-c", program, str(place / "d" / "phasic-1.sock")],
        stdout=subprocess.PIPE,
    )
    try:
        assert imposter.stdout is not None
        imposter.stdout.readline()
        got = obtain(variables, 4)
    finally:
        imposter.kill()
        imposter.communicate()
    assert got["warnings"] == {"DAEMON_UNTRUSTED": 1}
    assert (got["recorded"], got["kept"]) == (True, True)


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o711])
def test_a_directory_that_is_open_to_others_is_refused(
    variables: Variables, place: Path, mode: int
) -> None:
    (place / "d").mkdir()
    (place / "d").chmod(mode)
    (place / "d" / "phasic-1.sock").touch()
    got = obtain(variables, 4)
    assert got["warnings"] == {"DAEMON_UNTRUSTED": 1}
    assert (got["recorded"], got["kept"]) == (True, True)
    outcome = phasic("daemon", "start")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert "error[DAEMON_UNTRUSTED]" in outcome.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user_is_refused(variables: Variables, place: Path) -> None:
    (place / "d").mkdir(mode=0o700)
    (place / "d" / "phasic-1.sock").touch()
    os.chown(place / "d", 54321, 54321)
    assert obtain(variables, 4)["warnings"] == {"DAEMON_UNTRUSTED": 1}
    assert phasic("daemon", "start").code == ExitCode.ENVIRONMENT


def test_a_socket_may_have_a_long_path_but_not_with_systemd(
    variables: Variables, place: Path
) -> None:
    chosen = variables | {"PHASIC_DAEMON_DIR": place / ("x" * 120) / "d"}
    with daemon(chosen):
        assert obtain(chosen, 4)["warnings"] == {}
        with_status = subprocess.run(
            [sys.executable, "-m", "phasic.cli", "daemon", "status", "--json"],
            env=environment(**chosen),
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(with_status.stdout)["data"]["counts"]["requests"] == 2
    unit = subprocess.run(
        [sys.executable, "-m", "phasic.cli", "daemon", "unit"],
        env=environment(**chosen),
        capture_output=True,
        text=True,
        check=False,
    )
    assert unit.returncode == ExitCode.USAGE
    assert "error[DAEMON_PATH]" in unit.stderr
    assert "at most 107" in unit.stderr


# ---- start, stop, idle


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


# ---- hostile and hung


def hello(**more: object) -> bytes:
    return protocol.pack({"op": "hello", "protocol": protocol.PROTOCOL, "places": None, **more})


HOSTILE = {
    "nothing": b"",
    "garbage": b"GET / HTTP/1.1\r\n\r\n",
    "a huge length": b"\xff\xff\xff\xff" + b"x" * 100,
    "no JSON": b"\x00\x00\x00\x03{{{",
    "no object": b"\x00\x00\x00\x02[]",
    "nested": b"\x00\x00\xff\x00" + b"[" * 0xFF00,
    "not text": b"\x00\x00\x00\x02\xff\xfe",
    "no hello": protocol.pack({"op": "obtain", "key": "0" * 64}),
    "another version": hello(protocol=[]),
    "no request": hello() + protocol.pack({"op": "shutdown"}),
    "no key": hello() + protocol.pack({"op": "obtain", "key": "../../etc/passwd"}),
    "a key of numbers": hello() + protocol.pack({"op": "find", "key": 7}),
    "half a message": hello() + b"\x00\x00\x00",
}


def resident(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmRSS:")[1].split()[0])


@pytest.mark.measured
def test_hostile_messages_are_bounded_and_harmless(variables: Variables, place: Path) -> None:
    with daemon(variables) as running:
        obtain(variables, 4)
        before = resident(running.process.pid)
        for _ in range(10):
            for data in HOSTILE.values():
                with socket.socket(socket.AF_UNIX) as stream:
                    stream.settimeout(10)
                    stream.connect(str(place / "d" / "phasic-1.sock"))
                    with suppress(BrokenPipeError):
                        stream.sendall(data)
                        stream.shutdown(socket.SHUT_WR)
                    with suppress(ConnectionResetError):  # it did not read to the end
                        while stream.recv(4096):
                            pass
        answer = status(place)
        assert answer["clients"] <= 1 + len(HOSTILE)
        assert answer["counts"]["bad_messages"] >= 10 * 8
        assert resident(running.process.pid) - before < 4 << 10
        assert obtain(variables, 5)["warnings"] == {}
        code, _, err = running.end()
        assert (code, err) == (0, "")
    assert "a defect in" not in phasic("daemon", "logs", "-n", "10000").out


@pytest.mark.measured
def test_slow_and_half_open_clients_block_nobody(variables: Variables, place: Path) -> None:
    with daemon(variables):
        streams = []
        for number in range(300):  # more than it takes at a time
            stream = socket.socket(socket.AF_UNIX)
            stream.setblocking(False)
            try:
                stream.connect(str(place / "d" / "phasic-1.sock"))
                stream.send(hello()[: number % 20])
            except OSError:
                pass  # turned away
            streams.append(stream)
        time.sleep(6)  # seconds that they have for their first words, and one
        got = obtain(variables, 4)
        assert got["warnings"] == {}
        assert status(place)["clients"] == 1
        for stream in streams:
            stream.close()


def patient(seconds: float) -> str:
    """The beginning of a program of a client that takes so much silence."""
    return (
        "import phasic.daemon.client as module\n"
        f"module.Client.__init__.__defaults__ = ({seconds}, 60.0)\n"
    )


def test_a_daemon_that_hangs_is_gone_without(variables: Variables, place: Path) -> None:
    with daemon(variables) as running:
        os.kill(running.process.pid, 19)  # SIGSTOP
        got = obtain(variables, 4, patient(1.0) + daemons.CLIENT)
        os.kill(running.process.pid, 18)
    assert got["warnings"] == {"DAEMON_LOST": 1}
    assert (got["recorded"], got["kept"]) == (True, True)
    assert got["seconds"] < 10


@pytest.mark.measured
def test_it_answers_while_the_shared_directory_hangs(variables: Variables, place: Path) -> None:
    program = (
        "import sys, threading\n"
        "from phasic._engine.stored_trace import StoredTrace\n"
        "usual = StoredTrace.load_entry.__func__\n"
        "def load(cls, directory, key):\n"
        "    if directory.endswith('shared'):\n"
        "        threading.Event().wait()\n"
        "    return usual(cls, directory, key)\n"
        "StoredTrace.load_entry = classmethod(load)\n"
    ) + RUN
    with daemon(variables | {"PHASIC_CACHE_DEADLINE_SECONDS": 6}, program) as running:
        # It hears every second that the daemon is at work.
        waiting = daemons.Client(variables, 4, patient(3.0) + daemons.CLIENT)
        until(lambda: status(place)["clients"] == 2)
        began = time.monotonic()
        for _ in range(10):
            status(place)
        assert time.monotonic() - began < 2
        got = waiting.result()
        assert (got["recorded"], got["kept"], got["warnings"]) == (True, True, {})
        assert 5 < got["seconds"] < 20
        assert marks(place) == [got["key"]]  # for when it answers again
        running.kill()
    assert "CACHE_TIER_DOWN" in phasic("daemon", "logs").out


def test_a_client_that_dies_gives_its_leases_back(variables: Variables, place: Path) -> None:
    program = (
        "import time, phasic.trace_elimination as module\n"
        "print('loaded', flush=True)\n"
        "module.record_elimination_trace = lambda *a, **k: (print('records', flush=True), "
        "time.sleep(600))\n"
    )
    with daemon(variables):
        dying = daemons.Client(variables, 4, program + daemons.CLIENT)
        until(lambda: any((place / "shared").glob(".lease/*")))
        dying.process.kill()
        dying.process.communicate()
        until(lambda: not (place / "shared" / ".lease").exists())
        until(lambda: status(place)["counts"]["lost_clients"] == 1)


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
