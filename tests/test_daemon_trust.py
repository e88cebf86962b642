"""Whom the daemon and its clients talk to: versions, users, directories, configurations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import daemons
from cache_state import names
from cli_runner import phasic
from daemons import (
    RUN,
    Daemon,
    Variables,
    daemon,
    environment,
    obtain,
    status,
)
from phasic.cli.exit_codes import ExitCode


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
