"""`phasic completion`: what the shells themselves offer, for the same lines."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest
import typer.main

from cli_runner import phasic
from phasic.cli.app import app
from phasic.cli.command_tree import nodes
from phasic.cli.exit_codes import ExitCode

NODES = nodes(typer.main.get_command(app))
FILES = ["a b.py", "data.csv"]

# What may follow each of these lines; None: names of files.
LINES = [
    ("phasic ca", ["cache"]),
    ("phasic co", ["completion", "config", "convert"]),
    ("phasic --v", ["--version"]),
    ("phasic cache p", ["path", "pin", "plot", "prune", "pull", "push"]),
    ("phasic plot --what p", ["pdf", "pmf"]),
    ("phasic plot m.py --what gr", ["graph"]),
    ("phasic plot m.py --out", ["--output"]),
    ("phasic plot m.py --title cache --ou", ["--output"]),
    ("phasic infer m.py data.csv --method m", ["map", "mle", "moments"]),
    ("phasic config set cache_h", ["cache_high_bytes"]),
    ("phasic completion z", ["zsh"]),
    ("phasic record ", None),
    ("phasic evaluate m.py --thetas ", None),
    ("phasic plot m.py -o ", None),
    ("phasic evaluate m.py --theta ", []),
    ("phasic models ", []),
]


def script(shell: str) -> str:
    outcome = phasic("completion", shell)
    assert (outcome.code, outcome.err) == (ExitCode.DONE, "")
    return outcome.out


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "here"
    folder.mkdir()
    for name in FILES:
        (folder / name).write_text("")
    monkeypatch.chdir(folder)
    return tmp_path


def run(shell: list[str], code: str) -> list[str]:
    done = subprocess.run([*shell, code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return sorted(done.stdout.splitlines())


def offered_by_bash(line: str, place) -> list[str]:
    (place / "script").write_text(script("bash"))
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    quoted = " ".join(map(shlex.quote, words))
    return run(
        ["bash", "--norc", "--noprofile", "-c"],
        f"source {shlex.quote(str(place / 'script'))}; COMP_WORDS=({quoted});"
        f" COMP_CWORD={len(words) - 1}; _phasic; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
    )


# The functions of zsh's completion that the script calls, which here say what they are told.
ZSH = """
compdef() { }
_message() { }
_files() { print -l -- ${words[CURRENT]}*(N) }
_describe() {
    [[ $1 == -o ]] && shift
    local -a given; given=("${(@P)2}")
    local one
    for one in "${(@)given}"; do
        [[ ${one%%:*} == ${words[CURRENT]}* ]] && print -r -- "${one%%:*}"
    done
    return 0
}
"""


def offered_by_zsh(line: str, place) -> list[str]:
    (place / "script").write_text(script("zsh"))
    words = shlex.split(line) + ([""] if line.endswith(" ") else [])
    quoted = " ".join(map(shlex.quote, words))
    return run(
        ["zsh", "-f", "-c"],
        f"{ZSH}\nsource {shlex.quote(str(place / 'script'))}; words=({quoted});"
        f" CURRENT={len(words)}; _phasic; true",
    )


def offered_by_fish(line: str, place) -> list[str]:
    (place / "script").write_text(script("fish"))
    lines = run(
        ["fish", "--no-config", "-c"],
        f"source {shlex.quote(str(place / 'script'))}; complete -C {shlex.quote(line)}",
    )
    return sorted(line.split("\t")[0] for line in lines)


OFFERED = {"bash": offered_by_bash, "zsh": offered_by_zsh, "fish": offered_by_fish}


@pytest.mark.parametrize(("line", "expected"), LINES, ids=[line for line, _ in LINES])
@pytest.mark.parametrize(
    "shell",
    [
        pytest.param(
            shell, marks=pytest.mark.skipif(not shutil.which(shell), reason=f"no {shell} here")
        )
        for shell in OFFERED
    ],
)
def test_a_shell_offers_what_may_follow(shell, line, expected, place):
    offered = [word.replace("\\ ", " ") for word in OFFERED[shell](line, place) if word]
    assert offered == (FILES if expected is None else expected)


@pytest.mark.parametrize("shell", OFFERED)
def test_every_command_and_option_is_in_the_script(shell):
    text = script(shell)
    for node in NODES:
        if node.path:
            assert "/" + "/".join(node.path) in text
        for option in node.options:
            for name in option.names:
                shown = f"-l {name[2:]} " if name.startswith("--") else f"-s {name[1:]} "
                assert (shown if shell == "fish" else name) in text


def test_choices_and_files_are_known_of_their_options():
    plot = next(node for node in NODES if node.path == ("plot",))
    by_name = {name: option for option in plot.options for name in option.names}
    functions = ("pdf", "cdf", "sf", "hazard", "pmf")
    assert by_name["--what"].choices == (*functions, "graph", "spectrum", "covariance")
    assert (by_name["-o"].files, by_name["--theta"].files) == (True, False)
    assert (by_name["--json"].takes, by_name["--theta"].takes) == ("", "X[,Y...]")


def test_text_of_help_cannot_break_a_script(monkeypatch):
    """Quotes, backslashes and dollars in help stay text."""
    from phasic.cli.command_tree import Node, Parameter
    from phasic.cli.completion import SCRIPTS

    evil = 'it\'s \\ "$(touch broken)" `touch broken` ; touch broken #'
    option = Parameter(("-x", "--ex"), evil, "A:'B", ("one", "two"), False)
    free = Parameter(("--free",), evil, evil, (), False)
    root = Node((), evil, ("sub",), (option, free), ())
    sub = Node(("sub",), evil, (), (option, free), ())
    for shell, make in SCRIPTS.items():
        if shutil.which(shell):
            command = [shell, "--no-config"] if shell == "fish" else [shell]
            define = "compdef() { }\n" if shell == "zsh" else ""
            run([*command, "-c"], define + make([root, sub]))
    assert sorted(os.listdir()) == FILES


def test_an_unknown_shell_is_refused():
    outcome = phasic("completion", "csh")
    assert outcome.code == ExitCode.USAGE
    assert "'bash', 'zsh', 'fish'" in outcome.err
