"""The commands of the remote cache: push, pull, and what takes `--tier remote`."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from cli_processes import PHASIC
from cli_runner import phasic
from fake_s3 import Asked, FakeS3, Fault
from phasic.cli.exit_codes import ExitCode
from remote_storage import SECRET, object_of

pytest.importorskip("obstore")
pytest.importorskip("zstandard")


def record(n: int) -> str:
    return phasic("record", "phasic.models.coalescent:kingman", "--arg", f"n={n}").out.strip()


@pytest.fixture
def keys(storage: FakeS3) -> list[str]:
    """Of three traces that are here and there."""
    return sorted(record(n) for n in (4, 5, 6))


def outcomes(*arguments: str, code: ExitCode = ExitCode.DONE) -> dict[str, str]:
    outcome = phasic("cache", *arguments)
    assert outcome.code == code, outcome.err
    return outcome.fields


def test_pull_takes_what_is_not_here(keys: list[str], cache_directory: Path) -> None:
    before = {path.name: path.read_bytes() for path in cache_directory.iterdir()}
    (cache_directory / f"{keys[0]}.trace").unlink()
    (cache_directory / f"{keys[2]}.trace").unlink()
    would, there = "would be pulled", "there"
    assert outcomes("pull", "--all", "--dry-run") == dict(
        zip(keys, (would, there, would), strict=True)
    )
    assert outcomes("pull", keys[0][:8]) == {keys[0]: "pulled"}
    assert outcomes("pull", "--all") == dict(zip(keys, (there, there, "pulled"), strict=True))
    assert {path.name: path.read_bytes() for path in cache_directory.iterdir()} == before


def test_push_saves_what_is_not_there(keys: list[str], storage: FakeS3) -> None:
    before = dict(storage.objects)
    del storage.objects[object_of(keys[1])]
    would, there = "would be pushed", "there"
    assert outcomes("push", "--all", "--dry-run") == dict(
        zip(keys, (there, would, there), strict=True)
    )
    assert len(storage.objects) == 2
    assert outcomes("push", keys[0], keys[1][:9]) == {keys[0]: there, keys[1]: "pushed"}
    assert storage.objects == before
    storage.objects[object_of(keys[1])] = b"damaged"
    assert outcomes("push", "--all") == dict.fromkeys(keys, there)
    assert outcomes("push", "--replace", keys[1]) == {keys[1]: "pushed"}
    assert storage.objects == before


def test_what_vanishes_meanwhile_stops_nothing(
    keys: list[str], storage: FakeS3, cache_directory: Path
) -> None:
    first, second, third = sorted(keys)

    def evict(asked: Asked) -> None:
        if "list-type" in asked.query:
            (cache_directory / f"{second}.trace").unlink(missing_ok=True)

    before = dict(storage.objects)
    storage.objects.clear()
    storage.fault = evict
    assert outcomes("push", "--all") == {first: "pushed", second: "gone", third: "pushed"}

    def remove(asked: Asked) -> None:
        if asked.name == object_of(first):
            storage.objects.pop(object_of(third), None)

    for path in cache_directory.iterdir():
        path.unlink()
    storage.objects |= before
    storage.fault = remove
    assert outcomes("pull", "--all") == {first: "pulled", second: "pulled", third: "gone"}
    assert phasic("cache", "pull", third).code == ExitCode.NO


def test_json(keys: list[str], storage: FakeS3) -> None:
    storage.objects.clear()
    envelope = phasic("cache", "push", "--all", "--json").envelope
    assert envelope["data"] == [{"key": key, "outcome": "pushed"} for key in keys]
    envelope = phasic("cache", "pull", keys[0], "--json").envelope
    assert envelope["data"] == [{"key": keys[0], "outcome": "there"}]


def test_damaged_ones_are_told_and_exit_1(
    keys: list[str], storage: FakeS3, cache_directory: Path
) -> None:
    path = cache_directory / f"{keys[0]}.trace"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-9])
    storage.objects.clear()
    found = outcomes("push", "--all", code=ExitCode.NO)
    assert found[keys[0]].startswith("damaged: ")
    assert (found[keys[1]], found[keys[2]]) == ("pushed", "pushed")
    assert object_of(keys[0]) not in storage.objects
    (cache_directory / f"{keys[1]}.trace").unlink()
    storage.objects[object_of(keys[1])] = b"damaged"
    assert outcomes("pull", keys[1], code=ExitCode.NO)[keys[1]].startswith("damaged: ")
    assert not (cache_directory / f"{keys[1]}.trace").exists()


def test_what_is_not_there_and_what_was_not_said(keys: list[str]) -> None:
    for command in ("push", "pull"):
        assert "[CACHE_MISS]" in phasic("cache", command, "0" * 64).err
        assert "[CACHE_MISS]" in phasic("cache", command, "0" * 8).err
        assert phasic("cache", command, "0" * 64).code == ExitCode.NO
        for wrong in ([], ["--all", keys[0]]):
            outcome = phasic("cache", command, *wrong)
            assert outcome.code == ExitCode.USAGE
            assert "either some KEYs or --all" in outcome.err
    assert "[CACHE_MISS]" in phasic("cache", "pull", "0" * 64, "--dry-run").err


def test_a_storage_that_refuses_is_exit_3_and_one_message(keys: list[str], storage: FakeS3) -> None:
    def fault(asked: Asked) -> None:
        raise Fault(403, "AccessDenied")

    storage.fault = fault
    for command in (["push", "--all"], ["pull", "--all"], ["list"], ["verify"], ["show", keys[0]]):
        tier = [] if command[0] in ("push", "pull") else ["--tier", "remote"]
        outcome = phasic("cache", *command, *tier)
        assert outcome.code == ExitCode.ENVIRONMENT
        assert outcome.err.count("CACHE_TIER_DOWN") == 1
        assert "going on" not in outcome.err


def test_none_is_configured() -> None:
    for command in (["push", "--all"], ["pull", "--all"], ["list", "--tier", "remote"]):
        outcome = phasic("cache", *command)
        assert outcome.code == ExitCode.USAGE
        assert "there is no remote cache" in outcome.err
        assert "PHASIC_CACHE_REMOTE_URL" in outcome.err
    data = phasic("cache", "info", "--json").envelope["data"]
    assert (data["remote"], data["leases"]) == (None, None)


# ---- tiers


def test_commands_take_the_tier(keys: list[str], storage: FakeS3, cache_directory: Path) -> None:
    phasic("cache", "clear", "--force")
    storage.objects["of/a group/notes.txt"] = b"no entry"
    listed = [
        line.split("\t") for line in phasic("cache", "list", "--tier", "remote").out.splitlines()
    ]
    assert sorted(line[0] for line in listed) == keys
    assert {line[1] for line in listed} == {
        str(len(storage.objects[object_of(key)])) for key in keys
    }
    shown = phasic("cache", "show", keys[0][:8], "--tier", "remote").fields
    assert shown["path"] == f"s3://traces/{object_of(keys[0])}"
    assert shown["compressed"] == str(len(storage.objects[object_of(keys[0])]))
    assert shown["written"].startswith("2026-01-02")
    assert phasic("cache", "path", "--tier", "remote").out == "s3://traces/of/a group\n"
    path = phasic("cache", "path", keys[0], "--tier", "remote").out
    assert path == f"s3://traces/{object_of(keys[0])}\n"
    assert phasic("cache", "verify", "--tier", "remote").code == ExitCode.DONE
    storage.objects[object_of(keys[1])] = b"damaged"
    outcome = phasic("cache", "verify", "--tier", "remote")
    assert outcome.code == ExitCode.NO
    assert [line.split("\t")[:2] for line in outcome.out.splitlines()] == [
        [keys[1], "FORMAT_COMPRESSED"]
    ]
    assert phasic("cache", "verify", "--tier", "remote", "--quarantine").code == ExitCode.USAGE
    assert list(cache_directory.iterdir()) == []


@pytest.mark.parametrize("command", ["pin", "unpin", "prune", "export", "import"])
def test_others_do_not(keys: list[str], command: str) -> None:
    outcome = phasic("cache", command, keys[0], "--tier", "remote")
    assert outcome.code == ExitCode.USAGE
    assert "'local', 'shared'" in outcome.err


def test_emptying_it_has_to_be_asked_for(keys: list[str], storage: FakeS3) -> None:
    phasic("cache", "clear", "--force")
    assert len(storage.objects) == 3
    assert "[NEEDS_FORCE]" in phasic("cache", "clear", "--tier", "remote").err
    dry = phasic("cache", "clear", "--tier", "remote", "--dry-run").fields
    assert (dry["removed"], len(storage.objects)) == ("3", 3)
    outcome = phasic("cache", "clear", "--tier", "remote", terminal=True, stdin="n\n")
    assert (outcome.code, len(storage.objects)) == (ExitCode.NO, 3)
    storage.objects["of/a group/notes.txt"] = b"no entry"
    done = phasic("cache", "clear", "--tier", "remote", "--force").fields
    assert (done["removed"], list(storage.objects)) == ("3", ["of/a group/notes.txt"])


def test_info_tells_of_it(keys: list[str], storage: FakeS3) -> None:
    there = phasic("cache", "info", "--json").envelope["data"]["remote"]
    assert (there["url"], there["source"]) == ("s3://traces/of/a group", "environment")
    assert (there["traces"], there["misses"], there["saved"]) == (3, 3, 3)
    assert there["bytes"] == sum(map(len, storage.objects.values()))
    assert there["problem"] is None
    assert sum(there["ages"].values()) == 3

    def fault(asked: Asked) -> None:
        raise Fault(404, "NoSuchBucket")

    storage.fault = fault
    outcome = phasic("cache", "info", "--json")
    there = outcome.envelope["data"]["remote"]
    assert outcome.code == ExitCode.DONE
    assert "the bucket does not exist" in there["problem"]
    assert there["saved"] == 3


def test_first_digits_are_sought_there_too(keys: list[str]) -> None:
    phasic("cache", "clear", "--force")
    assert phasic("evaluate", keys[0][:8], "--theta", "1").code == ExitCode.DONE
    outcome = phasic("evaluate", "0" * 8, "--theta", "1")
    assert outcome.code == ExitCode.NO
    assert "and in s3://traces/of/a group has no trace" in outcome.err


# ---- secrets


def test_no_command_shows_a_secret(
    keys: list[str], storage: FakeS3, tmp_path: Path, cache_directory: Path
) -> None:
    def fault(asked: Asked) -> None:
        raise Fault(403, "SignatureDoesNotMatch", f"AKIAOFTHISTEST {SECRET}")

    model = ["phasic.models.coalescent:kingman", "--arg", "n=9"]
    commands = [
        ["record", *model],
        ["cache", "info", "--json"],
        ["cache", "push", "--all"],
        ["config", "list", "--json"],
    ]
    environment = {**os.environ, "PHASIC_DEBUG": "1"}
    seen, lines = [], []
    for number, broken in enumerate((False, True)):
        storage.fault = fault if broken else (lambda asked: None)
        environment["PHASIC_CACHE_DIR"] = str(tmp_path / f"cache{number}")
        for command in commands:
            with subprocess.Popen(
                [*PHASIC, *command],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process:
                lines.append(Path(f"/proc/{process.pid}/cmdline").read_bytes().decode())
                assert process.stdout is not None
                seen.append(process.stdout.read())
            assert process.returncode in (ExitCode.DONE, ExitCode.NO, ExitCode.ENVIRONMENT)
    written = [
        path.read_bytes().decode(errors="replace")
        for folder in (tmp_path, cache_directory)
        for path in folder.rglob("*")
        if path.is_file()
    ]
    assert "the secret is wrong" in "".join(seen)  # the fault was met
    for text in (*seen, *lines, *written):
        assert SECRET not in text
        assert "AKIAOFTHISTEST" not in text


def test_the_doctor_looks_at_it(keys: list[str], storage: FakeS3) -> None:
    def found() -> list[str]:
        rows = [line.split("\t") for line in phasic("doctor", "--deadline", "1").out.splitlines()]
        (row,) = (row for row in rows if row[0] == "remote cache")
        return row[1:]

    size = sum(map(len, storage.objects.values()))
    assert found()[:2] == ["ok", f"s3://traces/of/a group, 3 traces, {size:,} bytes"]

    def fault(asked: Asked) -> None:
        raise Fault(403, "InvalidAccessKeyId")

    storage.fault = fault
    state, what, advice = found()
    assert state == "problem"
    assert "not know the credentials" in what
    assert "AWS_*" in advice
