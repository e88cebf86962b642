"""What the README shows works as it says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import examples

README = Path(__file__).parents[1] / "README.md"
COMMANDS = re.findall(r"^    (phasic .*?)(?:\s{2,}#.*)?$", README.read_text(), re.MULTILINE)


def test_every_example_prints_what_it_says(tmp_path):
    assert examples.run(README, tmp_path) == 1


@pytest.fixture
def place(tmp_path):
    """A directory with the README's model, its thetas and data."""
    (tmp_path / "model.py").write_text(examples.blocks(README)[0].text)
    (tmp_path / "thetas.csv").write_text("1.0\n2.0\n")
    (tmp_path / "observed.csv").write_text("0.7\n1.3\n2.1\n")
    return tmp_path


def test_every_dependency_is_in_the_table_with_its_reason():
    about = tomllib.loads(README.with_name("pyproject.toml").read_text())
    asked = about["build-system"]["requires"] + about["project"]["dependencies"]
    for extra in about["project"]["optional-dependencies"].values():
        asked += extra
    names = {re.match(r"[\w-]+", requirement)[0] for requirement in asked}
    table = README.read_text().partition("| package | why |")[2].partition("\n## ")[0]
    reasons = dict(
        re.findall(r"^\| ([\w, -]+?)(?: \(extra .*?\))? \| (.+) \|$", table.lower(), re.M)
    )
    listed = {name for packages in reasons for name in packages.split(", ")}
    assert listed == names


def test_there_are_commands():
    assert len(COMMANDS) >= 7


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works(command, place):
    # The `phasic record` of the line before gives the KEY.
    line = command.replace("KEY", "$(phasic record model.py)")
    [printed] = examples.shell([line], place)
    _, redirected, file = command.rpartition("> ")
    written = (place / file).read_text() if redirected else printed
    assert written
    if command.endswith("out.jsonl"):
        assert written.count("\n") == 2
