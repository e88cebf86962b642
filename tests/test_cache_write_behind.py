"""Saving in the shared cache in the background; `cache_trials/later.py` kills processes at it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cache_state import counted, names, shared_directory
from phasic import CacheError, PhasicWarning, trace_cache, trace_stores
from phasic.cache import background, pending
from phasic.cache.directory import CacheDirectory
from phasic.cache.lease import Lease, Turn
from phasic.cache.store import Store
from phasic.trace_elimination import EliminationTrace, obtain_trace, record_elimination_trace
from rules import queue_graph


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    directory = shared_directory(monkeypatch, tmp_path)
    monkeypatch.setenv("PHASIC_CACHE_WRITE_BEHIND", "1")
    yield directory
    background.settle()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Until it is set nothing can be saved in the shared cache."""
    opened = threading.Event()
    usual = Store._save

    def save(self: Store[Any], key: str, value: Any) -> bool:
        if self.directory.path == os.environ["PHASIC_CACHE_SHARED_DIR"]:
            assert opened.wait(20)
        return usual(self, key, value)

    monkeypatch.setattr(Store, "_save", save)
    yield opened
    opened.set()
    background.settle()


def saved_behind(number: int) -> EliminationTrace:
    trace, _, _ = obtain_trace(queue_graph(number))
    background.settle()
    return trace


def resumed() -> None:
    trace_stores.trace_tiers()
    background.settle()


def marks() -> list[str]:
    return pending.keys(trace_stores.trace_directory())


def test_what_is_recorded_is_acknowledged_before_it_is_saved_behind(
    cache_directory: Path, shared: Path, gate: threading.Event
) -> None:
    trace, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    assert marks() == [trace.key]
    assert names(cache_directory) == [".pending", f"{trace.key}.trace"]
    # Others that share the directory still wait for this recording.
    assert names(shared) == [".lease"]
    gate.set()
    background.settle()
    assert names(cache_directory) == names(shared) == [f"{trace.key}.trace"]
    assert counted("local") == counted("shared") == {"misses": 1, "saved": 1}


def test_what_is_kept_by_hand_is_saved_behind_too(
    cache_directory: Path, shared: Path, gate: threading.Event
) -> None:
    trace = record_elimination_trace(queue_graph())
    assert trace_cache.keep(trace.handle)
    assert marks() == [trace.key]
    gate.set()
    background.settle()
    assert names(cache_directory) == names(shared) == [f"{trace.key}.trace"]


