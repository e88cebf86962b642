"""What the README shows works as it says."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^    (phasic .*?)(?:\s{2,}#.*)?$", README, re.MULTILINE)


def test_there_are_examples():
    assert len(EXAMPLES) >= 2


@pytest.mark.parametrize("code", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_prints_what_it_says(code):
    shown = code.strip().splitlines()[-1].partition("# ")[2]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})
    assert printed.getvalue().strip() == shown


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A directory with the README's model, its thetas and a key."""
    (tmp_path / "model.py").write_text(EXAMPLES[0])
    (tmp_path / "thetas.csv").write_text("1.0\n2.0\n")
    (tmp_path / "observed.csv").write_text("0.7\n1.3\n2.1\n")
    monkeypatch.setenv("PHASIC_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("PHASIC_DAEMON_IDLE_SECONDS", "1")  # of the daemon that one of them starts
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_commands():
    assert len(COMMANDS) >= 7


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works(command, place):
    program = shlex.join([sys.executable, "-m", "phasic.cli"])
    # The `phasic record` of the line before gives the KEY.
    line = re.sub(r"\bphasic (?=[a-z])", lambda match: f"{program} ", command)
    line = line.replace("KEY", f"$({program} record model.py)")
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    written = done.stdout or redirected(command, place)
    assert written
    if command.endswith("out.jsonl"):
        assert written.count("\n") == 2


def redirected(command: str, place: Path) -> str:
    """What was written to the file behind `>`."""
    return (place / command.rpartition("> ")[2]).read_text()
