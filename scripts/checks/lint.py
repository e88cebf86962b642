"""What can be said without running the program: style, types, layers."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checks.commands import BUILD, ROOT, CheckFailed
from checks.sandbox import Sandbox

_MISPLACED = "[-Wclang-format-violations]"


def ruff(sandbox: Sandbox, root: Path = ROOT) -> None:
    sandbox.run(["ruff", "check", "--quiet", root])


def ruff_format(sandbox: Sandbox, root: Path = ROOT) -> None:
    sandbox.run(["ruff", "format", "--check", "--quiet", root])


def clang_format(sandbox: Sandbox, files: list[Path] | None = None) -> None:
    _, output = sandbox.outcome(["clang-format", "--dry-run", *(files or c_files())])
    places = {line.split(":")[0] for line in output.splitlines() if _MISPLACED in line}
    for place in sorted(places):
        print(f"would be reformatted: {place}")
    if places:
        raise CheckFailed(f"{len(places)} files are not formatted")


def fix(sandbox: Sandbox) -> None:
    """Lets the formatters write what they would otherwise only check."""
    sandbox.run(["ruff", "check", "--quiet", "--fix", ROOT])
    sandbox.run(["ruff", "format", "--quiet", ROOT])
    sandbox.run(["clang-format", "-i", *c_files()])


def mypy(sandbox: Sandbox, root: Path = ROOT) -> None:
    with package_tree(root) as tree:
        sandbox.run(
            [
                "mypy",
                f"--config-file={ROOT / 'pyproject.toml'}",
                f"--cache-dir={BUILD / 'mypy'}",
            ],
            directory=tree,
        )


def layers(sandbox: Sandbox, root: Path = ROOT) -> None:
    with package_tree(root) as tree:
        # The compiled module has to be seen, or its import would count as one of the package.
        (tree / "phasic" / "_native.py").touch()
        sandbox.run(
            ["lint-imports", "--no-cache", f"--config={ROOT / 'pyproject.toml'}"], directory=tree
        )


def c_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.c", "*.h"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@contextmanager
def package_tree(root: Path) -> Iterator[Path]:
    """The package as installing puts it together: `cli` is `phasic.cli`."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        leave_out = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(root / "phasic", tree / "phasic", ignore=leave_out)
        shutil.copytree(root / "cli", tree / "phasic" / "cli", ignore=leave_out)
        yield tree
