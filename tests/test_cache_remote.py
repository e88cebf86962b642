"""The remote tier against a storage of our own that fails in every way (`fake_s3`)."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cache_state import counted, elsewhere, names
from fake_s3 import BUCKET, Asked, FakeS3, Fault
from phasic import PhasicWarning, remote_settings, trace_cache, trace_stores
from phasic.cache.compression import compress
from phasic.errors import CacheError, ConfigError, DependencyError, FormatError
from phasic.trace_elimination import obtain_trace
from remote_storage import SECRET, object_of
from rules import queue_graph

pytest.importorskip("obstore")
pytest.importorskip("zstandard")


DEADLINE = 1.0
LATE = DEADLINE + 2.5  # this machine may be busy


@pytest.fixture
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PHASIC_CACHE_DEADLINE_SECONDS", str(DEADLINE))


def kept_locally(directory: Path, key: str) -> None:
    assert names(directory) == [f"{key}.trace"]


# ---- what it is for


def test_a_recording_is_kept_in_both(storage: FakeS3, cache_directory: Path) -> None:
    trace, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, True)
    kept_locally(cache_directory, trace.key)
    assert list(storage.objects) == [object_of(trace.key)]
    assert counted("remote") == {"misses": 1, "saved": 1}
    puts = [asked for asked in storage.asked if asked.method == "PUT"]
    assert [asked.headers["if-none-match"] for asked in puts] == ["*"]


def test_the_object_is_a_frame_that_says_its_size(storage: FakeS3, cache_directory: Path) -> None:
    import zstandard

    trace, _, _ = obtain_trace(queue_graph())
    data = storage.objects[object_of(trace.key)]
    plain = (cache_directory / f"{trace.key}.trace").read_bytes()
    assert zstandard.get_frame_parameters(data).content_size == len(plain)
    assert zstandard.decompress(data) == plain


def test_another_machine_takes_the_same_bytes(
    storage: FakeS3, cache_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, _, _ = obtain_trace(queue_graph())
    other = elsewhere(monkeypatch, tmp_path)
    again, recorded, kept = obtain_trace(queue_graph())
    assert (again.key, recorded, kept) == (trace.key, False, True)
    kept_locally(other, trace.key)
    name = f"{trace.key}.trace"
    assert (other / name).read_bytes() == (cache_directory / name).read_bytes()
    assert counted("remote") == {"misses": 1, "saved": 1, "hits": 1}
    asked = len(storage.asked)
    obtain_trace(queue_graph())  # from its own cache
    assert len(storage.asked) == asked


def test_who_comes_second_keeps_his_own(
    storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _, _ = obtain_trace(queue_graph())
    data = storage.objects[object_of(first.key)]
    elsewhere(monkeypatch, tmp_path)

    def not_there_yet(asked: Asked) -> None:
        if asked.method == "GET":
            raise Fault(404, "NoSuchKey")

    storage.fault = not_there_yet
    gets = storage.count("GET")
    second, recorded, kept = obtain_trace(queue_graph())
    assert (second.key, recorded, kept) == (first.key, True, True)
    assert storage.objects == {object_of(first.key): data}
    assert storage.count("GET") == gets + 1  # it is not read again
    assert counted("remote") == {"misses": 2, "saved": 1}


def test_independent_recordings_are_equal_objects(
    storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for number in range(3):
        directory = elsewhere(monkeypatch, tmp_path, f"machine{number}")
        trace, recorded, _ = obtain_trace(queue_graph())
        assert recorded
        stored = storage.objects.pop(object_of(trace.key))
        found.append(((directory / f"{trace.key}.trace").read_bytes(), stored))
    assert found[0] == found[1] == found[2]


def test_it_stands_behind_a_shared_directory(
    storage: FakeS3, cache_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, _, _ = obtain_trace(queue_graph())
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o700)
    monkeypatch.setenv("PHASIC_CACHE_SHARED_DIR", str(shared))
    assert trace_stores.tiers() == ("local", "shared", "remote")
    other = elsewhere(monkeypatch, tmp_path)
    assert trace_cache.find(bytes.fromhex(trace.key)) is not None
    kept_locally(other, trace.key)
    kept_locally(shared, trace.key)
    assert trace_cache.find(bytes(32)) is None


def test_a_directory_may_stand_for_it(
    cache_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "objects"
    monkeypatch.setenv("PHASIC_CACHE_REMOTE_URL", f"file://{place}")
    with pytest.warns(PhasicWarning, match=r"is not there; going on without it"):
        trace, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept, place.exists()) == (True, True, False)
    place.mkdir()
    monkeypatch.setenv("PHASIC_CACHE_REMOTE_URL", f"file://{place}/")  # not asked before
    elsewhere(monkeypatch, tmp_path)
    assert obtain_trace(queue_graph())[1]
    assert names(place) == [f"{trace.key}.trace.zst"]
    elsewhere(monkeypatch, tmp_path, "third")
    assert not obtain_trace(queue_graph())[1]


def test_making_it_asks_nothing(storage: FakeS3) -> None:
    trace_stores.trace_tiers()
    assert storage.asked == []
    assert "obstore" not in modules_after("trace_stores.trace_tiers()")


def modules_after(statement: str) -> set[str]:
    modules = "from phasic import trace_cache, trace_stores"
    program = f"{modules}\n{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in done.stdout.split()}


def test_it_is_loaded_only_where_it_is_configured(
    storage: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = "trace_cache.find(bytes(32))"
    assert {"obstore"} <= modules_after(statement)
    monkeypatch.delenv("PHASIC_CACHE_REMOTE_URL")
    assert not {"obstore", "zstandard", "redis"} & modules_after(statement)


@pytest.mark.parametrize("package", ["obstore", "zstandard"])
def test_a_package_that_is_not_installed(
    storage: FakeS3, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setattr(f"phasic.cache.{_user_of(package)}.find_spec", lambda name: None)
    remote_settings._objects.cache_clear()
    with pytest.raises(DependencyError, match=f"package {package}, which is not") as caught:
        obtain_trace(queue_graph())
    assert caught.value.code == f"{package.upper()}_MISSING"
    assert "phasic[remote]" in str(caught.value)


def _user_of(package: str) -> str:
    return {"obstore": "objects", "zstandard": "compression"}[package]


# ---- what is wrong there


def bad_objects(key: str, good: bytes) -> dict[str, bytes]:
    import zstandard

    plain = zstandard.decompress(good)
    flipped = bytearray(plain)
    flipped[len(plain) // 2] ^= 1
    return {
        "no frame": b"<html>your proxy says hello</html>",
        "nothing": b"",
        "a truncated frame": good[:-20],
        "the wrong trace": zstandard.compress(bytes(flipped)),
        "no trace": zstandard.compress(b"hello"),
        "a bomb": zstandard.compress(bytes(64 << 20)),
    }


KINDS = ["no frame", "nothing", "a truncated frame", "the wrong trace", "no trace", "a bomb"]


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_bytes_are_never_stored(
    storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    trace, _, _ = obtain_trace(queue_graph())
    name = object_of(trace.key)
    wrong = bad_objects(trace.key, storage.objects[name])[kind]
    storage.objects[name] = wrong
    monkeypatch.setenv("PHASIC_MAX_TRACE_BYTES", str(1 << 20))
    other = elsewhere(monkeypatch, tmp_path)
    with pytest.warns(PhasicWarning) as said:
        again, recorded, kept = obtain_trace(queue_graph())
    assert ["CACHE_ENTRY_BAD" in str(warning.message) for warning in said] == [True]
    assert (again.key, recorded, kept) == (trace.key, True, True)
    kept_locally(other, trace.key)
    assert storage.objects == {name: wrong}  # left as it is
    assert counted("remote") == {"misses": 2, "saved": 1, "damaged": 1}


def test_an_object_of_another_key_is_refused(
    storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, _, _ = obtain_trace(queue_graph())
    other_key = queue_graph(5).compute_trace().key
    storage.objects[object_of(trace.key)] = storage.objects[object_of(other_key)]
    elsewhere(monkeypatch, tmp_path)
    with pytest.warns(PhasicWarning, match=r"trace of another graph.*CACHE_ENTRY_BAD"):
        assert trace_cache.find(bytes.fromhex(trace.key)) is None


def test_bad_entries_in_a_row_open_the_breaker(
    storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [queue_graph(n).compute_trace().key for n in (3, 4, 5, 6)]
    storage.changed = lambda data: b"<html>sign in first</html>"
    elsewhere(monkeypatch, tmp_path)
    tier = trace_stores.trace_remote()
    with pytest.warns(PhasicWarning) as said:
        found = [tier.find(key) for key in keys]
    assert found == [None] * 4
    codes = [str(warning.message).rpartition("[")[2].rstrip("]") for warning in said]
    assert codes == ["CACHE_ENTRY_BAD"] * 3 + ["CACHE_TIER_DOWN"]
    assert storage.count("GET") == 4 + 3  # the fourth was not asked for
    assert (counted("remote")["damaged"], counted("remote")["unavailable"]) == (3, 1)


# ---- what cannot be asked


def refuse(status: int, code: str):
    def fault(asked: Asked) -> None:
        raise Fault(status, code, f"AKIAOFTHISTEST {SECRET}")

    return fault


def close(asked: Asked) -> None:
    raise ConnectionError


FAULTS = {
    "credentials it does not know": (refuse(403, "InvalidAccessKeyId"), "not know the credentials"),
    "a wrong secret": (refuse(403, "SignatureDoesNotMatch"), "the secret is wrong"),
    "access denied": (refuse(403, "AccessDenied"), "s3:ListBucket"),
    "clock skew": (refuse(403, "RequestTimeTooSkewed"), "this machine's clock differs"),
    "no bucket": (refuse(404, "NoSuchBucket"), "the bucket does not exist"),
    "no storage": (refuse(404, ""), "no such storage"),
    "slow down": (refuse(503, "SlowDown"), "asks for fewer requests"),
    "an inner failure": (refuse(500, "InternalError"), "refuses reading"),
    "closed connections": (close, "fails at reading"),
}


@pytest.mark.usefixtures("little_patience")
@pytest.mark.parametrize("name", FAULTS)
def test_without_it_work_goes_on(storage: FakeS3, cache_directory: Path, name: str) -> None:
    storage.fault, told = FAULTS[name]
    began = time.monotonic()
    with pytest.warns(PhasicWarning) as said:
        trace, recorded, kept = obtain_trace(queue_graph())
    assert time.monotonic() - began < LATE
    message = str(said[0].message)
    assert len(said) == 1
    assert told in message
    assert "CACHE_TIER_DOWN" in message
    assert SECRET not in message
    assert "AKIA" not in message
    assert (recorded, kept) == (True, True)
    kept_locally(cache_directory, trace.key)
    obtain_trace(queue_graph(5))  # the breaker is open: at once, and without a word
    assert counted("remote") == {"misses": 2, "failed_saves": 2, "unavailable": 1}
    assert storage.objects == {}


@pytest.mark.usefixtures("little_patience")
def test_a_server_that_does_not_answer(storage: FakeS3, cache_directory: Path) -> None:
    storage.fault = lambda asked: storage.over.wait(20 * DEADLINE)
    began = time.monotonic()
    with pytest.warns(PhasicWarning, match="does not answer.*CACHE_TIER_DOWN") as said:
        trace, _, _ = obtain_trace(queue_graph())
    assert time.monotonic() - began < LATE
    assert len(said) == 1
    kept_locally(cache_directory, trace.key)


@pytest.mark.usefixtures("little_patience")
def test_a_server_that_is_down(
    storage: FakeS3, cache_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PHASIC_CACHE_REMOTE_ENDPOINT", "http://127.0.0.1:9")
    began = time.monotonic()
    with pytest.warns(PhasicWarning, match="cannot be connected to; going on without"):
        trace, _, _ = obtain_trace(queue_graph())
    assert time.monotonic() - began < LATE
    kept_locally(cache_directory, trace.key)


def test_bytes_that_trickle(
    storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, _, _ = obtain_trace(queue_graph())
    storage.piece, storage.pace = 8, 0.05
    monkeypatch.setenv("PHASIC_CACHE_DEADLINE_SECONDS", str(DEADLINE))
    other = elsewhere(monkeypatch, tmp_path)
    began = time.monotonic()
    with pytest.warns(PhasicWarning, match=r"(in time|a second).*CACHE_TIER_DOWN") as said:
        _, recorded, _ = obtain_trace(queue_graph())
    assert (len(said), recorded) == (1, True)
    assert time.monotonic() - began < LATE
    kept_locally(other, trace.key)


def test_one_failure_is_repeated_and_no_failure(storage: FakeS3) -> None:
    failures = iter([Fault(500, "InternalError"), ConnectionError(), Fault(503, "SlowDown")])

    def fault(asked: Asked) -> None:
        error = next(failures, None)
        if error is not None:
            raise error

    storage.fault = fault
    _, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept, len(storage.objects)) == (True, True, 1)
    assert counted("remote") == {"misses": 1, "saved": 1}


def test_forbidden_is_not_missing(storage: FakeS3) -> None:
    key = queue_graph().compute_trace().key
    storage.fault = refuse(403, "AccessDenied")
    with pytest.raises(CacheError) as caught:
        trace_stores.trace_remote().fetch(key)
    assert caught.value.code == "CACHE_TIER_DOWN"


def test_one_that_may_only_be_read(
    storage: FakeS3, cache_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(asked: Asked) -> None:
        if asked.method != "GET":
            raise Fault(403, "AccessDenied")

    storage.fault = read_only
    with pytest.warns(PhasicWarning, match="refuses writing") as said:
        _, recorded, kept = obtain_trace(queue_graph())
    assert (len(said), recorded, kept) == (1, True, True)
    assert counted("remote") == {"misses": 1, "failed_saves": 1, "unavailable": 1}


def test_a_local_cache_that_cannot_be_written(
    storage: FakeS3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    obtain_trace(queue_graph())
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(file))
    with pytest.warns(PhasicWarning) as said:
        _, recorded, kept = obtain_trace(queue_graph())
    assert (recorded, kept) == (True, False)
    assert any("CACHE_READ_FAILED" in str(warning.message) for warning in said)
    assert "unavailable" not in counted("remote")


@pytest.mark.usefixtures("little_patience")
def test_a_process_ends_while_its_credentials_are_sought(
    storage: FakeS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", storage.endpoint)
    storage.fault = lambda asked: storage.over.wait(30)
    program = "from phasic import trace_cache, trace_stores\nprint(trace_cache.find(bytes(32)))"
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=25
    )
    assert (done.returncode, done.stdout) == (0, "None\n"), done.stderr
    assert done.stderr.count("CACHE_TIER_DOWN") == 1
    assert "no AWS_ACCESS_KEY_ID, so instance credentials were sought" in done.stderr
    assert time.monotonic() - began < 15


def test_a_forked_process_says_that_it_goes_without(storage: FakeS3, tmp_path: Path) -> None:
    program = (
        "import os\n"
        "from phasic import trace_cache, trace_stores\n"
        "trace_cache.find(bytes(32))\n"
        "child = os.fork()\n"
        "print(trace_cache.find(bytes(32)), flush=True)\n"
        "child and os.waitpid(child, 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "None\nNone\n"
    assert done.stderr.count("by a process forked from one that has asked it") == 1


# ---- secrets


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cache_remote_url", f"s3://AKIA:{SECRET}@{BUCKET}/x"),
        ("cache_remote_url", f"s3://{BUCKET}/x?secret={SECRET}"),
        ("cache_remote_url", f"gs://{BUCKET}/{SECRET}"),
        ("cache_remote_endpoint", f"https://AKIA:{SECRET}@storage.example"),
        ("cache_remote_endpoint", f"https://storage.example/?X-Amz-Signature={SECRET}"),
        ("cache_redis_url", f"redis://:{SECRET}@localhost:6379/0"),
        ("cache_redis_url", f"redis://localhost:6379/0?password={SECRET}"),
    ],
)
def test_a_secret_in_an_address_is_refused_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, key: str, value: str
) -> None:
    from phasic import config

    monkeypatch.setenv(f"PHASIC_{key.upper()}", value)
    with pytest.raises(ConfigError) as caught:
        config.setting(key)
    assert SECRET not in str(caught.value)
    assert "not repeated here" in str(caught.value)


def test_frames_are_made_by_determinism(storage: FakeS3) -> None:
    trace, _, _ = obtain_trace(queue_graph())
    plain = (trace_cache.get_cache_dir() / f"{trace.key}.trace").read_bytes()
    frame = io.BytesIO()
    compress(io.BytesIO(plain), frame, len(plain))
    assert storage.objects[object_of(trace.key)] == frame.getvalue()


def test_what_is_asked_by_commands_is_an_error(storage: FakeS3) -> None:
    tier = trace_stores.file_remote()
    storage.objects[object_of("ab" * 32)] = b"nonsense"
    with pytest.raises(FormatError):
        tier.fetch("ab" * 32)
    assert tier.fetch("cd" * 32) is None
    assert storage.count("PUT") == 0
