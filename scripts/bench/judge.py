"""Who is right where two contenders differ: the mean by elimination without subtraction.

Grassmann, Taksar & Heyman (1985): pivots are sums of rates and nothing is subtracted, so the
result is right to a small multiple of machine precision however stiff the chain is. Vertices are
eliminated in lexicographic order of their states, within the band that this order has.
"""

import numpy as np
from models import Arrays, Floats
from numpy.lib.stride_tricks import as_strided

MAX_WORK = 4e9


def mean(arrays: Arrays, theta: Floats) -> float | None:
    """E[time to absorption]; None where the band is too wide to do in numpy."""
    transient = np.flatnonzero(arrays.transient)
    order = transient[np.lexsort(arrays.states[transient].T[::-1])]
    n = len(order)
    number = np.full(len(arrays.states), -1)
    number[order] = np.arange(n)
    source, target = number[arrays.source], number[arrays.target]
    weight = arrays.weights(theta[None, :])[0]
    inner = target >= 0
    band = int(np.abs(source - target)[inner].max(initial=1))
    if float(n) * band * band > MAX_WORK:
        return None

    # Entry (i, j) of the band lies at i * 2 band + j + band: a matrix view whose rows overlap.
    storage = np.zeros(n * (2 * band + 1) + 2 * band)
    rate = as_strided(storage[band:], (n, n), (2 * band * 8, 8))
    np.add.at(storage, source[inner] * 2 * band + target[inner] + band, weight[inner])
    leave = np.bincount(source[~inner], weights=weight[~inner], minlength=n)
    reward = np.ones(n)
    pivot = np.empty(n)
    for k in range(n):
        rest = slice(k + 1, min(n, k + band + 1))
        onward = rate[k, rest]
        pivot[k] = onward.sum() + leave[k]
        into = rate[rest, k] / pivot[k]
        rate[rest, rest] += np.outer(into, onward)
        leave[rest] += into * leave[k]
        reward[rest] += into * reward[k]
    expected = np.zeros(n)
    for k in reversed(range(n)):
        rest = slice(k + 1, min(n, k + band + 1))
        expected[k] = (reward[k] + rate[k, rest] @ expected[rest]) / pivot[k]
    return float(expected[number[0]])
