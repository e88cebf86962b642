"""The daemon beside hostile, dead and hung clients and directories."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

import daemons
from cli_runner import phasic
from daemons import (
    RUN,
    Variables,
    daemon,
    marks,
    obtain,
    status,
    until,
)
from phasic.daemon import protocol


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
