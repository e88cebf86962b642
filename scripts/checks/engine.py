"""Builds of the engine with its C tests, and their runs."""

from __future__ import annotations

from pathlib import Path

from checks.commands import BUILD, ROOT
from checks.sandbox import Sandbox


def build(sandbox: Sandbox, name: str, **definitions: str) -> Path:
    """The folder of a build with the tests; its definitions are CMake's."""
    folder = BUILD / name / "engine"
    settings = {"PTD_TESTS": "ON", "PTD_WERROR": "ON"} | definitions
    sandbox.run(
        [
            "cmake",
            "-S",
            ROOT / "engine_c",
            "-B",
            folder,
            "-G",
            "Ninja",
            *(f"-D{key}={value}" for key, value in settings.items()),
        ]
    )
    sandbox.run(["cmake", "--build", folder])
    return folder


def test(sandbox: Sandbox, folder: Path, *options: str, **extra: str) -> None:
    """All C tests of a build."""
    sandbox.run(
        ["ctest", "--test-dir", folder, "--output-on-failure", "--no-tests=error", *options],
        extra=extra,
    )


def tests(sandbox: Sandbox) -> None:
    """The C tests as users would build the engine."""
    test(sandbox, build(sandbox, "release"), "--parallel", "2")
