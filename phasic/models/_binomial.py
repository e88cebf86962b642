"""Binomial probabilities in bulk."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def binomial_pmf(
    n: NDArray[np.intp], k: NDArray[np.intp], p: ArrayLike, q: ArrayLike
) -> NDArray[np.float64]:
    """C(n, k) p^k q^(n - k), from logarithms: right to about 1e-15 times the largest of them.

    Args:
        n, k: 0 <= k <= n, of one shape.
        p, q: probabilities and those of the opposite, positive, broadcast to it.
    """
    most = int(n.max(initial=0))
    log_factorial = np.array([math.lgamma(i + 1.0) for i in range(most + 1)])
    logs = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
    powers = k * np.log(p) + (n - k) * np.log(q)
    return np.exp(logs + powers)
