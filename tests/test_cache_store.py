"""The store's parts one by one: directory, lease, collector, pins, counters, archive.

`test_cache_trials.py` has the many processes.
"""

from __future__ import annotations

import fcntl
import io
import os
import stat
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from alone import alone
from phasic import CacheError, FormatError, PhasicWarning, config, errors, trace_cache, trace_stores
from phasic.cache import access, archive, pins
from phasic.cache.collector import Collector, Limits
from phasic.cache.counts import EVENTS, Counts
from phasic.cache.directory import CacheDirectory
from phasic.cache.lease import Lease, Turn, pauses
from phasic.cache.summary import summarise
from phasic.trace_elimination import record_elimination_trace
from rules import coalescent_graph, queue_graph

TERM = 0.1


@pytest.fixture
def directory(cache_directory: Path) -> CacheDirectory:
    return CacheDirectory(str(cache_directory), ".trace")


def made(directory: CacheDirectory, number: int, n_bytes: int, age: float) -> str:
    """The key of a file that looks like an entry, written so many seconds ago."""
    key = f"{number:064x}"
    path = Path(directory.entry_path(key))
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(bytes(n_bytes))
    os.utime(path, (0.0, time.time() - age))
    return key


def keys(directory: CacheDirectory) -> list[str]:
    return [entry.key for entry in directory.entries()]


def collector(directory: CacheDirectory, limits: Limits) -> Collector:
    return Collector(directory, limits, term=TERM, patience=1.0)


# ---- lease


def test_a_lease_has_one_holder_until_it_is_given_back(directory: CacheDirectory) -> None:
    first, second = Lease(directory, "key", TERM), Lease(directory, "key", TERM)
    assert first.ask() is Turn.OURS
    assert second.ask() is Turn.TAKEN
    time.sleep(3 * TERM)  # it is touched all along
    assert second.ask() is Turn.TAKEN
    first.release()
    assert second.ask() is Turn.GONE
    assert second.ask() is Turn.OURS
    second.release()
    second.release()
    assert os.listdir(directory.path) == []


def test_names_have_leases_of_their_own(directory: CacheDirectory) -> None:
    leases = [Lease(directory, name, TERM) for name in ("a", "b", "a.1")]
    assert [lease.ask() for lease in leases] == [Turn.OURS] * 3
    for lease in leases:
        lease.release()


def test_an_abandoned_lease_has_one_successor(directory: CacheDirectory) -> None:
    assert directory.make_file(".lease", "key.0")
    waiting = [Lease(directory, "key", TERM) for _ in range(20)]
    assert {lease.ask() for lease in waiting} == {Turn.TAKEN}
    time.sleep(1.5 * TERM)
    turns = [lease.ask() for lease in waiting]
    assert turns.count(Turn.OURS) == 1
    assert turns.count(Turn.TAKEN) == 19
    waiting[turns.index(Turn.OURS)].release()
    assert os.listdir(directory.path) == []


def test_clocks_of_others_do_not_matter(directory: CacheDirectory) -> None:
    for moved in (-1e6, 1e6):
        directory.make_file(".lease", "key.0")
        path = Path(directory.folder(".lease")) / "key.0"
        os.utime(path, (0, time.time() + moved))
        lease = Lease(directory, "key", TERM)
        assert lease.ask() is Turn.TAKEN
        os.utime(path, (0, time.time() + moved + 1))  # its holder lives
        time.sleep(1.5 * TERM)
        assert lease.ask() is Turn.TAKEN
        path.unlink()


def test_a_lease_that_cannot_be_given_back_runs_out(directory: CacheDirectory) -> None:
    lease = Lease(directory, "key", TERM)
    assert lease.ask() is Turn.OURS
    path = Path(directory.folder(".lease")) / "key.0"
    path.unlink()
    path.mkdir()
    lease.release()
    assert threading.active_count() == 1


def test_pauses_grow_and_end() -> None:
    began = time.monotonic()
    waits = []
    for pause in pauses(0.2):
        waits.append(pause)
        time.sleep(pause)
    assert waits == sorted(waits)
    assert time.monotonic() - began < 1.0


