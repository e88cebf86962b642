"""A function of a test module in a process of its own: where JAX is loaded, nothing may fork."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from search_paths import search_path


def alone(function: Callable[..., None], *arguments: object) -> None:
    """Calls it with the arguments as text; it has to end without an error."""
    module, name = function.__module__, function.__name__
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; {module}.{name}(*sys.argv[1:])"]
        + [str(argument) for argument in arguments],
        env={**os.environ, "PYTHONPATH": search_path()},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
