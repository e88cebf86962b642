"""The command line of `scripts/check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from checks import engine, lint, suite
from checks.commands import ROOT
from checks.sandbox import Sandbox
from checks.stages import Stage, perform, summary

LINT: dict[str, Callable[[Sandbox], None]] = {
    "ruff": lint.ruff,
    "ruff format": lint.ruff_format,
    "clang-format": lint.clang_format,
    "mypy": lint.mypy,
    "import layers": lint.layers,
}
TESTS: dict[str, Callable[[Sandbox], None]] = {
    "C tests": engine.tests,
    "Python tests": suite.tests,
}


def main(arguments: list[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    sandbox = Sandbox(options.venv)
    stages = chosen(options, sandbox)
    results = perform(stages)
    print("\n" + summary(results))
    return 1 if any(result.failure for result in results) else 0


def chosen(options: argparse.Namespace, sandbox: Sandbox) -> list[Stage]:
    """The stages that the flags ask for; the quick ones where they ask for none."""
    stages: list[Stage] = []
    if options.fresh or not sandbox.python.exists():
        stages.append(Stage("environment", sandbox.create, needed=True))
    elif options.tests:
        stages.append(Stage("install", sandbox.update, needed=True))

    def add(checks: dict[str, Callable[[Sandbox], None]]) -> None:
        stages.extend(Stage(name, partial(check, sandbox)) for name, check in checks.items())

    if options.fix:
        add({"formatters": lint.fix})
    if options.lint or not (options.fix or options.tests):
        add(LINT)
    if options.tests:
        add(TESTS)
    return stages


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="scripts/check", description="Checks of the project.")
    parser.add_argument(
        "--venv",
        type=Path,
        default=ROOT / ".venv-test",
        metavar="DIRECTORY",
        help="the virtual environment, made where it is missing (default: .venv-test)",
    )
    parser.add_argument("--fresh", action="store_true", help="make the virtual environment anew")
    parser.add_argument("--fix", action="store_true", help="let the formatters write")
    parser.add_argument(
        "--lint", action="store_true", help="style, types, layers (the default without a flag)"
    )
    parser.add_argument("--tests", action="store_true", help="C tests and Python tests")
    return parser


if __name__ == "__main__":
    sys.exit(main())
