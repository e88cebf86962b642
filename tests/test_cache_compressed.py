"""Compressed entries of a shared cache: found, made, damaged, hostile, and what commands say."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
import zstandard

from cache_state import counted, elsewhere, names, shared_directory
from cli_runner import phasic
from phasic import PhasicWarning, trace_stores
from phasic.cache import compression
from phasic.cache.directory import CacheDirectory
from phasic.errors import CacheError, DependencyError, FormatError
from phasic.trace_elimination import EliminationTrace, obtain_trace
from rules import queue_graph


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = shared_directory(monkeypatch, tmp_path)
    monkeypatch.setenv("PHASIC_CACHE_COMPRESS_BYTES", "1")
    return directory


@pytest.fixture
def trace(shared: Path) -> EliminationTrace:
    """Recorded and kept in both caches."""
    return obtain_trace(queue_graph()).trace


@pytest.fixture
def packed(shared: Path, trace: EliminationTrace) -> Path:
    return shared / f"{trace.key}.trace.zst"


def most_resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM:"))


def frame_of(claimed: int, content: bytes) -> bytes:
    """A frame whose header claims so many bytes, whatever it holds."""
    right = zstandard.ZstdCompressor().compress(content)
    about = zstandard.get_frame_parameters(right)
    assert about.content_size == len(content)
    length = zstandard.frame_header_size(right)
    return right[:4] + bytes([0b11100000]) + claimed.to_bytes(8, "little") + right[length:]


def test_an_entry_is_compressed_there_and_plain_here(
    cache_directory: Path,
    shared: Path,
    packed: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = cache_directory / packed.name.removesuffix(".zst")
    assert names(shared) == [packed.name]
    assert names(cache_directory) == [plain.name]
    assert zstandard.decompress(packed.read_bytes()) == plain.read_bytes()
    assert packed.stat().st_mode & 0o777 == 0o440
    other = elsewhere(monkeypatch, tmp_path)
    _, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (False, True)
    assert names(other) == [plain.name]
    assert (other / plain.name).read_bytes() == plain.read_bytes()
    assert counted("shared") == {"misses": 1, "saved": 1, "hits": 1}


def test_small_entries_stay_plain(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASIC_CACHE_COMPRESS_BYTES", "1M")
    trace = obtain_trace(queue_graph()).trace
    assert names(shared) == [f"{trace.key}.trace"]


def test_both_forms_are_found_whatever_is_configured(
    shared: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_CACHE_COMPRESS_BYTES", "0")
    elsewhere(monkeypatch, tmp_path)
    assert not obtain_trace(queue_graph()).recorded
    store = trace_stores.trace_store("shared")
    key = packed.name.split(".")[0]
    assert store.keep(key, store.look(key)[0])
    assert names(shared) == [packed.name], "a valid entry in another form stays"
    plain = packed.with_name(f"{key}.trace")
    plain.write_bytes(zstandard.decompress(packed.read_bytes()))
    (entry,) = store.directory.entries()
    assert entry.path == str(plain)
    assert entry.n_bytes == plain.stat().st_size + packed.stat().st_size
    elsewhere(monkeypatch, tmp_path, "third")
    assert not obtain_trace(queue_graph()).recorded
    assert store.directory.remove(key)
    assert names(shared) == []


@pytest.mark.parametrize("place", [0, 4, 5, 7, 20, -3])
def test_a_damaged_one_is_set_aside_once_and_recorded_once(
    shared: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int
) -> None:
    data = bytearray(packed.read_bytes())
    data[place] ^= 0x40
    packed.chmod(0o600)
    packed.write_bytes(data)
    elsewhere(monkeypatch, tmp_path)
    with pytest.warns(PhasicWarning) as said:
        _, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    assert sum("CACHE_ENTRY_BAD" in str(item.message) for item in said) == 1
    assert str(packed) in str(said[0].message)
    assert len(names(shared / ".quarantine")) == 1
    assert sorted(set(names(shared)) - {".quarantine"}) == [packed.name]
    elsewhere(monkeypatch, tmp_path, "third")
    assert not obtain_trace(queue_graph()).recorded


def test_a_truncated_one_is_found_at_any_length(shared: Path, packed: Path) -> None:
    data = packed.read_bytes()
    packed.chmod(0o600)
    store = trace_stores.trace_store("shared")
    for length in range(0, len(data) - 4, 7):  # without its checksum it has all it should
        packed.write_bytes(data[:length])
        value, problem = store.look(packed.name.split(".")[0])
        assert value is None
        assert isinstance(problem, FormatError), length


def test_one_under_another_key_is_refused(shared: Path, packed: Path) -> None:
    other = "ab" * 32
    packed.rename(packed.with_name(f"{other}.trace.zst"))
    _, problem = trace_stores.trace_store("shared").look(other)
    assert problem is not None
    assert problem.code == "FORMAT_KEY"


@pytest.mark.measured
@pytest.mark.parametrize("claimed", [60 << 30, 1 << 63, (1 << 64) - 2])
def test_forged_sizes_are_refused_at_once(
    shared: Path, packed: Path, cache_directory: Path, claimed: int
) -> None:
    packed.chmod(0o600)
    packed.write_bytes(frame_of(claimed, bytes(1 << 20)))
    store, key = trace_stores.trace_store("shared"), packed.name.split(".")[0]
    store.look(key)  # what it needs is loaded
    Path("/proc/self/clear_refs").write_text("5")
    before, seconds = most_resident(), []
    for _ in range(5):
        began = time.process_time()
        _, problem = store.look(key)
        seconds.append(time.process_time() - began)
    assert min(seconds) < 0.01
    assert most_resident() - before < 16 << 20
    assert isinstance(problem, FormatError)
    assert problem.code == "FORMAT_TOO_LARGE"
    assert names(cache_directory) == [f"{key}.trace"]


def test_one_that_is_too_large_for_us_alone_stays(
    shared: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_MAX_TRACE_BYTES", "1000")
    key = packed.name.split(".")[0]
    _, problem = trace_stores.trace_store("shared").look(key)
    assert isinstance(problem, CacheError)
    assert problem.code == "FORMAT_TOO_LARGE"
    assert "PHASIC_MAX_TRACE_BYTES" in str(problem)
    assert names(shared) == [packed.name]


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_file_is_refused_at_once(
    shared: Path, packed: Path, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed.rename(tmp_path / "entry")
    if kind == "link":
        packed.symlink_to(tmp_path / "entry")
    elif kind == "fifo":
        os.mkfifo(packed)
    else:
        packed.mkdir()
    elsewhere(monkeypatch, tmp_path)
    with pytest.warns(PhasicWarning, match="is no regular file.*CACHE_ENTRY_BAD"):
        _, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    assert packed.is_file()
    assert len(names(shared / ".quarantine")) == 1


def test_what_cannot_be_unpacked_here_is_said(
    shared: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere(monkeypatch, tmp_path)
    monkeypatch.setattr(compression, "find_spec", lambda name: None)
    with pytest.raises(DependencyError, match=r"zstandard(.|\n)*pip install"):
        obtain_trace(queue_graph())
    monkeypatch.setenv("PHASIC_CACHE_COMPRESS_BYTES", "0")
    with pytest.warns(PhasicWarning, match="zstandard.*CACHE_READ_FAILED"):
        _, recorded, _ = obtain_trace(queue_graph())
    assert recorded
    assert packed.name in names(shared)


def test_who_comes_second_leaves_what_is_there(shared: Path, packed: Path) -> None:
    store, key = trace_stores.trace_store("shared"), packed.name.split(".")[0]
    value, _ = store.look(key)
    before = packed.stat().st_ino
    store.keep(key, value)
    assert packed.stat().st_ino == before
    assert names(shared) == [packed.name]


def test_where_nothing_links_it_is_renamed(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    trace, _, kept = obtain_trace(queue_graph())
    assert kept
    assert names(shared) == [f"{trace.key}.trace.zst"]


def test_commands_know_both_forms(
    shared: Path, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = packed.name.split(".")[0]
    size = packed.stat().st_size
    there = ["--tier", "shared", "--json"]

    def told(*arguments: str) -> dict[str, Any]:
        ended = phasic("cache", *arguments)
        assert ended.code == 0, ended.err
        return ended.envelope["data"]

    assert told("show", key[:8], *there)["path"] == str(packed)
    assert told("show", key, *there)["compressed"] == size
    assert told("info", "--json")["shared"]["bytes"] == size
    phasic("cache", "pin", key, "--tier", "shared")
    assert phasic("cache", "path", key, "--tier", "shared").out.strip() == str(packed)
    assert phasic("cache", "verify", "--tier", "shared").code == 0
    archive = tmp_path / "entries.tar"
    assert told("export", "-o", str(archive), *there)["exported"] == 1
    assert told("prune", "--max-bytes", "0", "--tier", "shared", "--json")["removed"] == 0
    phasic("cache", "unpin", key, "--tier", "shared")
    assert told("clear", "--force", *there)["removed"] == 1
    assert names(shared) == []
    other = elsewhere(monkeypatch, tmp_path)
    assert phasic("cache", "import", str(archive)).code == 0
    assert names(other) == [f"{key}.trace"]
    archive.write_bytes(archive.read_bytes().replace(b"\x28\xb5\x2f\xfd", b"\x28\xb5\x2f\xfe"))
    assert phasic("cache", "import", str(archive)).code == 1


def test_a_damaged_one_is_named_by_verify(shared: Path, packed: Path) -> None:
    packed.chmod(0o600)
    packed.write_bytes(packed.read_bytes()[:-9])
    ended = phasic("cache", "verify", "--tier", "shared")
    assert ended.code == 1
    assert packed.name.split(".")[0] in ended.out


def test_names_in_both_forms(tmp_path: Path) -> None:
    directory, key = CacheDirectory(str(tmp_path), ".trace"), "ab" * 32
    assert directory.key_of(f"{key}.trace") == directory.key_of(f"{key}.trace.zst") == key
    for name in (key, f"{key}.zst", f"{key}.zst.trace", f"{key}.trace.zst.zst", f"a{key}.trace"):
        assert directory.key_of(name) is None
    assert directory.found_path(key) is None
