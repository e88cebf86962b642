"""Densities of random models against an oracle in integers: no answer may be outside its bound."""

from __future__ import annotations

from checks import suite
from checks.commands import ROOT, CheckFailed
from checks.sandbox import Sandbox

TRIALS = str(ROOT / "tests" / "density_trials.py")
POINTS_BEFORE = "600"


def trials(sandbox: Sandbox, points: int) -> None:
    """New seeds each time; the first line names the one to repeat a run."""
    variables = suite.variables(None) | {"PYTHONPATH": str(ROOT / "tests")}
    # Of these answers some are moved beyond their bound.
    status, output = sandbox.outcome(
        ["python", TRIALS, POINTS_BEFORE, "1", "planted"], extra=variables
    )
    if status != 1 or "outside: " not in output:
        print(output)
        raise CheckFailed("the density trials did not catch answers that were moved")
    print("density trials: fire on answers that were moved", flush=True)
    sandbox.run(["python", TRIALS, str(points)], extra=variables)
