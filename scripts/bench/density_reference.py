"""Densities from outside: uniformisation in extended precision, truncated far below its rounding.

f(t) = sum over k of Poisson(k; q t) alpha P^k s (Jensen 1953). All terms are non-negative, weights
are products outward from the mode and sum to one, so in 80-bit numbers the result is right to about
1e-17 where numpy's longdouble is that of x86; elsewhere it is no more exact than double.
"""

import numpy as np
from models import Arrays, Floats
from numpy.typing import NDArray

MOST_VISITS = 4e9
# Terms below this part of the largest weight are left out.
CUT = 1e-30


def density(arrays: Arrays, theta: Floats, times: Floats) -> Floats | None:
    """The density at `times`; None where extended precision is missing or q t is too long."""
    if np.finfo(np.longdouble).eps > 1e-18:
        return None
    weight = arrays.weights(theta[None, :])[0].astype(np.longdouble)
    transient = np.flatnonzero(arrays.transient)
    n = len(transient)
    number = np.full(len(arrays.states), n)
    number[transient] = np.arange(n)
    source, target = number[arrays.source], number[arrays.target]
    out = np.zeros(n + 1, dtype=np.longdouble)
    np.add.at(out, source, weight)
    rate = out.max()
    most = float(rate) * float(times.max())
    steps = int(most + 12 * np.sqrt(most) + 60)
    if steps * float(len(source)) > MOST_VISITS:
        return None

    order = np.argsort(target, kind="stable")
    source, target, chance = source[order], target[order], weight[order] / rate
    firsts = np.flatnonzero(np.diff(target, prepend=-1))
    entered = target[firsts]
    stay = 1 - out / rate
    vector = np.zeros(n + 1, dtype=np.longdouble)
    vector[number[0]] = 1
    absorbed = np.empty(steps, dtype=np.longdouble)
    for k in range(steps):
        arriving = np.add.reduceat(vector[source] * chance, firsts)
        after = vector * stay
        after[entered] += arriving
        absorbed[k], after[n] = after[n], 0
        vector = after
    return np.array([float(rate * (absorbed * _poisson(rate * t, steps)).sum()) for t in times])


def _poisson(mean: np.longdouble, steps: int) -> NDArray[np.longdouble]:
    """Poisson weights of 0 .. steps - 1."""
    k = np.arange(1, steps, dtype=np.longdouble)
    mode = min(int(mean), steps - 1)
    weights = np.ones(steps, dtype=np.longdouble)
    weights[mode + 1 :] = np.cumprod(mean / k[mode:])
    weights[:mode] = np.cumprod((k[:mode] / mean)[::-1])[::-1]
    weights[weights < CUT] = 0
    weights /= weights.sum()
    return weights
