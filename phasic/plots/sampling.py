"""Where a curve is computed: between two quantiles, and more densely where it turns.

A function is known at first at evenly spaced times and at quantiles, so that no part with
probability is passed over; then the intervals beside each corner are halved until the polygon turns
nowhere by more than the eye sees.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import NumericError

if TYPE_CHECKING:
    from ..distribution import Distribution
    from ..epochs import EpochDistribution

Array = NDArray[np.float64]

# Of what is neither at 0 nor at infinity; the second and the last but two tell how wide it is.
_LEVELS = np.array([0.001, 0.05, *np.linspace(0.1, 0.9, 9), 0.95, 0.99, 0.999])
_LOW, _HIGH = 1, -3
# So many times between those (an exponential has 58) need a logarithmic axis.
_WIDE = 1000.0
_EVEN_POINTS = 161
_MOST_ROUNDS = 8
_MOST_POINTS = 4000
_MOST_STEPS = 2000
# A corner that is seen, as a part of the picture's height.
_VISIBLE = 5e-4
# An axis begins at 0 where the lowest quantile is within this part of it.
_NEAR_ZERO = 0.15


def quantiles(distribution: Distribution | EpochDistribution, rewards: ArrayLike | None) -> Array:
    """From 0.001 to 0.999, of what is neither at 0 nor at infinity.

    Raises:
        NumericError: that is nothing.
    """
    atom, total = (float(p) for p in distribution.cdf([0.0, np.inf], rewards=rewards))
    if not atom < total:
        raise NumericError(
            "FATAL: there is no curve to draw: the variable is 0, or infinite, with probability 1",
            code="PLOT_EMPTY",
            hint="`phasic evaluate --defect` gives the probability of 0",
        )
    levels = atom + (total - atom) * _LEVELS
    return np.asarray(distribution.quantile(levels, rewards=rewards), dtype=float)


def is_wide(found: Array) -> bool:
    """Whether quantiles span so many orders that an even axis would show one corner."""
    return bool(found[_HIGH] > _WIDE * found[_LOW])


def even_times(found: Array, wide: bool) -> Array:
    """Times from the lowest quantile, or from 0 where that is near, to the highest."""
    low, high = found[0], found[-1]
    if wide:
        spread = np.geomspace(low, high, _EVEN_POINTS)
    else:
        spread = np.linspace(0.0 if low < _NEAR_ZERO * high else low, high, _EVEN_POINTS)
    return np.unique(np.concatenate([spread, found]))


def even_steps(found: Array) -> tuple[Array, int]:
    """Whole numbers between the outer quantiles, and the distance between two of them."""
    low, high = np.floor(found[0]), np.ceil(found[-1])
    low = 0.0 if low < _NEAR_ZERO * high else low
    stride = int(np.ceil((high - low + 1) / _MOST_STEPS))
    return np.arange(low, high + 1, stride), stride


def refine(
    function: Callable[[Array], Array], times: Array, scale: Callable[[Array], Array]
) -> tuple[Array, Array]:
    """Times and values of a curve that looks smooth; `scale` is what the axis does to times."""
    values = function(times)
    for _ in range(_MOST_ROUNDS):
        wanted = _turning(scale(times), values)
        middle = ((times[:-1] + times[1:]) / 2)[wanted]
        if not middle.size or len(times) > _MOST_POINTS:
            break
        times = np.concatenate([times, middle])
        values = np.concatenate([values, function(middle)])
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
    return times, values


def _turning(x: Array, values: Array) -> NDArray[np.bool_]:
    """The intervals beside a corner that can be seen."""
    height = float(values.max() - values.min()) or 1.0
    share = (x[1:-1] - x[:-2]) / (x[2:] - x[:-2])
    corner = np.abs(values[:-2] + share * (values[2:] - values[:-2]) - values[1:-1])
    seen = corner > _VISIBLE * height
    wanted = np.zeros(len(x) - 1, bool)
    wanted[:-1] |= seen
    wanted[1:] |= seen
    return wanted
