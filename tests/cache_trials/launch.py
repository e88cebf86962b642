"""Starting a trial in a process of its own, with the shim before it; imports nothing of phasic."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from search_paths import search_path

HERE = Path(__file__).parent


def build_shim(folder: Path) -> Path:
    """Compiles the shim."""
    library = folder / "shim.so"
    compiler = os.environ.get("CC", "cc")
    command = [compiler, "-shared", "-fPIC", "-O1", HERE / "shim.c", "-o", library, "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return library


def run(
    name: str, *arguments: object, library: Path | None = None, module: str = "cache_trials"
) -> tuple[int, str]:
    """One trial in a process of its own: exit status and output."""
    done = subprocess.run(
        [sys.executable, "-m", module, name, *map(str, arguments)],
        env={
            **os.environ,
            "PYTHONPATH": search_path(),
            "LD_PRELOAD": os.pathsep.join(
                # A sanitizer's runtime has to come first.
                filter(None, [os.environ.get("LD_PRELOAD"), library and str(library)])
            ),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
