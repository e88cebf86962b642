"""Posteriors from outside: the coalescent's density in closed form, and quadrature over theta.

The time to the most recent common ancestor of n lineages whose pairs merge at rate 1 has density
sum over k of (-1)^k k (k-1)/2 c_k exp(-k (k-1) t / 2), with c_k = (2k - 1) times the product over
i = 1 .. k - 1 of (n - i) / (n + i) (Tavaré 1984, Theoretical Population Biology 26).
"""

import numpy as np
from models import Floats

# Relative rounding error of the density, above which nothing here is called exact.
WORST = 1e-6
NODES = 400
REACH = 9.0


def density(n: int, times: Floats) -> Floats:
    """At theta 1, of times of any shape. Raises ArithmeticError where the signs eat the digits."""
    k = np.arange(2, n + 1)
    i = np.arange(1, n)
    rate = k * (k - 1) / 2
    weight = rate * (2 * k - 1) * np.cumprod((n - i) / (n + i))
    terms = np.where(k % 2 == 0, weight, -weight) * np.exp(-rate * times[..., np.newaxis])
    total = terms.sum(axis=-1)
    if np.any(np.abs(terms).sum(axis=-1) * np.finfo(float).eps > WORST * total):
        raise ArithmeticError("the closed form of the density cancels")
    return total


def posterior(n: int, data: Floats, mean: float, sd: float) -> tuple[float, float]:
    """Mean and sd of theta > 0 given `data` (n_observations,) and a prior normal(mean, sd) there.

    The trapezium rule on a grid around the mode, over which the posterior falls to nothing on both
    sides: there it converges faster than any power of the step.
    """

    def log_posterior(thetas: Floats) -> Floats:
        scaled = thetas[:, np.newaxis] * data
        log_likelihood = np.log(thetas[:, np.newaxis] * density(n, scaled)).sum(axis=1)
        return log_likelihood - 0.5 * ((thetas - mean) / sd) ** 2

    # The scale of theta is seen with relative precision 1/sqrt(n_observations) or so.
    centre, width = _expectation(n) / data.mean(), 1 / np.sqrt(len(data))
    for _ in range(3):
        thetas = np.linspace(max(centre - REACH * width, centre / 5), centre + REACH * width, NODES)
        logs = log_posterior(thetas)
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        centre = float(weights @ thetas)
        width = float(np.sqrt(weights @ (thetas - centre) ** 2))
    if max(weights[0], weights[-1]) > WORST:
        raise ArithmeticError("the grid cuts the posterior off")
    return centre, width


def _expectation(n: int) -> float:
    return 2 * (1 - 1 / n)
