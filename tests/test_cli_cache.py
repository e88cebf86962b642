"""`phasic cache` beyond listing and clearing, which `test_cli_record.py` has."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

import pytest

from cli_runner import phasic
from phasic.cli.exit_codes import ExitCode

INFO = {
    "directory",
    "source",
    "enabled",
    "traces",
    "bytes",
    "pending",
    "pinned",
    "quarantined",
    "hits",
    "misses",
    "saved",
    "failed_saves",
    "damaged",
    "evicted",
    "unavailable",
    "daemon_lost",
    "daemon",
    "not_counted",
    "high_bytes",
    "low_bytes",
    "max_age_days",
    "min_free_bytes",
    "ages",
    "sizes",
    "shared",
    "remote",
    "leases",
}


def record(n: int) -> str:
    return phasic("record", "phasic.models.coalescent:kingman", "--arg", f"n={n}").out.strip()


def damage(cache: Path, key: str) -> bytes:
    path = cache / f"{key}.trace"
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data[:-1])
    return data


def test_info_tells_what_happened(cache_directory: Path) -> None:
    key = record(4)
    record(4)
    data = phasic("cache", "info", "--json").envelope["data"]
    assert set(data) == INFO
    assert (data["hits"], data["misses"], data["saved"], data["traces"]) == (1, 1, 1, 1)
    assert data["not_counted"] is None
    assert sum(data["ages"].values()) == sum(data["sizes"].values()) == 1
    assert data["ages"]["< 1 hour"] == data["sizes"]["< 4 KiB"] == 1
    damage(cache_directory, key)
    record(4)
    data = phasic("cache", "info", "--json").envelope["data"]
    assert (data["damaged"], data["quarantined"], data["misses"], data["saved"]) == (1, 1, 2, 2)


def test_info_on_a_terminal_shows_the_histograms() -> None:
    record(4)
    shown = phasic("cache", "info", terminal=True).out
    assert "< 4 KiB: 1" in shown
    assert "{" not in shown


def test_failed_saves_are_counted(cache_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_directory.mkdir()
    cache_directory.chmod(0o777)
    outcome = phasic("cache", "info")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert "error[CACHE_UNTRUSTED]" in outcome.err
    cache_directory.chmod(0o700)
    assert phasic("cache", "info").fields["failed_saves"] == "0"
    cache_directory.chmod(0o777)
    record(4)
    cache_directory.chmod(0o700)
    assert phasic("cache", "info").fields["failed_saves"] == "1"


def test_show(cache_directory: Path) -> None:
    key = record(6)
    fields = phasic("cache", "show", key[:8]).fields
    path = cache_directory / f"{key}.trace"
    assert fields["key"] == key
    assert fields["path"] == str(path)
    assert fields["bytes"] == str(path.stat().st_size)
    assert (fields["vertices"], fields["parameters"], fields["pinned"]) == ("7", "1", "false")
    assert fields["kind"] == "continuous"
    damage(cache_directory, key)
    outcome = phasic("cache", "show", key)
    assert outcome.code == ExitCode.NO
    assert "error[FORMAT_TRUNCATED]" in outcome.err
    assert path.exists()


@pytest.mark.parametrize("command", ["show", "pin", "path", "verify"])
@pytest.mark.parametrize(
    ("key", "code"), [("0" * 64, "CACHE_MISS"), ("0" * 8, "CACHE_MISS"), ("xyz", "KEY_INVALID")]
)
def test_a_key_that_is_not_there(command: str, key: str, code: str) -> None:
    outcome = phasic("cache", command, key)
    assert outcome.code == ExitCode.NO
    assert f"error[{code}]" in outcome.err


def test_verify_names_what_is_damaged(cache_directory: Path) -> None:
    keys = [record(n) for n in range(3, 8)]
    outcome = phasic("cache", "verify", terminal=True)
    assert (outcome.code, outcome.out) == (ExitCode.DONE, "")
    assert "5 traces read, 0 damaged" in outcome.err
    damage(cache_directory, keys[1])
    (cache_directory / f"{keys[3]}.trace").unlink()
    (cache_directory / f"{keys[3]}.trace").symlink_to(cache_directory / f"{keys[0]}.trace")
    outcome = phasic("cache", "verify")
    assert outcome.code == ExitCode.NO
    rows = [line.split("\t") for line in outcome.out.splitlines()]
    expected = sorted([(keys[1], "FORMAT_TRUNCATED"), (keys[3], "CACHE_NOT_REGULAR")])
    assert [(row[0], row[1]) for row in rows] == expected
    assert phasic("cache", "verify", keys[0]).code == ExitCode.DONE
    assert phasic("cache", "verify", keys[1][:9]).code == ExitCode.NO
    assert not (cache_directory / ".quarantine").exists()
    outcome = phasic("cache", "verify", "--quarantine")
    assert outcome.code == ExitCode.NO
    assert outcome.err.count("warning[CACHE_ENTRY_BAD]") == 2
    assert len(os.listdir(cache_directory / ".quarantine")) == 2
    assert phasic("cache", "verify").code == ExitCode.DONE


def test_prune(cache_directory: Path) -> None:
    keys = [record(n) for n in range(3, 8)]
    sizes = {key: (cache_directory / f"{key}.trace").stat().st_size for key in keys}
    assert phasic("cache", "prune").fields["removed"] == "0"
    two = str(sizes[keys[3]] + sizes[keys[4]])
    dry = phasic("cache", "prune", "--max-bytes", two, "--dry-run").fields
    assert (dry["removed"], dry["dry_run"]) == ("3", "true")
    assert len(phasic("cache", "list").out.splitlines()) == 5
    phasic("cache", "pin", keys[0])
    pruned = phasic("cache", "prune", "--max-bytes", two).fields
    assert pruned["removed"] == phasic("cache", "info").fields["evicted"] == "3"
    assert keys[0] in phasic("cache", "list").out
    assert phasic("cache", "prune", "--max-bytes", "many").code == ExitCode.USAGE


def test_prune_by_age(cache_directory: Path) -> None:
    old, new = record(3), record(4)
    os.utime(cache_directory / f"{old}.trace", (0, 0))
    assert phasic("cache", "prune", "--max-age", "30").fields["removed"] == "1"
    assert [line.split("\t")[0] for line in phasic("cache", "list").out.splitlines()] == [new]


def test_pins(cache_directory: Path) -> None:
    kept, gone = record(3), record(4)
    assert phasic("cache", "pin", kept[:10]).out == f"{kept}\ttrue\n"
    assert phasic("cache", "pin", kept, gone).out == f"{kept}\tfalse\n{gone}\ttrue\n"
    assert phasic("cache", "unpin", gone).out == f"{gone}\ttrue\n"
    pinned = {line.split("\t")[0]: line.split("\t")[3] for line in list_lines()}
    assert pinned == {kept: "true", gone: "false"}
    assert phasic("cache", "clear", "--force").fields["removed"] == "1"
    assert [line.split("\t")[0] for line in list_lines()] == [kept]
    fields = phasic("cache", "clear", "--force").fields
    assert (fields["removed"], fields["pinned"]) == ("0", "1")
    assert phasic("cache", "clear", "--force", "--pinned").fields["removed"] == "1"
    assert os.listdir(cache_directory) == []


def test_what_finds_no_room_is_not_said_to_be_kept(
    cache_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = record(5)
    phasic("cache", "pin", key)
    monkeypatch.setenv(
        "PHASIC_CACHE_HIGH_BYTES", str((cache_directory / f"{key}.trace").stat().st_size)
    )
    model = ("phasic.models.coalescent:kingman", "--arg", "n=6")
    outcome = phasic("record", *model, "--json")
    assert outcome.code == ExitCode.ENVIRONMENT
    assert outcome.envelope["error"]["code"] == "CACHE_SAVE_FAILED"
    assert phasic("evaluate", *model, "--theta", "1").code == ExitCode.DONE
    assert [line.split("\t")[0] for line in list_lines()] == [key]


def list_lines() -> list[str]:
    return phasic("cache", "list").out.splitlines()


@pytest.mark.parametrize(
    "command",
    ["list", "verify", "prune", "clear --force", "clear --dry-run", "export -o x.tar"]
    + [f"{name} {'ab' * 32}" for name in ("pin", "unpin", "path", "show")],
)
def test_a_shared_directory_that_is_not_there_is_no_empty_cache(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PHASIC_CACHE_SHARED_DIR", str(tmp_path / "mount"))
    outcome = phasic("cache", *command.split(), "--tier", "shared", "--json")
    assert (outcome.code, outcome.envelope["error"]["code"]) == (
        ExitCode.ENVIRONMENT,
        "CACHE_TIER_DOWN",
    )
    assert not (tmp_path / "mount").exists()
    assert phasic("cache", "path", "--tier", "shared").out == f"{tmp_path / 'mount'}\n"


def test_path(cache_directory: Path) -> None:
    assert phasic("cache", "path").out == f"{cache_directory}\n"
    key = record(3)
    assert phasic("cache", "path", key[:8]).out == f"{cache_directory / key}.trace\n"
    assert phasic("cache", "path", "--json").envelope["data"] == {"path": str(cache_directory)}


def test_export_and_import(
    cache_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = sorted(record(n) for n in (3, 4, 5))
    archive = tmp_path / "traces.tar"
    assert phasic("cache", "export", "-o", str(archive)).fields["exported"] == "3"
    with tarfile.open(archive) as tar:
        assert tar.getnames() == [f"{key}.trace" for key in keys]
    one = tmp_path / "one.tar"
    assert phasic("cache", "export", keys[1][:12], "-o", str(one)).fields["exported"] == "1"
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    imported = phasic("cache", "import", str(archive))
    assert imported.code == ExitCode.DONE
    assert imported.out == "".join(f"{key}.trace\ttrue\t\n" for key in keys)
    assert sorted(line.split("\t")[0] for line in list_lines()) == keys
    for key in keys:
        name = f"{key}.trace"
        assert (tmp_path / "other" / name).read_bytes() == (cache_directory / name).read_bytes()


def test_an_import_that_is_refused(
    cache_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = record(3)
    damage(cache_directory, key)
    archive = tmp_path / "traces.tar"
    phasic("cache", "export", "-o", str(archive))
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "other"))
    outcome = phasic("cache", "import", str(archive))
    assert outcome.code == ExitCode.NO
    assert outcome.out.startswith(f"{key}.trace\tfalse\t")
    assert "truncated" in outcome.out
    archive.write_bytes(b"no archive")
    outcome = phasic("cache", "import", str(archive), "--json")
    assert outcome.envelope["error"]["code"] == "ARCHIVE_INVALID"
    assert phasic("cache", "import", str(tmp_path / "missing.tar")).code == ExitCode.ENVIRONMENT
    assert phasic("cache", "export").code == ExitCode.USAGE
    assert [path.name for path in tmp_path.glob(".traces*")] == []