# ---- obtaining


def test_who_waits_gets_what_the_other_records() -> None:
    graph = queue_graph()
    handle = record_elimination_trace(graph).handle
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        begun.set()
        assert go_on.wait(10)
        return handle

    def never():
        raise AssertionError("the other one records")

    results = []
    key = graph.frozen.trace_key
    first = threading.Thread(target=lambda: results.append(trace_cache.obtain(key, slowly)))
    first.start()
    assert begun.wait(10)
    second = threading.Thread(target=lambda: results.append(trace_cache.obtain(key, never)))
    second.start()
    time.sleep(0.05)
    assert results == []
    go_on.set()
    first.join()
    second.join()
    assert sorted((one.recorded, one.kept) for one in results) == [(False, True), (True, True)]
    counts = trace_stores.trace_store().counts.read()
    assert (counts["hits"], counts["misses"], counts["saved"]) == (1, 1, 1)


def test_who_has_waited_too_long_goes_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASIC_CACHE_WAIT_SECONDS", "0.05")
    graph = queue_graph()
    other = Lease(trace_stores.trace_directory(), graph.frozen.trace_key.hex(), 10.0)
    assert other.ask() is Turn.OURS
    with pytest.warns(PhasicWarning, match="CACHE_WAIT_ENDED") as caught:
        mean = graph.at([1.0, 1.5]).mean()
    assert len(caught) == 1
    other.release()
    assert queue_graph().at([1.0, 1.5]).mean() == mean
    assert len(trace_stores.trace_directory().entries()) == 1


def test_who_waited_for_one_that_keeps_nothing_goes_on_alone() -> None:
    graph = queue_graph()
    other = Lease(trace_stores.trace_directory(), graph.frozen.trace_key.hex(), 10.0)
    assert other.ask() is Turn.OURS
    threading.Timer(0.1, other.release).start()
    with pytest.warns(PhasicWarning, match="CACHE_NOT_KEPT") as caught:
        graph.compute_trace()
    assert len(caught) == 1
    assert len(trace_stores.trace_directory().entries()) == 1


def test_a_recording_that_fails_gives_its_lease_back(cache_directory: Path) -> None:
    def fail():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trace_cache.obtain(queue_graph().frozen.trace_key, fail)
    assert os.listdir(cache_directory) == []
    assert threading.active_count() == 1


def test_a_lease_that_cannot_be_had_is_said_once(cache_directory: Path) -> None:
    cache_directory.mkdir(mode=0o700)
    (cache_directory / ".lease").write_text("in the way")
    with pytest.warns(PhasicWarning, match="CACHE_NO_LEASE") as caught:
        queue_graph().compute_trace()
    assert len(caught) == 1
    assert len(trace_stores.trace_directory().entries()) == 1


# ---- limits


def test_those_used_longest_ago_go_first(directory: CacheDirectory) -> None:
    old = [made(directory, k, 100, age=1000 - k) for k in range(10)]
    access.stamp(directory, old[0])
    pins.pin(directory, old[1])
    limits = Limits(high_bytes=500, low_bytes=300)
    removed = collector(directory, limits).relieve()
    assert [entry.key for entry in removed] == old[2:9]
    assert keys(directory) == [old[0], old[1], old[9]]
    assert collector(directory, limits).relieve() == []


def test_nothing_goes_below_the_high_water_mark(directory: CacheDirectory) -> None:
    for k in range(5):
        made(directory, k, 100, age=10.0)
    assert collector(directory, Limits(high_bytes=500)).relieve() == []
    assert collector(directory, Limits()).relieve() == []
    assert len(collector(directory, Limits(high_bytes=499)).relieve()) == 1


def test_reading_times_of_the_file_system_do_not_matter(directory: CacheDirectory) -> None:
    first, second = (made(directory, k, 100, age=100.0 - k) for k in range(2))
    os.utime(directory.entry_path(first), (time.time(), os.stat(directory.path).st_mtime - 500))
    assert [e.key for e in collector(directory, Limits(high_bytes=150)).relieve()] == [first]
    assert keys(directory) == [second]


