"""Marks of entries that are still to be saved in the tiers behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from alone import alone
from phasic import CacheError
from phasic.cache import pending
from phasic.cache.collector import Collector, Limits, is_at_work
from phasic.cache.directory import CacheDirectory
from phasic.cache.lease import Lease

KEY = "ab" * 32
OTHER = "cd" * 32


@pytest.fixture
def directory(cache_directory: Path) -> CacheDirectory:
    return CacheDirectory(str(cache_directory), ".trace")


def made(directory: CacheDirectory, key: str, n_bytes: int = 100) -> str:
    path = Path(directory.entry_path(key))
    path.parent.mkdir(mode=0o700, exist_ok=True)
    path.write_bytes(bytes(n_bytes))
    return key


def collector(directory: CacheDirectory, limits: Limits) -> Collector:
    return Collector(directory, limits, term=0.1, patience=1.0)


def test_the_folder_is_there_while_there_is_a_mark(directory: CacheDirectory) -> None:
    made(directory, KEY)
    pending.mark(directory, KEY)
    pending.mark(directory, KEY)
    pending.mark(directory, OTHER)
    assert pending.keys(directory) == [KEY, OTHER]
    assert pending.is_marked(directory, KEY)
    assert pending.done(directory, OTHER)
    assert pending.done(directory, KEY)
    assert not pending.done(directory, KEY)
    assert not pending.is_marked(directory, KEY)
    assert os.listdir(directory.path) == [f"{KEY}.trace"]
    assert pending.keys(directory) == []


def test_only_keys_are_marked_and_read(directory: CacheDirectory) -> None:
    with pytest.raises(CacheError, match="is no key"):
        pending.mark(directory, "../x")
    pending.mark(directory, KEY)
    Path(directory.folder(pending.PENDING), ".nfs01").touch()
    assert pending.keys(directory) == [KEY]


def test_a_mark_is_on_the_medium_before_it_is_acknowledged(
    directory: CacheDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    usual = os.fsync

    def noted(file: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{file}"))
        usual(file)

    monkeypatch.setattr(os, "fsync", noted)
    folder = directory.folder(pending.PENDING)
    for _ in range(2):  # one that is there may be another's, on the way still
        synced.clear()
        pending.mark(directory, KEY)
        assert synced == [os.path.join(folder, KEY), folder, directory.path]


def test_a_mark_that_cannot_be_made_durable_is_an_error(
    directory: CacheDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CacheError, match="No space left"):
        pending.mark(directory, KEY)


def test_one_of_many_has_a_mark_and_it_is_free_once_that_one_is_killed(
    directory: CacheDirectory,
) -> None:
    alone(_one_of_many, directory.path)


def _one_of_many(path: str) -> None:
    directory = CacheDirectory(path, ".trace")
    pending.mark(directory, KEY)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with pending.claim(directory, KEY) as ours:
            os.write(writer, b"1" if ours else b"0")
            time.sleep(60)
        os._exit(0)
    assert os.read(reader, 1) == b"1"
    with pending.claim(directory, KEY) as ours:
        assert not ours
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with pending.claim(directory, KEY) as ours:
        assert ours
        pending.done(directory, KEY)
    with pending.claim(directory, KEY) as ours:
        assert not ours
    assert os.listdir(directory.path) == []


def test_marks_of_many_processes_at_once(directory: CacheDirectory) -> None:
    """Each makes and takes marks of its own while others remove the folder under it."""
    alone(_many_at_once, directory.path)


def _many_at_once(path: str) -> None:
    directory = CacheDirectory(path, ".trace")
    children = []
    for number in range(8):
        child = os.fork()
        if child == 0:
            key = f"{number:064x}"
            for _ in range(40):
                pending.mark(directory, key)
                if not pending.is_marked(directory, key):
                    os._exit(1)
                pending.done(directory, key)
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * 8
    assert os.listdir(directory.path) == []


def test_the_collector_leaves_what_is_pending(directory: CacheDirectory) -> None:
    for key in (KEY, OTHER):
        made(directory, key)
    pending.mark(directory, KEY)
    full = collector(directory, Limits(high_bytes=50))
    assert [entry.key for entry in full.relieve()] == [OTHER]
    assert full.relieve() == []
    pending.done(directory, KEY)
    assert [entry.key for entry in full.relieve()] == [KEY]


def test_marks_without_an_entry_go_after_a_while(directory: CacheDirectory) -> None:
    made(directory, KEY)
    for key in (KEY, OTHER):
        pending.mark(directory, key)
    none = collector(directory, Limits())
    assert none.collect().orphans == []
    assert none.collect(orphan_seconds=0.0).orphans == [
        os.path.join(directory.folder(pending.PENDING), OTHER)
    ]
    assert pending.keys(directory) == [KEY]


def test_a_collector_at_work_is_seen(directory: CacheDirectory) -> None:
    assert not is_at_work(directory)
    lease = Lease(directory, "collector", 1.0)
    lease.ask()
    assert is_at_work(directory)
    lease.release()
    assert not is_at_work(directory)


def test_clearing_takes_the_marks_of_what_goes(directory: CacheDirectory) -> None:
    for key in (KEY, OTHER):
        made(directory, key)
        pending.mark(directory, key)
    directory.clear(frozenset([KEY]))
    assert pending.keys(directory) == [KEY]
    directory.clear()
    assert os.listdir(directory.path) == []


def test_what_is_gone_waits_for_nothing(directory: CacheDirectory) -> None:
    pending.mark(directory, made(directory, KEY))
    pending.mark(directory, OTHER)
    assert pending.keys(directory) == [KEY, OTHER]
    assert pending.waiting(directory) == [KEY]


def test_a_claim_ends_though_a_forked_process_has_its_file(directory: CacheDirectory) -> None:
    alone(_claim_of_a_fork, directory.path)


def _claim_of_a_fork(path: str) -> None:
    directory = CacheDirectory(path, ".trace")
    pending.mark(directory, made(directory, KEY))
    reader, writer = os.pipe()
    with pending.claim(directory, KEY) as ours:
        assert ours
        child = os.fork()
        if not child:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
    try:
        with pending.claim(directory, KEY) as again:
            assert again
    finally:
        os.close(writer)
        os.close(reader)
        os.waitpid(child, 0)
