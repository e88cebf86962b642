"""Particles over several devices and processes: the same as those of one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from test_jax_processes import PROGRAMS, environment, free_port


def run_together(count: int, devices: int, checkpoint: str = "-") -> list[dict[str, Any]]:
    address = f"127.0.0.1:{free_port()}"
    started = [
        subprocess.Popen(
            [sys.executable, PROGRAMS / "particles.py", str(k), str(count), address, checkpoint],
            env=environment(devices),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for k in range(count)
    ]
    said = []
    for process in started:
        out, error = process.communicate(timeout=300)
        assert process.returncode == 0, error
        said.append(json.loads(out.splitlines()[-1]))
    return said


@pytest.fixture(scope="module")
def alone() -> dict[str, Any]:
    return run_together(1, 1)[0]


@pytest.mark.parametrize(("processes", "devices"), [(1, 4), (2, 1), (2, 2)])
def test_the_particles_are_those_of_one(
    processes: int, devices: int, alone: dict[str, Any], tmp_path: Path
) -> None:
    checkpoint = tmp_path / "fit.npz"
    for said in run_together(processes, devices, str(checkpoint)):
        assert said["devices"] == processes * devices
        for way in ("all", "minibatch"):
            np.testing.assert_allclose(said[way], alone[way], rtol=1e-10)
    with np.load(checkpoint, allow_pickle=False) as stored:
        np.testing.assert_allclose(stored["thetas"][-1], alone["all"], rtol=1e-10)
        assert stored["state_0"].shape == (8, 1)
