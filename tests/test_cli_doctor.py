"""`phasic doctor`: each check is shown what is well and what is not."""

from __future__ import annotations

import os
import sys

import pytest

from cli_runner import phasic
from phasic import config
from phasic.cli.checks import cache, engine, file_system, jax, software
from phasic.cli.checks.finding import State
from phasic.cli.exit_codes import ExitCode

PROBE_CODE = 'print(\'chatter\'); print(\'{"value": %s, "devices": ["cpu:0"]}\')'


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    for key in config.KEYS:
        monkeypatch.delenv(key.variable, raising=False)
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PHASIC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PHASIC_CONFIG_FILE", str(tmp_path / "config.toml"))
    return tmp_path


def probe(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_this_installation_is_well(place):
    outcome = phasic("doctor", "--json")
    rows = {row["check"]: row for row in outcome.envelope["data"]}
    assert outcome.code == ExitCode.DONE, rows
    assert {
        "compiler flags", "instruction set", "answer", "Python", "numpy", "JAX", "JAX devices",
        "configuration", "cache", "writing", "file system", "free space",
    } <= rows.keys()  # fmt: skip
    assert "-ffp-contract=off" in rows["compiler flags"]["found"]
    assert rows["answer"]["found"].endswith(" 1.6")
    assert rows["JAX"]["state"] == "ok"
    assert list(place.iterdir()) == []


def test_counters_that_cannot_be_written_are_told(place):
    file = place / "file"
    file.write_text("")
    found = list(cache.check_counters(FakeCounts(str(file), "file: full")))
    assert [(one.state, one.found) for one in found] == [(State.ADVICE, "file: full")]
    assert list(cache.check_counters(FakeCounts(str(file), None))) == []
    assert list(cache.check_counters(FakeCounts(str(place / "new" / "x"), "unused"))) == []
    assert not (place / "new").exists()


class FakeCounts:
    """Counters of which only these two are asked."""

    def __init__(self, path: str, found: str | None) -> None:
        self.path, self.found = path, found

    def problem(self) -> str | None:
        return self.found


def test_a_problem_exits_1_and_says_what_to_do(place):
    (place / "cache").mkdir()
    (place / "cache").chmod(0o777)
    outcome = phasic("doctor", "--json")
    assert (outcome.code, outcome.envelope["error"]) == (ExitCode.NO, None)
    wrong = [row for row in outcome.envelope["data"] if row["state"] == "problem"]
    assert [row["check"] for row in wrong] == ["cache"]
    assert "can be written by others" in wrong[0]["found"]
    assert "chmod go-w" in wrong[0]["advice"]


def test_whatever_is_not_ok_has_advice(place, monkeypatch):
    monkeypatch.setenv("PHASIC_THREADS", "many")
    monkeypatch.setenv("PHASIC_DISABLE_CACHE", "1")
    outcome = phasic("doctor", "--json")
    rows = outcome.envelope["data"]
    assert outcome.code == ExitCode.NO
    assert {row["check"]: row["state"] for row in rows}["configuration"] == "problem"
    assert {row["check"]: row["state"] for row in rows}["cache"] == "advice"
    assert all(bool(row["advice"]) == (row["state"] != "ok") for row in rows)


def test_a_configuration_file_that_cannot_be_read_is_told_once(place):
    (place / "config.toml").write_text("= 1\n")
    rows = phasic("doctor", "--json").envelope["data"]
    assert [row["check"] for row in rows].count("configuration") == 1
    assert "config.toml cannot be read" in next(
        row["found"] for row in rows if row["check"] == "configuration"
    )


# -- the engine


@pytest.mark.parametrize(
    ("flags", "sanitizers", "state"),
    [
        (["-O3", "-ffp-contract=off"], "", State.OK),
        (["-O3", "-ffast-math"], "", State.PROBLEM),
        (["-ffast-math", "-O3", "-fno-fast-math"], "", State.OK),
        (["-fno-fast-math", "-O3", "-ffast-math"], "", State.PROBLEM),
        (["-Ofast"], "", State.PROBLEM),
        (["-O2", "-ffp-contract=fast"], "", State.PROBLEM),
        (["-O2", "-ffp-contract=fast", "-ffp-contract=off"], "", State.OK),
        (["-O3", "-O0"], "", State.ADVICE),
        ([], "", State.ADVICE),
        (["-O3"], "address", State.ADVICE),
    ],
)
def test_compiler_flags(flags, sanitizers, state):
    found = engine.check_build("GNU 12.2.0", flags, sanitizers)
    assert found.state is state
    assert found.found.startswith("GNU 12.2.0, ")


def test_an_old_processor_is_advised_and_another_kind_is_not():
    assert engine.check_instruction_set("baseline", "x86_64").state is State.ADVICE
    assert engine.check_instruction_set("baseline", "aarch64").state is State.OK
    assert engine.check_instruction_set("avx2", "x86_64").state is State.OK


def test_more_threads_than_processors(monkeypatch):
    monkeypatch.setenv("PHASIC_THREADS", str(len(os.sched_getaffinity(0)) + 1))
    states = {one.check: one.state for one in engine.check_engine()}
    assert states["threads"] is State.ADVICE


def test_a_missing_package_is_a_problem_and_a_missing_extra_is_not(monkeypatch):
    monkeypatch.setattr(software, "version_of", lambda name: None)
    found = {one.check: one for one in software.check_software()}
    assert found["numpy"].state is State.PROBLEM
    assert found["numpy"].advice == "pip install numpy"
    assert found["matplotlib"].state is State.OK
    assert "pip install 'phasic[plot]'" in found["matplotlib"].found


# -- JAX


@pytest.mark.parametrize(
    ("code", "state", "told"),
    [
        (PROBE_CODE % "2.0", State.OK, "is right"),
        (PROBE_CODE % "1.5", State.PROBLEM, "1.5 in place of 2"),
        ("import sys; sys.exit('a\\nno driver')", State.PROBLEM, "exit code 1: no driver"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", State.PROBLEM, "code -11"),
        ("pass", State.PROBLEM, "said nothing"),
        ("print('no JSON')", State.PROBLEM, "said nothing"),
    ],
)
def test_jax_answers_in_a_process_of_its_own(code, state, told):
    first = next(jax.check_jax(60, probe(code)))
    assert first.state is state
    assert told in first.found


def test_jax_that_hangs_has_a_deadline():
    found = list(jax.check_jax(1, probe("import time; time.sleep(60)")))
    assert [one.state for one in found] == [State.PROBLEM]
    assert found[0].found == "no answer within 1 s"


def test_another_device_than_the_cpu_is_advised():
    assert jax.check_devices(["cpu:0", "cpu:1"]).state is State.OK
    assert jax.check_devices(["cuda:0"]).state is State.ADVICE


# -- the file system

MOUNTINFO = r"""
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,errors=remount-ro
30 27 0:26 / /tmp rw - tmpfs tmpfs rw
31 27 0:27 / /data rw,noatime shared:1 master:2 - nfs4 server:/x rw,soft
32 27 0:28 / /data/my\040disk ro - xfs /dev/vdb rw
33 27 0:29 / /over rw - ext4 /dev/vdc rw
34 33 0:30 / /over rw - nfs server:/y rw,hard
35 27 0:31 / /sealed rw - ext4 /dev/vdd ro
a line of another kind
"""


@pytest.mark.parametrize(
    ("path", "kind", "point", "state"),
    [
        ("/home", "ext4", "/", State.OK),
        ("/tmp", "tmpfs", "/tmp", State.ADVICE),
        ("/tmpx", "ext4", "/", State.OK),
        ("/data/x/y", "nfs4", "/data", State.ADVICE),
        ("/data/my disk/z", "xfs", "/data/my disk", State.PROBLEM),
        ("/over/x", "nfs", "/over", State.OK),
        ("/sealed/x", "ext4", "/sealed", State.PROBLEM),
    ],
)
def test_the_mount_of_a_path(path, kind, point, state):
    mount = file_system.mount_of(path, MOUNTINFO)
    assert (mount.kind, mount.point) == (kind, point)
    assert file_system.check_mount(mount).state is state


def test_noatime_does_no_harm():
    found = file_system.check_mount(
        file_system.Mount("/data", "ext4", frozenset({"rw", "noatime"}))
    )
    assert found.state is State.OK
    assert "noatime (no harm" in found.found


class Room:
    """What statvfs would say."""

    def __init__(self, free: int, inodes: int = 9) -> None:
        self.f_bavail, self.f_frsize, self.f_files, self.f_favail = free, 1, 10, inodes


@pytest.mark.parametrize(
    ("free", "high_bytes", "state"),
    [
        (100 << 30, 0, State.OK),
        (100 << 30, 90 << 30, State.OK),
        (100 << 30, 105 << 30, State.OK),
        (100 << 30, 120 << 30, State.ADVICE),
        (500 << 20, 0, State.ADVICE),
        (1 << 20, 0, State.PROBLEM),
    ],
)
def test_free_space(free, high_bytes, state, monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda path: Room(free))
    found = list(file_system.check_room("/x", high_bytes, used=10 << 30))
    assert [one.state for one in found] == [state]


def test_inodes_run_out_too(monkeypatch):
    monkeypatch.setattr(os, "statvfs", lambda path: Room(1 << 40, inodes=0))
    assert [one.check for one in file_system.check_room("/x", 0, 0)] == ["free space", "inodes"]


# -- the cache


def test_writing_leaves_nothing_behind(place):
    assert cache.check_writing(str(place)).state is State.OK
    assert list(place.iterdir()) == []


def test_a_file_system_without_links_is_a_problem(place, monkeypatch):
    def refuse(source, target):
        raise PermissionError(1, "Operation not permitted", source)

    monkeypatch.setattr(os, "link", refuse)
    found = cache.check_writing(str(place))
    assert (found.state, "Operation not permitted" in found.found) == (State.PROBLEM, True)
    assert list(place.iterdir()) == []


def test_a_cache_below_what_is_no_directory(place, monkeypatch):
    (place / "file").write_text("")
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(place / "file" / "cache"))
    assert [(one.check, one.state) for one in cache.check_cache()] == [("cache", State.PROBLEM)]


def test_damaged_traces_are_told(place):
    aside = place / "cache" / ".quarantine"
    aside.mkdir(parents=True, mode=0o700)
    (place / "cache").chmod(0o700)
    (aside / "x").write_text("")
    found = {one.check: one for one in cache.check_cache()}
    assert found["damaged traces"].state is State.ADVICE
    assert found["damaged traces"].found == "1 set aside"