def test_entries_unused_for_long_go(directory: CacheDirectory) -> None:
    used, unused = (made(directory, k, 100, age=5_000.0) for k in range(2))
    access.stamp(directory, used)
    collected = collector(directory, Limits(max_age=3_600.0)).collect()
    assert [entry.key for entry in collected.entries] == [unused]
    assert keys(directory) == [used]


def test_free_space_is_left_to_others(
    directory: CacheDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in range(10):
        made(directory, k, 100, age=100.0 - k)
    usual = os.statvfs(directory.path)

    class Nearly:
        f_bavail, f_frsize = 7, 100

    monkeypatch.setattr(os, "statvfs", lambda path: Nearly)
    removed = collector(directory, Limits(min_free_bytes=1000)).relieve()
    assert len(removed) == 3
    assert usual.f_bavail > 0


def test_the_configured_limits_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASIC_CACHE_HIGH_BYTES", "20K")
    for n in range(3, 20):
        coalescent_graph(n).compute_trace()
    directory = trace_stores.trace_directory()
    assert sum(entry.n_bytes for entry in directory.entries()) <= 20 << 10
    counts = trace_stores.trace_store().counts.read()
    assert counts["evicted"] == 17 - len(directory.entries()) > 5
    # What was made last is there, and its use is noted.
    coalescent_graph(19).compute_trace()
    assert coalescent_graph(19).frozen.trace_key.hex() in access.last_uses(directory)


def test_what_dead_writers_left_goes_and_what_is_written_stays(directory: CacheDirectory) -> None:
    made(directory, 1, 10, age=0.0)
    for name, file, age in (
        (".tmp", "dead.1.ab", 4_000.0),
        (".tmp", "alive.2.cd", 0.0),
        (".tmp", ".nfs0001", 4_000.0),
        (".lease", "x.0", 4_000.0),
        (".access", "f" * 64, 4_000.0),
        (".access", f"{1:064x}", 4_000.0),
        (".plans", "ab.cdef", 4_000.0),
        (".plans", "ab.plan", 4_000.0),
        (".quarantine", "old", 31 * 86_400.0),
        (".quarantine", "new", 4_000.0),
    ):
        directory.make_file(name, file)
        moment = time.time() - age
        os.utime(Path(directory.folder(name)) / file, (moment, moment))
    collected = collector(directory, Limits()).collect(dry_run=True)
    names = sorted(os.path.relpath(path, directory.path) for path in collected.orphans)
    assert names == sorted(
        [".tmp/dead.1.ab", ".lease/x.0", f".access/{'f' * 64}", ".plans/ab.cdef", ".quarantine/old"]
    )
    assert collector(directory, Limits()).collect() == collected
    assert directory.listing(".tmp") == [".nfs0001", "alive.2.cd"]
    assert directory.listing(".lease") == []


def test_saving_clears_away_what_dead_writers_left(cache_directory: Path) -> None:
    (cache_directory / ".tmp").mkdir(parents=True)
    cache_directory.chmod(0o700)
    left = cache_directory / ".tmp" / "dead.1.ab"
    left.touch()
    os.utime(left, (0, time.time() - 4_000))
    queue_graph().compute_trace()
    assert [path.suffix for path in cache_directory.iterdir()] == [".trace"]


def test_a_collector_that_does_not_end_is_an_error(directory: CacheDirectory) -> None:
    other = Lease(directory, "collector", 10.0)
    assert other.ask() is Turn.OURS
    with pytest.raises(CacheError, match="another process") as caught:
        Collector(directory, Limits(), term=10.0, patience=0.05).collect()
    assert caught.value.code == "CACHE_BUSY"
    other.release()


# ---- pins, counters, trust


def test_a_pin_outlives_its_entry(directory: CacheDirectory) -> None:
    key = made(directory, 1, 10, age=0.0)
    assert pins.pin(directory, key)
    assert not pins.pin(directory, key)
    directory.remove(key)
    assert pins.pinned(directory) == {key}
    assert pins.unpin(directory, key)
    assert not pins.unpin(directory, key)
    assert os.listdir(directory.path) == []


def test_clearing_leaves_pinned_traces() -> None:
    kept, gone = (coalescent_graph(n).compute_trace() for n in (4, 5))
    directory = trace_stores.trace_directory()
    pins.pin(directory, kept.key)
    for trace in (kept, gone):
        access.stamp(directory, trace.key)
    assert trace_cache.clear_trace_cache() == 1
    assert keys(directory) == [kept.key] == list(access.last_uses(directory))
    assert trace_cache.clear_trace_cache() == 0
    pins.unpin(directory, kept.key)
    assert trace_cache.clear_trace_cache() == 1
    assert os.listdir(directory.path) == []


COUNT = "import sys; from phasic.cache.counts import Counts; c = Counts(*sys.argv[1:]); "


def test_counters_of_several_processes_add_up(tmp_path: Path) -> None:
    counts = Counts(str(tmp_path / "counts"), "/some/cache")
    assert counts.read() == dict.fromkeys(EVENTS, 0)
    program = COUNT + "[c.add('hits') for _ in range(500)]; c.add('evicted', 7)"
    command = [sys.executable, "-c", program, str(tmp_path / "counts"), "/some/cache"]
    for process in [subprocess.Popen(command) for _ in range(3)]:
        assert process.wait() == 0
    assert counts.read() == dict.fromkeys(EVENTS, 0) | {"hits": 1500, "evicted": 21}
    assert counts.problem() is None
    assert Counts(str(tmp_path / "counts"), "/other").read()["hits"] == 0


def test_counting_waits_for_no_forked_process(tmp_path: Path) -> None:
    """One that another thread has forked meanwhile has the file open, and its lock with it."""
    alone(_count_and_fork, tmp_path)


def _count_and_fork(folder: str) -> None:
    counts, usual, children = Counts(folder, "cache"), os.pwrite, []
    reader, writer = os.pipe()

    def forking(file: int, data: bytes, offset: int) -> int:
        children.append(os.fork())
        if not children[0]:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
        return usual(file, data, offset)

    os.pwrite = forking  # this process ends after it
    counts.add("hits")
    try:
        with open(counts.path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(children[0], 0)
    assert counts.read()["hits"] == 1


def test_what_cannot_be_counted_is_told_on_request(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    counts = Counts(str(tmp_path / "file" / "counts"), "/some/cache")
    counts.add("hits")
    assert counts.read()["hits"] == 0
    assert "Not a directory" in str(counts.problem())


def test_hits_misses_and_failures_are_counted(cache_directory: Path) -> None:
    for _ in range(3):
        queue_graph().compute_trace()
    (entry,) = cache_directory.glob("*.trace")
    entry.unlink()
    entry.write_bytes(b"nonsense")
    with pytest.warns(PhasicWarning, match="CACHE_ENTRY_BAD"):
        queue_graph().compute_trace()
    assert trace_stores.trace_store().counts.read() == {
        "hits": 2,
        "misses": 2,
        "saved": 2,
        "failed_saves": 0,
        "damaged": 1,
        "evicted": 0,
        "unavailable": 0,
        "daemon_lost": 0,
    }


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o703])
def test_a_directory_open_to_all_is_refused(
    mode: int, directory: CacheDirectory, cache_directory: Path
) -> None:
    key = made(directory, 1, 10, age=0.0)
    cache_directory.chmod(mode)
    for use in (
        directory.entries,
        directory.irregular,
        directory.clear,
        lambda: pins.pin(directory, key),
        lambda: Lease(directory, "key", TERM).ask(),
        lambda: collector(directory, Limits(high_bytes=1)).collect(),
        lambda: summarise(directory, time.time()),
    ):
        with pytest.raises(CacheError) as caught:
            use()
        assert caught.value.code == "CACHE_UNTRUSTED"
        assert "PHASIC_CACHE_DIR" in caught.value.hint
    assert os.listdir(cache_directory) == [f"{key}.trace"]


def test_housekeeping_is_as_open_as_the_cache(cache_directory: Path) -> None:
    cache_directory.mkdir()
    cache_directory.chmod(0o2770)
    directory = CacheDirectory(str(cache_directory), ".trace")
    before = os.umask(0o077)
    try:
        pins.pin(directory, "0" * 64)
        queue_graph().compute_trace()
    finally:
        os.umask(before)
    assert stat.S_IMODE((cache_directory / ".pins").stat().st_mode) == 0o2770
    assert stat.S_IMODE((cache_directory / ".pins" / ("0" * 64)).stat().st_mode) == 0o660
    (entry,) = cache_directory.glob("*.trace")
    assert stat.S_IMODE(entry.stat().st_mode) == 0o440


def test_missing_directories_are_made_for_us_alone(tmp_path: Path) -> None:
    deep = tmp_path / "a" / "b" / "c"
    pins.pin(CacheDirectory(str(deep), ".trace"), "0" * 64)
    for path in (deep, deep.parent, deep.parent.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


# ---- archive


def exported(*graphs) -> tuple[bytes, list[str]]:
    made_keys = [graph.compute_trace().key for graph in graphs]
    directory = trace_stores.trace_directory()
    stream = io.BytesIO()
    assert len(archive.export(directory, directory.entries(), stream)) == len(graphs)
    return stream.getvalue(), sorted(made_keys)


def test_an_archive_carries_traces_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, there = exported(coalescent_graph(4), queue_graph())
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == [f"{key}.trace" for key in there]
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    store = trace_stores.file_store()
    found = list(archive.import_into(store, io.BytesIO(data)))
    assert [(one.name, one.kept) for one in found] == [(f"{key}.trace", True) for key in there]
    assert keys(store.directory) == there
    assert sorted(os.listdir(tmp_path / "other")) == [f"{key}.trace" for key in there]


def test_an_archive_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = queue_graph().compute_trace()
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in (
            (f"{good.key}.trace", good.to_bytes()[:-1]),
            (f"{'0' * 64}.trace", good.to_bytes()),
            (f"../{good.key}.trace", good.to_bytes()),
            ("/etc/passwd", b"root"),
            ("notes.txt", b"hello"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for kind in (tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            member = tarfile.TarInfo(f"{'1' * 64}.trace")
            member.type, member.linkname = kind, "/etc/passwd"
            tar.addfile(member)
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    store = trace_stores.file_store()
    found = list(archive.import_into(store, io.BytesIO(stream.getvalue())))
    assert len(found) == 8
    assert not any(one.kept for one in found)
    assert all(one.problem for one in found)
    assert "truncated" in str(found[0].problem)
    assert "another graph" in str(found[1].problem)
    assert os.listdir(tmp_path / "other") == []


@pytest.mark.parametrize("cut", [0, 100, 700])
def test_an_archive_that_ends_too_early_is_refused(cut: int) -> None:
    data, _ = exported(queue_graph())
    with pytest.raises(FormatError, match="archive"):
        list(archive.import_into(trace_stores.file_store(), io.BytesIO(data[:cut])))


# ---- configuration


@pytest.mark.parametrize(
    ("text", "value"), [("0", 0), ("4096", 4096), ("2K", 2048), ("3m", 3 << 20), ("20G", 20 << 30)]
)
def test_bytes_have_units(text: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASIC_CACHE_HIGH_BYTES", text)
    assert config.get_int("cache_high_bytes") == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cache_high_bytes", "G"),
        ("cache_high_bytes", "-1"),
        ("cache_high_bytes", "1.5G"),
        ("cache_lease_seconds", "0"),
        ("cache_lease_seconds", "inf"),
        ("cache_lease_seconds", "soon"),
    ],
)
def test_wrong_limits_are_refused(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"PHASIC_{name.upper()}", text)
    with pytest.raises(errors.ConfigError, match=name.upper()):
        config.setting(name)
