"""The compiled module and the package are one build."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import phasic
from phasic._native import ffi, lib


def test_compiled_module_has_the_version_of_the_package() -> None:
    assert ffi.string(lib.phasic_built_version()).decode() == phasic.__version__


def test_the_source_alone_says_what_it_lacks(tmp_path: Path) -> None:
    """As where Python is started in a clone: the source hides the installed package."""
    source = Path(phasic.__file__).parent
    shutil.copytree(source, tmp_path / "phasic", ignore=shutil.ignore_patterns("*.so", "cli"))
    done = subprocess.run(
        [sys.executable, "-E", "-c", "import phasic; phasic.Graph"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        f"{tmp_path / 'phasic'} is the source of phasic, without its compiled engine" in done.stderr
    )
    assert "start Python in another directory" in done.stderr
