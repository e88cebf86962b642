"""The virtual environment that the checks run in, and builds of the package beside it."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from checks.commands import BUILD, ROOT, CheckFailed, outcome, run


class Sandbox:
    """A virtual environment with the package and the tools of its extras."""

    def __init__(self, place: Path) -> None:
        self.place = place.absolute()
        self.bin = self.place / "bin"
        self.python = self.bin / "python"

    @property
    def variables(self) -> dict[str, str]:
        """The environment's tools stand first: the system's cmake may be too old."""
        return {"PATH": f"{self.bin}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}

    def run(
        self,
        command: Sequence[str | Path],
        *,
        directory: Path = ROOT,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        run(self._found(command), directory=directory, extra=self.variables | dict(extra or {}))

    def outcome(
        self,
        command: Sequence[str | Path],
        *,
        directory: Path = ROOT,
        extra: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        return outcome(
            self._found(command), directory=directory, extra=self.variables | dict(extra or {})
        )

    def create(self) -> None:
        """Makes it anew; a folder that is no virtual environment is left alone."""
        if self.place.exists():
            if not (self.place / "pyvenv.cfg").exists():
                raise CheckFailed(f"{self.place} exists and is no virtual environment")
            shutil.rmtree(self.place)
        run([sys.executable, "-m", "venv", self.place])
        self._install(".[test,check,docs]")

    def update(self) -> None:
        """Installs the package as the working tree has it now."""
        self._install("--no-deps", "--no-build-isolation", "--force-reinstall", ".")

    def build_beside(self, name: str, **definitions: str) -> Path:
        """Another build of the package; its folder on PYTHONPATH hides the installed one."""
        folder = BUILD / name / "site"
        shutil.rmtree(folder, ignore_errors=True)
        self._install(
            "--no-deps",
            "--no-build-isolation",
            f"--target={folder}",
            f"-Cbuild-dir={BUILD / name / 'cmake'}",
            *(f"-Ccmake.define.{key}={value}" for key, value in definitions.items()),
            ".",
        )
        return folder

    def _install(self, *what: str) -> None:
        options = ["--quiet", "--disable-pip-version-check"]
        self.run([self.python, "-m", "pip", "install", *options, *what])

    def _found(self, command: Sequence[str | Path]) -> list[str | Path]:
        tool = self.bin / command[0]
        return [tool if tool.exists() else command[0], *command[1:]]
