"""Help, version, exit codes of wrong usage, and what starting the program loads."""

from __future__ import annotations

import inspect
import json
import re
import resource
import shlex
import subprocess
import sys

import pytest
import typer.main
from typer.exceptions import TyperException

from cli_runner import phasic, walk
from phasic._version import __version__
from phasic.cli.app import app
from phasic.cli.exit_codes import ExitCode

COMMANDS = [
    (),
    ("record",),
    ("inspect",),
    ("evaluate",),
    ("plot",),
    ("report",),
    ("sample",),
    ("infer",),
    ("models",),
    ("convert",),
    ("doctor",),
    ("completion",),
    ("cache",),
    ("cache", "info"),
    ("cache", "plot"),
    ("cache", "list"),
    ("cache", "show"),
    ("cache", "verify"),
    ("cache", "prune"),
    ("cache", "clear"),
    ("cache", "pin"),
    ("cache", "unpin"),
    ("cache", "export"),
    ("cache", "import"),
    ("cache", "push"),
    ("cache", "pull"),
    ("cache", "path"),
    ("config",),
    ("config", "list"),
    ("config", "get"),
    ("config", "set"),
    ("daemon",),
    ("daemon", "start"),
    ("daemon", "stop"),
    ("daemon", "status"),
    ("daemon", "run"),
    ("daemon", "logs"),
    ("daemon", "unit"),
]


