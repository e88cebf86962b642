"""A shared directory behind the local cache; `cache_trials/behind.py` has its system calls fail."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from cache_state import counted, names, shared_directory
from cli_runner import phasic
from phasic import ConfigError, PhasicWarning, trace_cache
from phasic.cache import reach
from phasic.cache.counts import Counts
from phasic.cache.reach import Deadline
from phasic.cli.exit_codes import ExitCode
from phasic.errors import CacheError, FormatError, InternalError
from phasic.trace_elimination import obtain_trace
from rules import queue_graph


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return shared_directory(monkeypatch, tmp_path)


def test_a_recording_is_kept_in_both(cache_directory: Path, shared: Path) -> None:
    trace, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    assert names(cache_directory) == names(shared) == [f"{trace.key}.trace"]
    assert counted("local") == counted("shared") == {"misses": 1, "saved": 1}


def test_another_local_cache_takes_a_copy_of_its_own(
    cache_directory: Path, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, _ = obtain_trace(queue_graph())
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    second, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (False, True)
    assert counted("local") == {"misses": 1, "saved": 1}
    name = f"{first.key}.trace"
    assert (cache_directory / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert second.key == first.key
    obtain_trace(queue_graph())
    assert counted("local")["hits"] == 1
    assert counted("shared") == {"misses": 1, "saved": 1, "hits": 1}


def test_finding_by_key_copies_too(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = queue_graph().compute_trace().key
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    assert trace_cache.find(bytes(32)) is None
    assert trace_cache.find(bytes.fromhex(key)) is not None
    assert names(tmp_path / "other") == [f"{key}.trace"]


def test_a_damaged_entry_there_is_set_aside_and_never_copied(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = queue_graph().compute_trace()
    path = shared / f"{trace.key}.trace"
    good = path.read_bytes()
    path.unlink()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    with pytest.warns(PhasicWarning, match="CACHE_ENTRY_BAD"):
        _, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes() == good
    assert len(names(shared / ".quarantine")) == 1
    assert counted("shared")["damaged"] == 1


def test_what_is_not_there_is_not_made(cache_directory: Path, shared: Path) -> None:
    shared.rmdir()
    with pytest.warns(PhasicWarning, match=r"is not there; going on without it.*CACHE_TIER_DOWN"):
        trace, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    assert not shared.exists()
    assert names(cache_directory) == [f"{trace.key}.trace"]
    obtain_trace(queue_graph(5))  # for a while it is not asked, and that was said
    assert counted("shared") == {"misses": 2, "failed_saves": 2, "unavailable": 1}


def test_one_that_others_can_write_to_is_not_used(shared: Path) -> None:
    shared.chmod(0o777)
    with pytest.warns(PhasicWarning) as said:
        _, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    assert len([warning for warning in said if "CACHE_SAVE_FAILED" in str(warning.message)]) == 1
    assert names(shared) == []
    assert counted("shared")["failed_saves"] == 1


def test_the_local_directory_is_no_shared_one(
    cache_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(cache_directory)
    monkeypatch.setenv("PHASIC_CACHE_SHARED_DIR", str(tmp_path / "link"))
    with pytest.raises(ConfigError, match="the directory that cache_dir names too"):
        queue_graph().compute_trace()


# ---- deadlines


def deadline(path: Path, seconds: float = 0.1, rest: float = 60.0) -> Deadline:
    counts = Counts(f"{path}.state", "shared")
    return Deadline(str(path), "/nowhere", counts, seconds, rest)


def test_a_call_that_takes_too_long_is_left_behind(tmp_path: Path) -> None:
    reach, go_on = deadline(tmp_path), threading.Event()
    began = time.monotonic()
    with (
        pytest.warns(PhasicWarning, match=r"does not answer within 0\.1 s"),
        pytest.raises(CacheError, match="does not answer"),
    ):
        reach(lambda: go_on.wait(30))
    with pytest.raises(CacheError) as caught:
        reach(lambda: 1)  # at once, and without a word
    assert caught.value.code == "CACHE_TIER_DOWN"
    assert time.monotonic() - began < 5
    assert Counts(f"{tmp_path}.state", "shared").read()["unavailable"] == 1
    go_on.set()


def test_another_process_asks_first_and_hangs_instead(tmp_path: Path) -> None:
    # To open a named pipe that nobody writes to is to wait, as on a silent mount.
    silent = tmp_path / "pipe"
    os.mkfifo(silent)
    asked: list[int] = []
    with (
        pytest.warns(PhasicWarning, match=r"pipe does not answer within 0\.1 s"),
        pytest.raises(CacheError, match="does not answer"),
    ):
        deadline(silent)(lambda: asked.append(1))
    assert not asked
    # That process waits there still, and is let go.
    os.close(os.open(silent, os.O_WRONLY | os.O_NONBLOCK))


def test_what_has_answered_is_not_probed_again_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed: list[str] = []
    monkeypatch.setattr(reach, "answers", lambda path, _: not probed.append(path))
    call = deadline(tmp_path, seconds=10.0)
    assert [call(lambda: 1), call(lambda: 2)] == [1, 2]
    assert probed == [str(tmp_path)]
    monkeypatch.setattr(reach, "TRUSTED_SECONDS", 0.0)
    assert call(lambda: 3) == 3
    assert len(probed) == 2


def test_of_many_threads_that_wait_one_says_so(tmp_path: Path) -> None:
    reach, go_on = deadline(tmp_path, seconds=0.5), threading.Event()
    refused = []

    def ask() -> None:
        try:
            reach(lambda: go_on.wait(30))
        except CacheError as error:
            refused.append(error.code)

    def ask_together() -> None:
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with pytest.warns(PhasicWarning) as said:
        ask_together()
    go_on.set()
    assert (len(said), refused) == (1, ["CACHE_TIER_DOWN"] * 4)
    assert Counts(f"{tmp_path}.state", "shared").read()["unavailable"] == 1


def test_after_a_rest_it_is_tried_again(tmp_path: Path) -> None:
    missing = tmp_path / "mount"
    reach = deadline(missing, seconds=10, rest=0.2)
    with pytest.warns(PhasicWarning, match="is not there"), pytest.raises(CacheError):
        reach(lambda: 1)
    missing.mkdir()
    time.sleep(0.25)
    assert reach(lambda: 1) == 1


def test_what_a_call_raises_is_raised(tmp_path: Path) -> None:
    def bad() -> None:
        raise FormatError("bad bytes")

    with pytest.raises(FormatError, match="bad bytes"):
        deadline(tmp_path, 10)(bad)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_in_a_call_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(InternalError, match="without a result"):
        deadline(tmp_path, 10)(lambda: [][0])


def test_a_process_ends_while_a_call_hangs(shared: Path, cache_directory: Path) -> None:
    program = (
        "import threading, warnings\n"
        "from phasic._engine.trace import TraceHandle\n"
        "from phasic import trace_cache, trace_stores\n"
        f"hung = {str(shared)!r}\n"
        "usual = TraceHandle.load_entry\n"
        "TraceHandle.load_entry = classmethod(lambda cls, directory, key: "
        "threading.Event().wait() if directory == hung else usual(directory, key))\n"
        "print(trace_cache.find(bytes(32)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PHASIC_CACHE_DEADLINE_SECONDS": "0.2"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "None\n"), done.stderr
    assert done.stderr.count("CACHE_TIER_DOWN") == 1


# ---- commands


def record(n: int) -> str:
    return phasic("record", "phasic.models.coalescent:kingman", "--arg", f"n={n}").out.strip()


def test_info_tells_tier_by_tier(shared: Path) -> None:
    record(4)
    data = phasic("cache", "info", "--json").envelope["data"]
    there = data["shared"]
    assert (there["directory"], there["source"]) == (str(shared), "environment")
    assert (there["traces"], there["bytes"]) == (1, data["bytes"])
    assert (there["hits"], there["misses"], there["saved"], there["problem"]) == (0, 1, 1, None)
    shared.chmod(0o777)
    outcome = phasic("cache", "info", "--json")
    assert outcome.code == ExitCode.DONE
    assert "can be written by others" in outcome.envelope["data"]["shared"]["problem"]
    assert outcome.envelope["data"]["traces"] == outcome.envelope["data"]["shared"]["saved"] == 1


def test_commands_take_a_tier(shared: Path, tmp_path: Path) -> None:
    keys = sorted([record(4), record(5)])
    assert phasic("cache", "clear", "--force").fields["removed"] == "2"
    assert phasic("cache", "list").out == ""
    listed = phasic("cache", "list", "--tier", "shared").out.splitlines()
    assert sorted(line.split("\t")[0] for line in listed) == keys
    assert phasic("cache", "path", "--tier", "shared").out == f"{shared}\n"
    shown = phasic("cache", "show", keys[0][:8], "--tier", "shared").fields
    assert shown["path"] == str(shared / f"{keys[0]}.trace")
    assert phasic("cache", "show", keys[0][:8]).code == ExitCode.NO
    assert phasic("cache", "pin", keys[0], "--tier", "shared").out == f"{keys[0]}\ttrue\n"
    assert phasic("cache", "verify", "--tier", "shared").code == ExitCode.DONE
    archive = str(tmp_path / "traces.tar")
    exported = phasic("cache", "export", "-o", archive, "--tier", "shared").fields
    assert exported["exported"] == "2"
    pruned = phasic("cache", "prune", "--max-bytes", "1", "--tier", "shared").fields
    assert (pruned["directory"], pruned["removed"]) == (str(shared), "1")
    assert phasic("cache", "import", archive, "--tier", "shared").code == ExitCode.DONE
    assert phasic("cache", "unpin", keys[0], "--tier", "shared").out == f"{keys[0]}\ttrue\n"
    assert phasic("cache", "clear", "--force", "--tier", "shared").fields["removed"] == "2"
    assert names(shared) == []


def test_first_digits_are_sought_in_every_tier(shared: Path) -> None:
    key = record(4)
    phasic("cache", "clear", "--force")
    assert phasic("evaluate", key[:8], "--theta", "1").code == ExitCode.DONE
    outcome = phasic("evaluate", "0" * 8, "--theta", "1")
    assert outcome.code == ExitCode.NO
    assert f"and in {shared} has no trace" in outcome.err


def test_a_tier_that_is_not_configured() -> None:
    outcome = phasic("cache", "list", "--tier", "shared")
    assert outcome.code == ExitCode.USAGE
    assert "error[CACHE_NO_TIER]" in outcome.err
    assert "PHASIC_CACHE_SHARED_DIR" in outcome.err
    assert phasic("cache", "info", "--json").envelope["data"]["shared"] is None
    outcome = phasic("cache", "list", "--tier", "far")
    assert outcome.code == ExitCode.USAGE
    assert "'local', 'shared'" in outcome.err
