"""The scripts of `docs/slurm`, as users would submit them, on a cluster of two nodes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from ..setting import Tally, scratch
from .slurm import NODES, cluster

SCRIPTS = Path(__file__).parents[3] / "docs" / "slurm"
PARTS = 8  # of the array of evaluate.sh
SECONDS = 900
RATE = 2.0
OBSERVED = 400

MODEL = """
def model(state):
    if state.size == 0:
        return [([1], 1.0, [0.0])]
    return [([0], 0.0, [1.0])] if state[0] else []
"""


def submit(rows: int, *, planted: bool) -> Tally:
    """evaluate.sh at `rows` thetas gives what one process gives; infer.sh and fit.sh find the rate.

    Planted: an array that is one task short.
    """
    tally = Tally()
    with scratch() as place:
        for script in SCRIPTS.iterdir():
            shutil.copy(script, place)
        _commands(place / "bin")
        (place / "model.py").write_text(MODEL)
        chance = np.random.default_rng(1)
        np.savetxt(place / "thetas.csv", chance.uniform(0.5, 2.0, (rows, 1)))
        np.savetxt(place / "observed.csv", chance.exponential(1 / RATE, OBSERVED))
        with cluster(place):
            _evaluate(tally, place, rows, PARTS - planted)
            if not planted:
                _infer(tally, place)
                _fit(tally, place)
    return tally


def _commands(folder: Path) -> None:
    """`phasic` and `python` are ours."""
    folder.mkdir()
    for name, command in {"phasic": "-m phasic.cli", "python": ""}.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {command} "$@"\n')
        (folder / name).chmod(0o755)
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def _submit(tally: Tally, place: Path, *arguments: str) -> str:
    """What the job said, once it has ended."""
    ended = subprocess.run(
        ["sbatch", "--wait", "--output=said.%A.%a", *arguments],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    said = "".join(path.read_text() for path in sorted(place.glob("said.*")))
    for path in place.glob("said.*"):
        path.unlink()
    tally.must(ended.returncode == 0, f"{arguments}: {ended.stderr} {said[-2000:]}")
    return said


def _evaluate(tally: Tally, place: Path, rows: int, tasks: int) -> None:
    asked = ["model.py", "thetas.csv"]
    said = _submit(tally, place, f"--array=0-{tasks - 1}", "evaluate.sh", *asked, "out")
    tally.must(not said, f"evaluate.sh says nothing: {said}")
    parts = sorted((place / "out").iterdir())
    together = [line for part in parts for line in part.read_text().splitlines()]
    alone = subprocess.run(
        ["phasic", "evaluate", "model.py", "--thetas", "thetas.csv"],
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    tally.counts |= {"thetas": rows, "parts": len(parts), "rows": len(together)}
    tally.must(len(alone) == rows, "one process answers a row a theta")
    tally.must(sorted(together) == sorted(alone), "all parts together are what one process gives")
    entries = len(list((place / "traces").glob("*.trace")))
    tally.must(entries == 1, f"{entries} traces in the cache of all, not 1")


def _infer(tally: Tally, place: Path) -> None:
    few = ["--prior", "gamma(2,1)", "--particles", "50", "--iterations", "100"]
    _submit(tally, place, "infer.sh", "model.py", "observed.csv", "results", *few)
    fit = json.loads((place / "results" / "fit.json").read_text() or "{}")
    found = fit["parameters"]["mean"][0] if fit else float("nan")
    particles = np.load(place / "results" / "particles.npy")
    # Of the posterior, gamma(2 + n, 1 + sum of the data), in closed form.
    total = np.loadtxt(place / "observed.csv").sum()
    exact = (2 + OBSERVED) / (1 + total)
    tally.counts["rate by infer.sh"] = round(found, 4)
    tally.counts["exact posterior mean"] = round(exact, 4)
    tally.must(abs(found - exact) < 0.02 * exact, f"infer.sh finds {found}, not {exact}")
    tally.must(particles.shape == (50, 1), f"its particles are kept: {particles.shape}")


def _fit(tally: Tally, place: Path) -> None:
    """Its model is a coalescent; that all its processes have found each other is what counts."""
    two = [f"--nodes={len(NODES)}", "--ntasks-per-node=2"]
    said = _submit(tally, place, *two, "fit.sh", "observed.csv")
    found = re.search(r"(\d+) devices, mean \[", said)
    devices = int(found[1]) if found else 0
    tally.counts["devices of fit.sh"] = devices
    tally.must(devices == 4, f"fit.sh fits on 4 devices: {said}")
