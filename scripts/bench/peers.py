"""The Python peers: their own virtual environment, and workers run in it.

phasic 0.32.1 bears our name, so it can only live in an environment of its own. It is installed
without its declared dependencies: the registry's `mpfr` and `eigen` are unrelated packages, one of
them a demonstration of dependency confusion. What it does import is installed by name.

Its wheels are built without XLA's headers and refuse JAX models, and SVGD with them. So it is built
from source here; where that fails the wheel takes part in the rest.
"""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import workers
from peer_worker import JAX_TASKS
from workers import Absent, Failed

PHASIC = "phasic==0.32.1"
IMPORTED_BY_PHASIC = [
    *("numpy", "scipy", "jax", "pandas", "matplotlib", "seaborn", "requests", "ipython"),
    *("ipywidgets", "dill", "multiprocess", "rich", "tqdm", "psutil", "pyyaml"),
]
# From 0.10 on scikit-build-core refuses its `cmake.minimum-version`.
BUILD_TOOLS = ["scikit-build-core<0.10", "pybind11", "cmake>=3.30,<4", "ninja"]
HEADERS = "libeigen3-dev nlohmann-json3-dev libmpfr-dev"
WORKER = Path(__file__).with_name("peer_worker.py")


class PeerEnvironment:
    """A virtual environment below `work_dir`, made at first use. Raises `workers.Absent`.

    Attributes:
        no_jax: why phasic 0.32.1's JAX models are absent; empty where they are not.
    """

    def __init__(self, work_dir: Path) -> None:
        self._work_dir = work_dir
        self._home = work_dir / "home"
        self._bin = work_dir / "venv" / "bin"
        self._home.mkdir(parents=True, exist_ok=True)
        # Written last: with it the environment is complete.
        record = work_dir / "venv" / "no_jax"
        if not record.exists():
            record.write_text(self._install())
        self.no_jax = record.read_text()

    def _install(self) -> str:
        """Makes the environment and says why there are no JAX models, if so."""
        pip = [str(self._bin / "python"), "-m", "pip", "install", "--quiet"]
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(self._work_dir / "venv")],
            [*pip, *IMPORTED_BY_PHASIC, *BUILD_TOOLS],
        ):
            _must(command)
        # Not from pip's cache, which may hold a build for another JAX, or for none.
        source = ["--no-cache-dir", "--no-deps", "--no-build-isolation", "--no-binary", "phasic"]
        built = subprocess.run(
            [*pip, *source, PHASIC],
            capture_output=True,
            text=True,
            env={
                **os.environ,
                "PATH": f"{self._bin}{os.pathsep}{os.environ.get('PATH', '')}",
                "XLA_FFI_INCLUDE_DIR": self._xla_headers(),
            },
        )
        if not built.returncode:
            return ""
        _must([*pip, "--no-deps", PHASIC])
        reason = first_error(built.stdout + built.stderr)
        return f"not built from source: {reason} (Debian: apt-get install {HEADERS})"

    def _xla_headers(self) -> str:
        ask = "from jax import ffi; print(ffi.include_dir())"
        return _must([str(self._bin / "python"), "-c", ask]).strip()

    def call(
        self, task: str, data: Path | None = None, cpu_seconds: float | None = None, **options: Any
    ) -> Any:
        """Runs one task of peer_worker.py in a fresh process and returns its answer."""
        if self.no_jax and task in {needs_jax.__name__ for needs_jax in JAX_TASKS}:
            raise Failed(f"no JAX models: {self.no_jax}")
        request = {"task": task, "data": None if data is None else str(data), **options}
        # A home of its own, so that caches on disk neither help nor hurt, and one thread.
        variables = {
            "HOME": str(self._home),
            "PATH": os.environ.get("PATH", ""),
            "PHASIC_DISABLE_GRAPH_CACHE": "1",
            "OMP_NUM_THREADS": "1",
            "JAX_PLATFORMS": "cpu",
        }
        python = self._bin / "python"
        return workers.call(python, WORKER, request, variables, self._work_dir, cpu_seconds)


def _must(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Absent("phasic 0.32.1", f"{' '.join(command)}: {done.stderr[-300:]}")
    return done.stdout


def first_error(text: str) -> str:
    """The line of a build's output that says what went wrong first, and the one below it."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line, below in pairwise([*lines, ""]):
        found = any(word in line.lower() for word in ("error at", "error:", "fatal:"))
        # pip's own line, above what the build had to say.
        if found and "subprocess-exited-with-error" not in line:
            # CMake says where, and below it what.
            return f"{line} {below}" if line.endswith(":") else line
    return lines[-1] if lines else "no message"
