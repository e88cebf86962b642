"""The Python tests, on the installed package or on another build of it."""

from __future__ import annotations

from pathlib import Path

from checks.sandbox import Sandbox


def test(sandbox: Sandbox, *options: str, build: Path | None = None, **extra: str) -> None:
    """`build` holds the package to test; without it, the installed one."""
    if build is not None:
        extra = extra | {"PYTHONPATH": str(build)}
    sandbox.run(["pytest", *options], extra=extra)


def tests(sandbox: Sandbox) -> None:
    test(sandbox, "--numprocesses=2")