def test_what_is_behind_is_found_and_not_marked(
    cache_directory: Path, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obtain_trace(queue_graph())
    background.settle()
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    trace, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (False, True)
    assert names(tmp_path / "other") == [f"{trace.key}.trace"]


def test_a_recording_that_fails_gives_its_leases_back(shared: Path, cache_directory: Path) -> None:
    def record() -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        trace_cache.obtain(bytes(32), record)
    assert names(shared) == []
    assert not cache_directory.exists() or names(cache_directory) == []


def test_a_collector_at_work_makes_it_save_at_once(shared: Path) -> None:
    lease = Lease(trace_stores.trace_directory(), "collector", 60.0)
    lease.ask()
    trace, _, kept = obtain_trace(queue_graph())
    assert kept
    assert names(shared) == [f"{trace.key}.trace"]
    lease.release()


def test_more_than_the_cache_may_hold_is_not_left_pending(
    shared: Path, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    n_bytes = obtain_trace(queue_graph(5))[0].n_bytes
    monkeypatch.setenv("PHASIC_CACHE_HIGH_BYTES", str(n_bytes - 1))
    timer = threading.Timer(0.3, gate.set)
    timer.start()
    began = time.monotonic()
    obtain_trace(queue_graph(8))
    assert time.monotonic() - began > 0.2
    background.settle()
    timer.join()
    assert marks() == []
    assert len(names(shared)) == 2


def test_where_no_mark_can_be_made_it_saves_at_once(
    shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(directory: CacheDirectory, key: str) -> None:
        raise CacheError("no space")

    monkeypatch.setattr(pending, "mark", full)
    trace, _, kept = obtain_trace(queue_graph())
    assert kept
    assert names(shared) == [f"{trace.key}.trace"]


def test_a_failed_save_is_said_once_and_made_up_for(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared.chmod(0o777)  # not trusted
    traces = []
    for number in (4, 5):
        with pytest.warns(PhasicWarning) as said:
            traces.append(saved_behind(number))
        assert sum("CACHE_SAVE_FAILED" in str(item.message) for item in said) == 1
    assert counted("shared")["failed_saves"] == 2
    assert marks() == sorted(trace.key for trace in traces)
    shared.chmod(0o700)
    third, _, _ = obtain_trace(queue_graph(6))
    background.settle()
    assert marks() == []
    assert names(shared) == sorted(f"{trace.key}.trace" for trace in (*traces, third))


@pytest.mark.parametrize("later", ["1", "0"])
def test_the_next_process_saves_what_one_that_died_had_acknowledged(
    shared: Path, cache_directory: Path, later: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = record_elimination_trace(queue_graph())
    trace_stores.trace_store().keep(trace.key, trace.handle)
    pending.mark(trace_stores.trace_directory(), trace.key)
    monkeypatch.setenv("PHASIC_CACHE_WRITE_BEHIND", later)
    code = "from phasic import trace_cache, trace_stores; trace_cache.find(bytes(32))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert names(shared) == names(cache_directory) == [f"{trace.key}.trace"]


def test_a_damaged_entry_that_is_pending_is_said_and_not_copied(
    shared: Path, cache_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = record_elimination_trace(queue_graph())
    store = trace_stores.trace_store()
    store.keep(trace.key, trace.handle)
    path = cache_directory / f"{trace.key}.trace"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1])
    pending.mark(store.directory, trace.key)
    monkeypatch.setattr(trace_stores, "_resumed", set())
    with pytest.warns(PhasicWarning, match="CACHE_ENTRY_BAD"):
        resumed()
    assert names(shared) == []
    assert len(names(cache_directory / ".quarantine")) == 1


def test_a_process_ends_while_the_shared_directory_hangs(
    shared: Path, cache_directory: Path
) -> None:
    code = """
import time
from phasic.cache.store import Store
from phasic.trace_elimination import obtain_trace
from rules import queue_graph
usual = Store._save
def save(self, key, value):
    if self.directory.path.endswith("shared"):
        time.sleep(60)
    return usual(self, key, value)
Store._save = save
print(obtain_trace(queue_graph()).kept)
"""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PHASIC_CACHE_DEADLINE_SECONDS": "0.5",
        },
    )
    assert time.monotonic() - began < 20
    assert done.stdout == "True\n"
    assert done.stderr.count("CACHE_SAVE_PENDING") == 1
    assert len(marks()) == 1


def test_no_more_than_so_many_are_left_to_the_background(
    shared: Path, gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "MOST", 2)
    obtain_trace(queue_graph(4))
    obtain_trace(queue_graph(5))
    threading.Timer(0.3, gate.set).start()
    began = time.monotonic()
    obtain_trace(queue_graph(6))
    assert time.monotonic() - began > 0.2


def test_threads_that_record_the_same_record_it_once(shared: Path, gate: threading.Event) -> None:
    recorded: list[bool] = []

    def work() -> None:
        recorded.append(obtain_trace(queue_graph()).recorded)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(recorded) == 1


def test_to_interrupt_waits_for_no_other_machine(shared: Path) -> None:
    key = record_elimination_trace(queue_graph(4)).key
    other = Lease(CacheDirectory(str(shared), ".trace"), key, 60.0)
    assert other.ask() is Turn.OURS
    began = time.monotonic()
    usual = signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    try:
        with pytest.raises(KeyboardInterrupt):
            obtain_trace(queue_graph(4))
        assert time.monotonic() - began < 10  # and not the deadline of 30 seconds
    finally:
        signal.signal(signal.SIGALRM, usual)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the thread that is left behind says what it finds
            other.release()
            for thread in threading.enumerate():
                if thread.name == "phasic-background":
                    thread.join(30)
