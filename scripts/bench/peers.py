"""The Python peers: their own virtual environment, and workers run in it.

phasic 0.32.1 bears our name, so it can only live in an environment of its own. It is installed
without its declared dependencies: the registry's `mpfr` and `eigen` are unrelated packages, one of
them a demonstration of dependency confusion. What it does import is installed by name.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import workers
from workers import Absent

PHASIC = "phasic==0.32.1"
IMPORTED_BY_PHASIC = [
    *("numpy", "scipy", "jax", "pandas", "matplotlib", "seaborn", "requests", "ipython"),
    *("ipywidgets", "dill", "multiprocess", "rich", "tqdm", "psutil", "pyyaml"),
]
WORKER = Path(__file__).with_name("peer_worker.py")


class PeerEnvironment:
    """A virtual environment below `work_dir`, made at first use. Raises `workers.Absent`."""

    def __init__(self, work_dir: Path) -> None:
        self._work_dir = work_dir
        self._home = work_dir / "home"
        self.python = work_dir / "venv" / "bin" / "python"
        self._home.mkdir(parents=True, exist_ok=True)
        complete = work_dir / "venv" / "complete"
        if not complete.exists():
            self._install()
            complete.touch()

    def _install(self) -> None:
        pip = [str(self.python), "-m", "pip", "install", "--quiet"]
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(self._work_dir / "venv")],
            [*pip, "--no-deps", PHASIC],
            [*pip, *IMPORTED_BY_PHASIC],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise Absent("phasic 0.32.1", f"{' '.join(command)}: {done.stderr[-300:]}")

    def call(self, task: str, data: Path | None = None, **options: Any) -> Any:
        """Runs one task of peer_worker.py in a fresh process and returns its answer."""
        request = {"task": task, "data": None if data is None else str(data), **options}
        # A home of its own, so that caches on disk neither help nor hurt, and one thread.
        variables = {
            "HOME": str(self._home),
            "PATH": os.environ.get("PATH", ""),
            "PHASIC_DISABLE_GRAPH_CACHE": "1",
            "OMP_NUM_THREADS": "1",
            "JAX_PLATFORMS": "cpu",
        }
        return workers.call(self.python, WORKER, request, variables, self._work_dir)
