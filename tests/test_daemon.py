"""The daemon as its users meet it; `cache_trials/served.py` kills it, in short and at length."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from cache_state import counted, names
from cli_runner import phasic
from daemons import (
    RUN,
    Variables,
    daemon,
    environment,
    marks,
    obtain,
    status,
    until,
)
from phasic import PhasicWarning, trace_cache
from phasic.cli.exit_codes import ExitCode
from phasic.errors import CacheError
from phasic.trace_elimination import obtain_trace
from rules import queue_graph

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
