"""Each quick check passes on what is right and fails on a planted error."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from checks import lint
from checks.commands import ROOT, CheckFailed, must_fire
from checks.sandbox import Sandbox
from checks.stages import Stage, perform, summary

SANDBOX = Sandbox(Path(sys.prefix))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package's sources, to be spoilt."""
    for folder in ("phasic", "cli"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def append(path: Path, line: str) -> None:
    path.write_text(path.read_text() + line + "\n")


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("phasic/errors.py", "from phasic import graph"),
        ("phasic/_engine/views.py", "from phasic.trace_elimination import evaluate_trace"),
        ("phasic/models/coalescent.py", "import phasic.cli.main"),
        ("phasic/graph.py", "import phasic._native"),
        ("phasic/graph.py", "import rich"),
        ("phasic/distribution.py", "import jax"),
        ("phasic/config.py", "import numpy"),
    ],
)
def test_the_layers_hold_and_an_import_upward_is_seen(copy: Path, module: str, line: str) -> None:
    lint.layers(SANDBOX, copy)
    append(copy / module, line)
    with pytest.raises(CheckFailed):
        lint.layers(SANDBOX, copy)


def test_a_module_outside_the_layers_is_seen(copy: Path) -> None:
    (copy / "phasic" / "helpers.py").write_text('"""Anything."""\n')
    with pytest.raises(CheckFailed):
        lint.layers(SANDBOX, copy)


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (lint.ruff, "import os\n\nprint(os.sep)\n", "import os\n"),
        (lint.ruff, "print(1)\n", "try:\n    print(1)\nexcept Exception:\n    pass\n"),
        (lint.ruff_format, "print([1, 2])\n", "print( [1,2] )\n"),
    ],
)
def test_style_errors_are_seen(
    tmp_path: Path, check: Callable[[Sandbox, Path], None], right: str, wrong: str
) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "module.py").write_text(right)
    check(SANDBOX, tmp_path)
    (tmp_path / "module.py").write_text(wrong)
    with pytest.raises(CheckFailed):
        check(SANDBOX, tmp_path)


def test_unformatted_c_is_seen(tmp_path: Path) -> None:
    shutil.copy(ROOT / ".clang-format", tmp_path)
    source = tmp_path / "source.c"
    source.write_text("int one(void)\n{\n    return 1;\n}\n")
    lint.clang_format(SANDBOX, [source])
    source.write_text("int one(void) { return 1; }\n")
    with pytest.raises(CheckFailed):
        lint.clang_format(SANDBOX, [source])


@pytest.mark.parametrize(
    "line",
    ["ANSWER: int = 'text'", "def untyped(value): return value"],
)
def test_type_errors_are_seen(tmp_path: Path, line: str) -> None:
    (tmp_path / "cli").mkdir()
    (tmp_path / "phasic").mkdir()
    for module in ("phasic/__init__.py", "cli/__init__.py"):
        (tmp_path / module).write_text("ANSWER: int = 1\n")
    lint.mypy(SANDBOX, tmp_path)
    append(tmp_path / "cli" / "__init__.py", line)
    with pytest.raises(CheckFailed):
        lint.mypy(SANDBOX, tmp_path)


def test_a_failed_stage_is_told_and_the_others_run() -> None:
    def fails() -> None:
        raise CheckFailed("found one")

    seen: list[str] = []
    stages = [Stage("first", fails), Stage("second", lambda: seen.append("second"))]
    text = summary(perform(stages))
    assert seen == ["second"]
    assert "FAILED: found one" in text
    assert "1 of 2 failed" in text


def test_nothing_runs_without_what_it_needs() -> None:
    def fails() -> None:
        raise CheckFailed("no environment")

    results = perform([Stage("environment", fails, needed=True), Stage("tests", fails)])
    assert [result.name for result in results] == ["environment"]


@pytest.mark.parametrize("program", ["print('all is well')", "raise SystemExit('of other causes')"])
def test_a_silent_instrument_is_told(program: str) -> None:
    with pytest.raises(CheckFailed):
        must_fire("instrument", [sys.executable, "-c", program], ["found a bug"])
    must_fire("instrument", [sys.executable, "-c", "raise SystemExit('found a bug')"], ["a bug"])


def test_the_script_lists_its_checks() -> None:
    answer = subprocess.run(
        [ROOT / "scripts" / "check", "--help"], check=True, capture_output=True, text=True
    )
    for flag in ("--lint", "--tests", "--asan", "--valgrind", "--alloc", "--fuzz", "--bench"):
        assert flag in answer.stdout
