"""The cache: traces come back, damage is seen, nothing of it changes an answer."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from phasic import (
    CacheError,
    EliminationTrace,
    FormatError,
    PhasicWarning,
    TraceError,
    errors,
    record_elimination_trace,
)
from phasic import hash as phasic_hash
from phasic.cache.directory import CacheDirectory
from phasic.trace_cache import clear_trace_cache, get_cache_dir
from phasic.trace_serialization import (
    clear_cache,
    get_cache_info,
    load_trace_from_cache,
    save_trace_to_cache,
)
from phasic.trace_stores import trace_directory
from rules import coalescent_graph, queue_graph

THETA = [1.0, 1.5]


def evaluate() -> list[float]:
    return queue_graph().at(THETA).moments(3).tolist()


def only_entry() -> Path:
    (entry,) = trace_directory().entries()
    return Path(entry.path)


def test_evaluating_keeps_exactly_one_file(cache_directory: Path) -> None:
    assert not cache_directory.exists()
    graph = queue_graph()
    graph.at(THETA).moments(1)
    key = phasic_hash.compute_graph_hash(graph).hash_hex
    assert os.listdir(cache_directory) == [f"{key}.trace"]
    assert cache_directory.stat().st_mode & 0o777 == 0o700
    assert get_cache_dir() == cache_directory


def test_a_second_graph_takes_the_trace_from_the_cache(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    first = evaluate()
    monkeypatch.setenv("PHASIC_DEBUG", "1")
    assert evaluate() == first
    said = capfd.readouterr().err.splitlines()
    assert len(said) == 1
    assert said[0].startswith("phasic: cache hit: ")


def test_debugging_shows_what_happens(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PHASIC_DEBUG", "1")
    evaluate()
    said = [line.split(":")[1].strip() for line in capfd.readouterr().err.splitlines()]
    assert said == ["cache miss", "recorded", "saved"]


def test_saving_and_loading_by_hand(cache_directory: Path) -> None:
    graph = coalescent_graph(9)
    trace = graph.compute_trace()
    clear_cache()
    key = phasic_hash.compute_graph_hash(graph).hash_hex
    assert load_trace_from_cache(key) is None
    assert save_trace_to_cache(key, trace)
    loaded = load_trace_from_cache(key)
    assert loaded == trace
    assert loaded.to_bytes() == trace.to_bytes() == only_entry().read_bytes()
    assert np.array_equal(loaded.moments([[1.3]], 4), trace.moments([[1.3]], 4))
    assert save_trace_to_cache(key, trace)


def test_a_wrong_key_is_refused() -> None:
    trace = queue_graph().compute_trace()
    for key in ("", "abc", "../../etc/passwd", "G" * 64, trace.key.upper()):
        with pytest.raises(CacheError, match="is no key"):
            save_trace_to_cache(key, trace)
        with pytest.raises(CacheError, match="is no key"):
            load_trace_from_cache(key)
    with pytest.raises(CacheError, match="not the key of this trace"):
        save_trace_to_cache(trace.content_hash, trace)


def test_info_list_and_clear(cache_directory: Path) -> None:
    assert get_cache_info() == {
        "cache_dir": str(cache_directory),
        "n_traces": 0,
        "total_size": 0,
        "n_quarantined": 0,
        "disabled": False,
    }
    assert clear_trace_cache() == 0
    traces = [coalescent_graph(n).compute_trace() for n in (3, 4, 5)]
    info = get_cache_info()
    assert (info["n_traces"], info["total_size"]) == (3, sum(t.n_bytes for t in traces))
    assert [entry.key for entry in trace_directory().entries()] == sorted(t.key for t in traces)
    assert trace_directory().remove(traces[0].key)
    assert not trace_directory().remove(traces[0].key)
    assert clear_trace_cache() == 2
    assert os.listdir(cache_directory) == []


def test_what_is_no_entry_is_left_alone(cache_directory: Path) -> None:
    evaluate()
    (cache_directory / "notes.trace").write_text("mine")
    (cache_directory / ("a" * 64)).write_text("mine")
    (cache_directory / f"{'b' * 64}.trace").mkdir()
    (cache_directory / f"{'c' * 64}.trace").symlink_to("/etc/hostname")
    assert clear_trace_cache() == 1
    assert len(os.listdir(cache_directory)) == 4


# ---- damage


DAMAGE = {
    "empty": lambda data: b"",
    "half": lambda data: data[: len(data) // 2],
    "one byte short": lambda data: data[:-1],
    "one byte more": lambda data: data + b"\0",
    "a flipped bit in the magic": lambda data: bytes([data[0] ^ 1]) + data[1:],
    "a flipped bit in the header": lambda data: data[:40] + bytes([data[40] ^ 4]) + data[41:],
    "a flipped bit in the arrays": lambda data: data[:-20] + bytes([data[-20] ^ 4]) + data[-19:],
    "something else": lambda data: b"\x80\x04" * 500,
    "another graph": lambda data: coalescent_graph(8).compute_trace().to_bytes(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_bad_entry_is_moved_aside_said_and_recorded_again(damage, cache_directory: Path) -> None:
    expected = evaluate()
    path = only_entry()
    good = path.read_bytes()
    bad = damage(good)
    if len(list(cache_directory.iterdir())) > 1:
        clear_cache()
    path.unlink(missing_ok=True)
    path.write_bytes(bad)
    with pytest.warns(PhasicWarning, match="bad cache entry") as caught:
        assert evaluate() == expected
    assert len(caught) == 1
    assert path.name in str(caught[0].message)
    assert path.read_bytes() == good
    assert get_cache_info()["n_quarantined"] == 1
    assert errors.warning_counts()["CACHE_ENTRY_BAD"] == 1
    (moved,) = (cache_directory / ".quarantine").iterdir()
    assert moved.read_bytes() == bad
    assert evaluate() == expected
    assert clear_cache() == 1
    assert os.listdir(cache_directory) == []


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_bad_file_is_refused(damage, tmp_path: Path) -> None:
    data = damage(queue_graph().compute_trace().to_bytes())
    if data == coalescent_graph(8).compute_trace().to_bytes():
        return  # A good trace, only under another name.
    path = tmp_path / "bad.trace"
    path.write_bytes(data)
    with pytest.raises(FormatError, match=r"bad\.trace"):
        EliminationTrace.load(path)
    with pytest.raises(FormatError):
        EliminationTrace.from_bytes(data)


@pytest.mark.parametrize("kind", ["link", "directory", "fifo"])
def test_an_entry_that_is_no_regular_file_is_not_read(kind: str, tmp_path: Path) -> None:
    expected = evaluate()
    path = only_entry()
    good = tmp_path / "good"
    path.rename(good)
    make = {
        "link": lambda: path.symlink_to(good),
        "directory": path.mkdir,
        "fifo": lambda: os.mkfifo(path),
    }
    make[kind]()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert evaluate() == expected
    assert any("regular file" in str(warning.message) for warning in caught)


# ---- saving that fails


def test_a_save_that_fails_is_a_warning(
    cache_directory: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    expected = evaluate()
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the directory should be")
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(blocked / "traces"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert evaluate() == expected
    assert errors.warning_counts() == {"CACHE_READ_FAILED": 1, "CACHE_SAVE_FAILED": 1}
    assert all(str(blocked) in str(warning.message) for warning in caught)
    assert blocked.read_text() == "a file where the directory should be"
    graph = queue_graph()
    trace = record_elimination_trace(graph)
    with pytest.warns(PhasicWarning, match="could not be saved"):
        assert not save_trace_to_cache(phasic_hash.compute_graph_hash(graph).hash_hex, trace)


def test_a_directory_open_to_all_is_not_used(cache_directory: Path) -> None:
    expected = evaluate()
    cache_directory.chmod(0o777)
    with pytest.warns(PhasicWarning, match="can be written by others"):
        assert evaluate() == expected


# ---- switches


def test_a_disabled_cache_neither_reads_nor_writes_and_says_so_once(
    cache_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_DISABLE_CACHE", "1")
    with pytest.warns(PhasicWarning, match="PHASIC_DISABLE_CACHE"):
        first = evaluate()
    # A second warning would be an error here.
    trace = queue_graph().compute_trace(hierarchical=True)
    assert not save_trace_to_cache(trace.key, trace)
    assert load_trace_from_cache(trace.key) is None
    assert not cache_directory.exists()
    assert get_cache_info()["disabled"]
    monkeypatch.delenv("PHASIC_DISABLE_CACHE")
    assert evaluate() == first


def test_without_recording_by_itself_evaluation_fails_at_once(
    cache_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = evaluate()
    monkeypatch.setenv("PHASIC_DISABLE_AUTO_TRACE", "1")
    graph = queue_graph()
    graph.update_parameterized_weights(THETA)
    with pytest.raises(TraceError, match=r"FATAL: .*PHASIC_DISABLE_AUTO_TRACE") as caught:
        graph.moments(3)
    assert "graph.compute_trace()" in caught.value.hint
    graph.compute_trace()
    assert graph.moments(3).tolist() == expected


def test_plans_are_kept_and_change_nothing(cache_directory: Path) -> None:
    plain = queue_graph(80).compute_trace()
    clear_cache()
    planned = queue_graph(80).compute_trace(hierarchical=True, min_size=50)
    assert planned.to_bytes() == plain.to_bytes()
    assert sorted(os.listdir(cache_directory)) == [".plans", f"{plain.key}.trace"]
    assert len(os.listdir(cache_directory / ".plans")) == 1
    # The same component with another way in: its plan is there already.
    again = queue_graph(80).compute_trace(hierarchical=True, min_size=50)
    assert again.to_bytes() == plain.to_bytes()
    clear_cache()
    queue_graph(40).compute_trace(hierarchical=True, min_size=50)
    assert ".plans" not in os.listdir(cache_directory)


def test_plans_are_kept_of_a_graph_that_was_evaluated_before(cache_directory: Path) -> None:
    graph = queue_graph(80)
    before = graph.at(THETA).moments(2)
    trace = graph.compute_trace(hierarchical=True, min_size=50)
    assert ".plans" in os.listdir(cache_directory)
    assert np.array_equal(trace.moments([THETA], 2)[0], before)


def test_two_processes_read_each_other(cache_directory: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from rules import queue_graph\n"
        "print(queue_graph().at([1.0, 1.5]).moments(3).tolist())"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(Path(__file__).parent)],
        env={**os.environ, "PHASIC_DEBUG": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "saved" in run.stderr
    before = only_entry().stat().st_mtime_ns
    assert str(evaluate()) == run.stdout.strip()
    assert only_entry().stat().st_mtime_ns == before


# ---- the directory alone


def test_a_directory_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(CacheError, match=str(path)) as caught:
        CacheDirectory(str(path), ".trace").entries()
    assert caught.value.errno is not None
