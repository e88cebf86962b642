"""What every command does alike: typos, colour, readers that have gone, Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer.main

from cli_processes import COALESCENT, ENDLESS, PATIENCE, PHASIC
from cli_runner import phasic, walk
from phasic import config
from phasic.cli.app import app
from phasic.cli.exit_codes import ExitCode

# What each command is given here, so that it prints a result.
ARGUMENTS = {
    ("record",): ["model.py"],
    ("inspect",): ["model.py"],
    ("evaluate",): ["model.py", "--theta", "1"],
    ("plot",): ["model.py", "--theta", "1", "-o", "out.svg"],
    ("report",): ["model.py", "--theta", "1", "-o", "out.html"],
    ("sample",): ["model.py", "--theta", "1", "-n", "3"],
    ("infer",): ["model.py", "data", "--method", "moments"],
    ("models",): [],
    ("convert",): ["model.py", "out.drn"],
    ("doctor",): [],
    ("completion",): ["zsh"],
    ("cache", "info"): [],
    ("cache", "list"): [],
    ("cache", "show"): ["KEY"],
    ("cache", "verify"): [],
    ("cache", "prune"): [],
    ("cache", "clear"): ["--force"],
    ("cache", "pin"): ["KEY"],
    ("cache", "unpin"): ["KEY"],
    ("cache", "export"): ["-o", "out.tar"],
    ("cache", "import"): ["archive.tar"],
    ("cache", "path"): [],
    ("cache", "plot"): ["-o", "use.svg"],
    ("daemon", "unit"): [],
    ("config", "list"): [],
    ("config", "get"): ["threads"],
    ("config", "set"): ["threads", "2"],
}
# They need a storage or a daemon: test_cli_remote.py, test_daemon.py.
ELSEWHERE = [
    ("cache", "pull"),
    ("cache", "push"),
    ("daemon", "logs"),
    ("daemon", "run"),
    ("daemon", "start"),
    ("daemon", "status"),
    ("daemon", "stop"),
]
EXPLORING = [
    ["record", "model.py"],
    ["inspect", "model.py"],
    ["evaluate", "model.py", "--theta", "1"],
    ["plot", "model.py", "--theta", "1", "-o", "out.svg"],
    ["report", "model.py", "--theta", "1", "-o", "out.html"],
    ["sample", "model.py", "--theta", "1"],
    ["infer", "model.py", "data", "--method", "moments"],
    ["convert", "model.py", "out.drn"],
]


TREE = list(walk(typer.main.get_command(app)))
LEAVES = [(path, command) for path, command in TREE if not hasattr(command, "commands")]


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    for key in config.KEYS:
        monkeypatch.delenv(key.variable, raising=False)
    home = tmp_path / "place"
    home.mkdir()
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PHASIC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("PHASIC_CONFIG_FILE", str(tmp_path / "config.toml"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.chdir(home)
    (home / "model.py").write_text(COALESCENT)
    (home / "data").write_text("1\n2\n")
    return home


def arguments_of(path):
    """Those of the table, with a key and an archive that are there."""
    given = ARGUMENTS[path]
    if "KEY" in given or "archive.tar" in given or path[0] == "cache":
        key = phasic("record", "model.py").out.strip()
        assert phasic("cache", "export", "-o", "archive.tar").code == ExitCode.DONE
        given = [key if word == "KEY" else word for word in given]
    return [*path, *given]


def test_every_command_is_given_something_here():
    assert sorted([*ARGUMENTS, *ELSEWHERE]) == sorted(path for path, _ in LEAVES)


# -- typos


@pytest.mark.parametrize("path", [path for path, _ in TREE if path], ids=" ".join)
def test_a_command_with_two_letters_swapped_is_recognised(path):
    *group, name = path
    typo = f"{name[:-2]}{name[-1]}{name[-2]}" if name[-1] != name[-2] else f"{name}x"
    outcome = phasic(*group, typo)
    assert outcome.code == ExitCode.USAGE
    assert f"'{typo}'" in outcome.err
    assert f"'{name}'" in outcome.err.partition("Did you mean")[2]


@pytest.mark.parametrize(("path", "command"), LEAVES, ids=lambda value: str(value))
def test_an_option_with_a_letter_missing_is_recognised(path, command):
    tried = 0
    for parameter in command.params:
        for option in parameter.opts:
            typo = option[:-2] + option[-1]
            names = {name for other in command.params for name in other.opts}
            if not option.startswith("--") or len(option) < 6 or typo in names:
                continue
            outcome = phasic(*path, typo)
            assert outcome.code == ExitCode.USAGE
            assert f"No such option: {typo}" in outcome.err
            assert option in outcome.err.partition("Possible options:")[2]
            tried += 1
    assert tried


# -- colour


@pytest.mark.parametrize("path", sorted(ARGUMENTS), ids=" ".join)
def test_without_colour_there_is_none(path):
    given = arguments_of(path)
    outcome = phasic(*given, terminal=True, colour=False)
    assert outcome.code == ExitCode.DONE, outcome.err
    assert "\x1b" not in outcome.out + outcome.err
    outcome = phasic(*path, "--no-such-option", terminal=True, colour=False)
    assert "\x1b" not in outcome.out + outcome.err


def test_with_colour_there_is_some():
    assert "\x1b[" in phasic("config", "list", terminal=True, colour=True).out
    assert "\x1b[" in phasic("record", "--no-such-option", terminal=True, colour=True).err


# -- readers that have gone


def run_without_reader(arguments, stream: str) -> subprocess.CompletedProcess[str]:
    """Runs with a pipe as `stream` whose reading end is closed already."""
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writer}
    try:
        return subprocess.run(
            [*PHASIC, *arguments], **streams, text=True, timeout=PATIENCE, check=False
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize("path", sorted(ARGUMENTS), ids=" ".join)
def test_a_reader_that_has_gone_is_no_error(path):
    done = run_without_reader(arguments_of(path), "stdout")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_warning_that_nobody_reads_stops_nothing(place, monkeypatch):
    monkeypatch.setenv("PHASIC_DISABLE_CACHE", "1")
    done = run_without_reader(["record", "model.py", "-o", "out.trace"], "stderr")
    assert (done.returncode, done.stdout) == (0, "out.trace\n")
    assert (place / "out.trace").exists()


def test_an_error_that_nobody_reads_has_its_exit_code():
    done = run_without_reader(["record", "none.py"], "stderr")
    assert (done.returncode, done.stdout) == (ExitCode.NO, "")


# -- Ctrl-C


# Tests may run in the background of a shell, which leaves interrupts ignored.
HEEDING = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " from phasic.cli.main import main; sys.exit(main())"
)


def start(*arguments: str, **more) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HEEDING, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


@pytest.mark.parametrize("arguments", EXPLORING, ids=lambda given: given[0])
def test_ctrl_c_while_exploring(arguments, place):
    (place / "model.py").write_text(ENDLESS)
    process = start(*arguments, "--max-vertices", "1000000000")
    assert process.stderr is not None
    assert process.stderr.readline() == "exploring\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (ExitCode.INTERRUPTED, "", "interrupted\n")
    assert sorted(path.name for path in place.iterdir()) == ["data", "model.py"]
    assert not (place.parent / "cache").exists()


def test_every_command_on_models_is_among_them():
    takers = {path for path, command in LEAVES if any("model" in p.name or p.name == "source"
              for p in command.params)}  # fmt: skip
    assert takers == {(given[0],) for given in EXPLORING}


@pytest.mark.parametrize(
    "path", [path for path in sorted(ARGUMENTS) if path[0] in ("cache", "config")], ids=" ".join
)
def test_ctrl_c_in_commands_that_are_quick(path, place, monkeypatch):
    given = arguments_of(path)
    before = sorted(place.iterdir())

    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(config, "setting", interrupt)
    outcome = phasic(*given)
    assert (outcome.code, outcome.out, outcome.err) == (ExitCode.INTERRUPTED, "", "interrupted\n")
    assert sorted(place.iterdir()) == before


def test_ctrl_c_before_a_file_takes_its_place_leaves_none(place, monkeypatch):
    pytest.importorskip("matplotlib.font_manager")  # makes its list of fonts when it is loaded
    assert phasic("record", "model.py").code == ExitCode.DONE

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    before = sorted(place.parent.rglob("*"))
    for name in ("replace", "rename"):
        monkeypatch.setattr(os, name, interrupt)
    monkeypatch.setattr(Path, "replace", interrupt)
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", interrupt)
    for path in [("cache", "export"), ("convert",), ("plot",), ("report",), ("config", "set")]:
        assert phasic(*path, *ARGUMENTS[path]).code == ExitCode.INTERRUPTED, path
    assert sorted(place.parent.rglob("*")) == before


def test_ctrl_c_ends_the_process_that_doctor_waits_for(place):
    fake = place / "fake"
    fake.mkdir()
    (fake / "jax.py").write_text(
        "import os, time\n"
        f"open({str(place / 'number')!r}, 'w').write(str(os.getpid()))\n"
        "time.sleep(600)\n"
    )
    paths = os.pathsep.join([str(fake), *sys.path])
    process = start("doctor", env={**os.environ, "PYTHONPATH": paths})
    deadline = time.monotonic() + PATIENCE
    while not (place / "number").exists() or not (place / "number").read_text():
        if time.monotonic() > deadline or process.poll() is not None:
            process.kill()
            pytest.fail(f"the fake is not imported: {process.communicate()}")
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (ExitCode.INTERRUPTED, "", "interrupted\n")
    while runs(int((place / "number").read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def runs(number: int) -> bool:
    """Whether there is such a process; one that only waits to be buried does not run."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
