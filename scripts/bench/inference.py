"""Posteriors by particles against phasic 0.32.1, and how far both are from the exact ones.

Everyone fits the same times with the same prior, a normal cut to theta > 0, in a fresh process: the
seconds are those of a user's one fit, compilation included and imports left out.
"""

import tempfile
from dataclasses import dataclass

import numpy as np
import posterior_reference
from fresh import Answer, FreshProcesses
from models import Floats

PARTICLES = 100
PRIOR = (1.0, 1.0)  # mean and sd
ROUNDS = 2
# Of one process; the larger targets are minutes.
CPU_SECONDS = 400


@dataclass(frozen=True)
class Problem:
    """A coalescent of n lineages, how it is fitted, and the targets."""

    n: int
    observations: int
    iterations: int
    timed: int  # iterations of the peer from which its time is known
    most_seconds: float
    least_ratio: float

    def times(self) -> Floats:
        """(observations,): sums of exponential times, at theta 1."""
        random = np.random.default_rng(1)
        k = np.arange(2, self.n + 1)
        scale = 2 / (k * (k - 1))
        return random.exponential(scale, (self.observations, self.n - 1)).sum(axis=1)


PROBLEMS = [
    Problem(10, 100, 100, timed=100, most_seconds=2, least_ratio=30),
    Problem(67, 1000, 1000, timed=2, most_seconds=150, least_ratio=100),
]


class Inference(FreshProcesses):
    """Both problems."""

    def run(self) -> None:
        """Adds all figures to the results."""
        with tempfile.TemporaryDirectory(dir=self.work_dir) as cache:
            for problem in PROBLEMS:
                self._fit(problem, cache)

    def _fit(self, problem: Problem, cache: str) -> None:
        data = self.work_dir / "times.npz"
        times = problem.times()
        np.savez(data, times=times)
        asked = {
            "n": problem.n,
            "prior": PRIOR,
            "particles": PARTICLES,
            "iterations": problem.iterations,
            "cpu_seconds": CPU_SECONDS,
        }
        tries = [self.ours(cache, "svgd", data=str(data), **asked) for _ in range(ROUNDS)]
        ours = min(tries, key=lambda answer: answer.get("seconds", np.inf))
        theirs = self.theirs("svgd", data, timed=problem.timed, **asked)
        said = ""
        if problem.timed < problem.iterations:
            said = (
                f"phasic 0.32.1 extrapolated: {problem.iterations:,} times the mean of "
                f"{problem.timed} iterations after its first, whose start is left out"
            )
        name = (
            f"SVGD of coalescent {problem.n}, {problem.observations:,} observations, "
            f"{PARTICLES} particles x {problem.iterations}"
        )
        self.add(f"{name}: CPU", ours, "seconds", 1, "s", at_most=problem.most_seconds)
        self.add(f"{name}: CPU of phasic 0.32.1", theirs, "seconds", 1, "s", note=said)
        self.ratio(
            f"{name}: against phasic 0.32.1", theirs, ours, said, at_least=problem.least_ratio
        )
        exact = posterior_reference.posterior(problem.n, times, *PRIOR)
        self._posterior(name, ours, exact, at_most=0.1)
        if "failed" in theirs or "sd" in theirs:
            self._posterior(f"{name}, phasic 0.32.1", theirs, exact)

    def _posterior(
        self, name: str, answer: Answer, exact: tuple[float, float], **target: float
    ) -> None:
        """How far a posterior's mean and sd are from the exact ones."""
        mean, sd = exact
        off = dict(answer)
        note = {"mean": "", "sd": ""}
        if "sd" in answer:
            off = {"mean": abs(answer["mean"] - mean) / sd, "sd": abs(answer["sd"] / sd - 1)}
            note = {
                key: f"{answer[key]:.4g}; exact {value:.4g}"
                for key, value in (("mean", mean), ("sd", sd))
            }
        label = f"{name}: error of posterior"
        self.add(f"{label} mean", off, "mean", 1, "posterior sd", note["mean"], **target)
        self.add(f"{label} sd, relative", off, "sd", 1, "", note["sd"], **target)
