"""JAX: that a model answers through it, and which devices it has, within a deadline."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import phasic
from phasic.cli.checks.finding import Finding, advice, ok, problem

PROBE = (sys.executable, "-P", "-m", "phasic.cli.checks.jax_probe")


def check_jax(deadline: int, probe: Sequence[str] = PROBE) -> Iterator[Finding]:
    """Asks a process of its own, which gets `deadline` seconds. JAX is not imported here."""
    if find_spec("jax") is None:
        return  # the packages say so
    try:
        done = subprocess.run(
            probe,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=deadline,
            check=False,
        )
    except subprocess.TimeoutExpired:
        yield problem(
            "JAX",
            f"no answer within {deadline} s",
            "JAX_PLATFORMS=cpu keeps it from waiting for another device's driver; --deadline gives"
            " it longer",
        )
        return
    try:
        answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except (IndexError, ValueError):
        answer = None
    if answer is None:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        yield problem(
            "JAX",
            f"it failed with exit code {done.returncode}: {last}",
            "install the versions that phasic asks for: pip install --upgrade phasic",
        )
        return
    if answer["value"] == 2.0:
        yield ok("JAX", "a density through a compiled program is right")
    else:
        yield problem(
            "JAX",
            f"a density is {answer['value']!r} in place of 2",
            "please report it with what `phasic doctor --json` says",
        )
    yield check_devices(answer["devices"])


def check_devices(names: list[str]) -> Finding:
    """Models run on the CPU, whatever else there is."""
    found = ", ".join(names)
    if all(name.startswith("cpu:") for name in names):
        return ok("JAX devices", found)
    return advice(
        "JAX devices",
        found,
        "models run on the CPU; JAX_PLATFORMS=cpu saves starting the others where nothing else"
        " needs them",
    )


def _environment() -> dict[str, str]:
    """With 64 bits, what this process finds, and a cache that the trial leaves alone."""
    place = str(Path(phasic.__file__).parents[1])
    path = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "JAX_ENABLE_X64": "1",
        "PHASIC_DISABLE_CACHE": "1",
        "PYTHONWARNINGS": "ignore",
        "PYTHONPATH": os.pathsep.join([path, place] if path else [place]),
    }
