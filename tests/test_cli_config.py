"""`phasic config`: values with their sources, and what changing the file leaves alone."""

from __future__ import annotations

import os
import tomllib

import pytest

from cli_runner import phasic
from phasic import config
from phasic.cli.exit_codes import ExitCode


@pytest.fixture(autouse=True)
def file(tmp_path, monkeypatch):
    for key in config.KEYS:
        monkeypatch.delenv(key.variable, raising=False)
    path = tmp_path / "deep" / "config.toml"
    monkeypatch.setenv("PHASIC_CONFIG_FILE", str(path))
    monkeypatch.chdir(tmp_path)
    return path


def write(file, text):
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def test_each_value_says_where_it_comes_from(file, monkeypatch):
    write(file, "threads = 3\nmax_vertices = 10\n")
    monkeypatch.setenv("PHASIC_MAX_VERTICES", "20")
    listed = {row["key"]: row for row in phasic("config", "list", "--json").envelope["data"]}
    assert list(listed) == [key.name for key in config.KEYS]
    assert (listed["threads"]["value"], listed["threads"]["source"]) == (3, str(file))
    assert (listed["max_vertices"]["value"], listed["max_vertices"]["source"]) == (
        20, "environment",
    )  # fmt: skip
    assert listed["debug"]["source"] == "default"
    assert all(row["meaning"] for row in listed.values())


def test_lines_have_a_setting_each():
    lines = phasic("config", "list").out.splitlines()
    assert [line.split("\t")[0] for line in lines] == [key.name for key in config.KEYS]


def test_a_terminal_is_told_which_file(file):
    outcome = phasic("config", "list", terminal=True, width=200)
    assert outcome.err == f"file: {file} (there is none yet)\n"
    write(file, "")
    assert phasic("config", "list", terminal=True).err == f"file: {file}\n"


def test_get_is_the_bare_value(monkeypatch):
    assert phasic("config", "get", "debug").out == "false\n"
    monkeypatch.setenv("PHASIC_CACHE_HIGH_BYTES", "2K")
    assert phasic("config", "get", "cache_high_bytes").out == "2048\n"
    data = phasic("config", "get", "cache_high_bytes", "--json").envelope["data"]
    assert (data["value"], data["source"]) == (2048, "environment")


@pytest.mark.parametrize(
    ("key", "text", "held", "value"),
    [
        ("threads", "4", 4, 4),
        ("cache_high_bytes", "20G", "20G", 20 << 30),
        ("cache_wait_seconds", "1.5", 1.5, 1.5),
        ("disable_cache", "on", True, True),
        ("cache_dir", "~/traces", "~/traces", "~/traces"),
        ("cache_dir", '/a "b"\\c ü\n\x7f', '/a "b"\\c ü\n\x7f', '/a "b"\\c ü\n\x7f'),
    ],
)
def test_set_writes_what_is_read_again(key, text, held, value, file):
    outcome = phasic("config", "set", key, text, "--json")
    data = outcome.envelope["data"]
    value = os.path.expanduser(value) if isinstance(value, str) else value
    assert (outcome.code, data["value"], data["source"]) == (ExitCode.DONE, value, str(file))
    assert tomllib.loads(file.read_text()) == {key: held}


def test_a_relative_path_does_not_move_with_the_working_directory(file, tmp_path):
    phasic("config", "set", "cache_dir", "traces")
    assert tomllib.loads(file.read_text()) == {"cache_dir": str(tmp_path / "traces")}


def test_other_lines_stay_as_they_are(file):
    write(file, '# ours\n\n "threads"  = 1  # few\ndebug = true # why\n')
    file.chmod(0o640)
    phasic("config", "set", "threads", "8")
    assert file.read_text() == "# ours\n\nthreads = 8\ndebug = true # why\n"
    assert file.stat().st_mode & 0o777 == 0o640
    phasic("config", "set", "threads", "--default")
    assert file.read_text() == "# ours\n\ndebug = true # why\n"
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_what_is_there_already_is_not_written_again(file):
    assert phasic("config", "set", "threads", "8", "--json").envelope["data"]["changed"] is True
    before = file.stat().st_ino
    assert phasic("config", "set", "threads", "8", "--json").envelope["data"]["changed"] is False
    assert file.stat().st_ino == before
    assert phasic("config", "set", "debug", "--default", "--json").envelope["data"]["changed"] is (
        False
    )


def test_a_link_stays_a_link(file, tmp_path):
    real = tmp_path / "real.toml"
    real.write_text("threads = 1\n")
    file.parent.mkdir()
    file.symlink_to(real)
    phasic("config", "set", "threads", "2")
    assert file.is_symlink()
    assert real.read_text() == "threads = 2\n"


def test_a_wrong_value_in_the_file_can_be_mended(file):
    write(file, 'threads = "many"\n')
    assert phasic("config", "list").code == ExitCode.USAGE
    assert phasic("config", "set", "threads", "2").code == ExitCode.DONE
    assert phasic("config", "get", "threads").out == "2\n"


def test_the_environment_still_wins_and_that_is_said(file, monkeypatch):
    monkeypatch.setenv("PHASIC_THREADS", "7")
    outcome = phasic("config", "set", "threads", "2", "--json")
    assert "warning[CONFIG_OVERRIDDEN]: PHASIC_THREADS" in outcome.err
    assert outcome.envelope["data"]["value"] == 7
    assert file.read_text() == "threads = 2\n"


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["get", "thread"], "CONFIG_UNKNOWN_KEY", "did you mean threads?"),
        (["set", "colour", "1"], "CONFIG_UNKNOWN_KEY", "keys: cache_dir, "),
        (["set", "threads", "many"], "CONFIG_VALUE", "expected a whole number"),
        (["set", "cache_high_bytes", "20X"], "CONFIG_VALUE", "as in 20000000, 500M or 20G"),
        (["set", "cache_dir", ""], "CONFIG_VALUE", "expected a path"),
    ],
)
def test_what_is_refused_changes_nothing(arguments, code, told, file):
    outcome = phasic("config", *arguments, "--json")
    assert outcome.code == ExitCode.USAGE
    assert outcome.envelope["error"]["code"] == code
    assert told in outcome.err
    assert not file.exists()


@pytest.mark.parametrize(
    "text", ["threads = = 1\n", 'threads = """\n1"""\n', "\x00", "[threads]\nx = 1\n"]
)
def test_a_file_that_cannot_be_changed_by_lines_is_left_alone(text, file):
    write(file, text)
    outcome = phasic("config", "set", "threads", "2", "--json")
    assert outcome.envelope["error"]["code"] == "CONFIG_FILE"
    assert file.read_text() == text


def test_a_file_that_cannot_be_written_exits_3(file):
    file.parent.write_text("")
    outcome = phasic("config", "set", "threads", "2")
    assert outcome.code == ExitCode.ENVIRONMENT
