"""The Python tests, on the installed package or on another build of it."""

from __future__ import annotations

from pathlib import Path

from checks.sandbox import Sandbox


def run(sandbox: Sandbox, *options: str, build: Path | None, **extra: str) -> None:
    """`build` holds the package to test; None: the installed one."""
    sandbox.run(["pytest", *options], extra=variables(build) | extra)


def variables(build: Path | None) -> dict[str, str]:
    """What makes every Python import this build of the package and not the sources beside it."""
    return {"PYTHONSAFEPATH": "1"} | ({"PYTHONPATH": str(build)} if build else {})


def tests(sandbox: Sandbox) -> None:
    run(sandbox, "--numprocesses=2", build=None)
