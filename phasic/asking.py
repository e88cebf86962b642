"""What may be asked of a function of times: times, a method, a tolerance."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._engine.chain import METHODS
from .arguments import Array, as_numbers
from .errors import NumericError

#: Relative error that is accepted where nothing else is asked for.
DEFAULT_TOLERANCE = 1e-9


def as_times(t: ArrayLike) -> Array:
    """Numbers in an array of any shape.

    Raises:
        NumericError: they are none, or one is NaN.
    """
    times = as_numbers(t, "times")
    if np.isnan(times).any():
        raise NumericError("FATAL: a time is NaN", code="TIME_NAN", hint="leave missing times out")
    return times


def as_method(name: str) -> int:
    """The engine's number of a method.

    Raises:
        NumericError: there is none of this name.
    """
    if name not in METHODS:
        raise NumericError(
            f"FATAL: there is no method {name!r}",
            code="METHOD_UNKNOWN",
            hint=f"methods are {', '.join(METHODS)}",
        )
    return METHODS.index(name)


def as_tolerance(tolerance: float | None) -> float:
    """A relative error; None: `DEFAULT_TOLERANCE`.

    Raises:
        NumericError: it is not between 0 and 1.
    """
    if tolerance is None:
        return DEFAULT_TOLERANCE
    if not 0 < tolerance < 1:
        raise NumericError(
            f"FATAL: the tolerance is {tolerance}, not between 0 and 1",
            code="TOLERANCE",
            hint="it is a relative error, as 1e-9",
        )
    return float(tolerance)