def run_python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_the_list_of_commands_is_complete():
    assert sorted(path for path, _ in walk(typer.main.get_command(app))) == sorted(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_help_has_examples(path, capsys):
    outcome = phasic(*path, "--help")
    shown = capsys.readouterr().out
    assert outcome.code == ExitCode.DONE
    assert "Examples:" in shown
    assert "  phasic " + " ".join(path) in shown


def examples_of(command):
    """Arguments of each `phasic` in the examples of a command's help."""
    shown = inspect.cleandoc(command.help).partition("Examples:\n")[2].partition("\n\n")[0]
    shown = re.sub(r"\$\{?\w+\}?", "1", shown)
    for line in re.sub(r"\bxargs (.*)", r"\1 KEY", shown).splitlines():
        for part in re.findall(r"\bphasic ([^|>&]*)", line):
            yield shlex.split(part.strip().removesuffix(')"'))


def understood(command, arguments):
    """The command at the end of the words, its arguments parsed; nothing runs."""
    while arguments and getattr(command, "commands", None):
        command = command.commands[arguments[0]]
        arguments = arguments[1:]
    return command.make_context("phasic", list(arguments))


def test_every_example_of_help_is_understood():
    root = typer.main.get_command(app)
    tried = 0
    for _, command in walk(root):
        for arguments in examples_of(command):
            understood(root, arguments)
            tried += 1
    assert tried >= 2 * len(COMMANDS)


@pytest.mark.parametrize("arguments", [["cache", "cleer"], ["record", "model.py", "--thetas", "x"]])
def test_an_example_that_is_wrong_is_not_understood(arguments):
    with pytest.raises((KeyError, TyperException)):
        understood(typer.main.get_command(app), arguments)


def test_every_parameter_has_help():
    for path, command in walk(typer.main.get_command(app)):
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{' '.join(path)}: {parameter.name}"


def test_every_command_offers_json():
    for path, command in walk(typer.main.get_command(app)):
        if path and not getattr(command, "commands", None):
            names = [name for parameter in command.params for name in parameter.opts]
            assert "--json" in names, path


def test_version():
    outcome = phasic("--version")
    assert (outcome.code, outcome.out) == (0, f"phasic {__version__}\n")
    assert phasic("--version", "--json").envelope["data"] == {"version": __version__}


@pytest.mark.parametrize(
    "arguments",
    [
        ["rcord", "model.py"],
        ["record"],
        ["record", "--no-such-option", "x"],
        ["record", "model.py", "another.py"],
        ["cache", "cleer"],
        ["evaluate", "-", "--theta", "1", "--thetas", "-"],
        ["evaluate", "model.py", "--theta", "1", "--thetas", "t.csv"],
        ["evaluate", "model.py", "--theta", "1", "--moments", "0"],
        ["evaluate", "model.py", "--theta", "1", "--shard", "0/2"],
        ["evaluate", "model.py", "--thetas", "t.csv", "--shard", "2/2"],
        ["evaluate", "-", "--thetas", "-"],
        ["inspect", "model.py", "--ops", "--check"],
        ["inspect", "model.py", "--ops", "--plot", "a.png"],
        ["plot", "model.py", "--theta", "1", "--what", "periodogram"],
        ["plot", "model.py", "--theta", "1", "--what", "spectrum", "--times", "0:1:3"],
        ["plot", "model.py", "--theta", "1", "--mutation-rate", "1"],
        ["plot", "model.py", "--theta", "1", "--what", "graph", "--times", "0:1:3"],
        ["convert", "model.py"],
        ["config", "set", "threads"],
        ["config", "set", "threads", "4", "--default"],
        ["sample", "model.py", "-n", "-1"],
        ["sample", "model.py", "--seed", "18446744073709551616"],
        ["sample", "model.py", "--seed", "-1"],
        ["sample", "model.py", "--paths", "--final"],
        ["sample", "model.py", "--paths", "--rewards", "r.txt"],
        ["sample", "model.py", "--final", "--rewards", "r.txt"],
        ["infer", "model.py"],
        ["infer", "model.py", "d.csv", "--method", "guess"],
        ["infer", "model.py", "d.csv", "--method", "mle", "--prior", "gamma(1,1)"],
        ["infer", "model.py", "d.csv", "--method", "map", "--checkpoint", "c.npz"],
        ["infer", "model.py", "d.csv", "--moments", "2"],
        ["infer", "model.py", "d.csv", "--fix", "0"],
        ["record", "model.py", "--arg", "n"],
        ["record", "model.py", "--arg", "n=1", "--arg", "n=2"],
        ["record", "model.py", "--max-vertices", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2_with_a_hint(arguments):
    outcome = phasic(*arguments)
    assert outcome.code == ExitCode.USAGE
    assert outcome.out == ""
    first, *rest = outcome.err.splitlines()
    assert first.startswith("error[USAGE]: ")
    assert any(line.startswith("  hint: ") for line in rest)


def test_a_typo_is_told_its_neighbour():
    assert "'record'" in phasic("rcord").err


def test_json_is_an_envelope_even_when_the_usage_is_wrong():
    outcome = phasic("record", "--json")
    assert outcome.code == ExitCode.USAGE
    envelope = outcome.envelope
    assert envelope["schema"] == "phasic-cli/1"
    assert envelope["command"] == "record"
    assert envelope["data"] is None
    assert envelope["ok"] is False
    assert envelope["exit_code"] == 2
    assert envelope["error"]["code"] == "USAGE"
    assert envelope["error"]["hint"]


# -- what starting loads

LOADED = """
import sys
from phasic.cli.main import main
code = main(sys.argv[1:])
heavy = sorted({"numpy", "jax", "rich", "pydantic"} & set(sys.modules))
print("loaded:", ",".join(heavy), file=sys.stderr)
sys.exit(code)
"""


def loaded_by(*arguments: str, before: str = "") -> set[str]:
    process = run_python(before + LOADED, *arguments)
    assert process.returncode == 0, process.stderr
    last = process.stderr.splitlines()[-1]
    assert last.startswith("loaded: ")
    return set(filter(None, last.removeprefix("loaded: ").split(",")))


QUICK = [
    ["--version"],
    ["--help"],
    ["record", "--help"],
    ["evaluate", "--help"],
    ["plot", "--help"],
    ["cache", "info"],
]


@pytest.mark.parametrize("arguments", QUICK, ids=" ".join)
def test_quick_commands_load_no_numpy_and_no_jax(arguments, tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path))
    assert loaded_by(*arguments) == set()


def test_clearing_the_cache_loads_no_numpy_and_no_jax(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path))
    (tmp_path / ("0" * 64 + ".trace")).write_bytes(b"x")
    assert loaded_by("cache", "clear", "--force") <= {"pydantic"}


@pytest.mark.parametrize(
    "command", ["list", "path", "show", "verify", "prune", "pin", "export", "import"]
)
def test_commands_on_entries_load_no_numpy_and_no_jax(command, tmp_path, monkeypatch):
    """Typer may load pydantic for them: they have values that may be left out."""
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    key = phasic("record", "phasic.models.coalescent:kingman", "--arg", "n=4").out.strip()
    archive = str(tmp_path / "one.tar")
    assert phasic("cache", "export", "-o", archive).code == ExitCode.DONE
    more = {"show": [key], "pin": [key], "export": ["-o", archive], "import": [archive]}
    assert loaded_by("cache", command, *more.get(command, [])) <= {"pydantic"}


def test_the_daemon_loads_no_numpy_and_no_jax(tmp_path, monkeypatch):
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PHASIC_DAEMON_IDLE_SECONDS", "1")
    assert loaded_by("daemon", "run") == loaded_by("daemon", "stop") == set()
    assert loaded_by("daemon", "logs") <= {"pydantic"}


def test_the_check_of_what_is_loaded_can_fail():
    assert loaded_by("--version", before="import numpy\n") == {"numpy"}


@pytest.mark.parametrize("arguments", [["--version"], ["cache", "info"], ["evaluate", "--help"]])
def test_quick_commands_take_at_most_a_fifth_of_a_second_of_cpu(arguments, tmp_path, monkeypatch):
    """The best of three runs: the time is the program's, not that of its neighbours."""
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path))
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run_python("import sys; from phasic.cli.main import main; main(sys.argv[1:])", *arguments)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) <= 0.2


def test_the_program_runs_as_a_module():
    process = subprocess.run(
        [sys.executable, "-m", "phasic.cli", "cache", "info", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(process.stdout)["ok"] is True
