"""How good a set of particles is: kernelised Stein discrepancy and effective sample size.

    KSD^2 = 1/n^2 sum_ij u(x_i, x_j)
    u(x, y) = s(x)'s(y) k + s(x)' grad_y k + s(y)' grad_x k + tr grad_x grad_y k

with scores s and the inverse multiquadric k = (1 + |x - y|^2)^(-1/2), which tells convergence
(Gorham & Mackey 2017), in whitened coordinates. For n independent draws of the target
E KSD^2 = E u(x, x) / n. The effective sample size is therefore the mean of u(x_i, x_i) over KSD^2:
so many independent draws have the same discrepancy on average. Particles that repel one another
can have more than there are of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def stein_discrepancy(particles: Values, scores: Values) -> tuple[float, float]:
    """KSD and effective sample size of particles (n, d) with scores (n, d)."""
    u = _stein_kernel(particles, scores)
    squared = max(float(np.mean(u)), 0.0)
    size = float(np.mean(np.diag(u))) / squared if squared > 0 else np.inf
    return squared**0.5, size


def _stein_kernel(x: Values, s: Values) -> Values:
    apart = x[:, np.newaxis] - x
    base = 1 + np.sum(apart**2, axis=-1)
    # grad_x k = -apart base^(-3/2) = -grad_y k
    across = np.einsum("ijd,ijd->ij", s[:, np.newaxis] - s, apart)
    trace = x.shape[1] * base**-1.5 - 3 * (base - 1) * base**-2.5
    kernel: Values = (s @ s.T) * base**-0.5 + across * base**-1.5 + trace
    return kernel
