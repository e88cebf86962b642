"""Numbers from what users give: real ones, whole ones, a theta.

What is no number is an error that says so, wherever numbers are taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import NumericError

Array = NDArray[np.float64]


def as_numbers(values: ArrayLike, what: str) -> Array:
    """Real numbers as doubles, in an array of any shape.

    Args:
        values: numbers, booleans, or objects that are numbers (fractions, decimals).
        what: their name in messages, in the plural.

    Raises:
        NumericError: they are none: text, dates, complex, None, rows of different lengths.
    """
    try:
        raw = np.asarray(values)
        if raw.dtype.kind not in "biufO":
            raise TypeError(f"{raw.dtype} is no type of real numbers")
        if raw.dtype.kind == "O" and any(value is None for value in raw.flat):
            raise TypeError("None is no number")
        return np.asarray(raw, dtype=np.float64, order="C")
    except (TypeError, ValueError, OverflowError) as error:
        raise NumericError(
            f"FATAL: {what} are no numbers: {error}",
            code="NOT_NUMBERS",
            hint="give real numbers within the range of double, alone or in lists or arrays",
        ) from error


def as_row_major(values: ArrayLike, what: str) -> Array:
    """The same, contiguous, as the engine takes them."""
    return np.ascontiguousarray(as_numbers(values, what))


def at_least_one(number: int, what: str) -> int:
    """A whole number of at least 1.

    Raises:
        NumericError: it is not.
    """
    if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
        raise NumericError(
            f"FATAL: {what} is {number!r}, not a whole number of at least 1",
            code="ORDER",
            hint="give 1, 2, 3, …, as an integer",
        )
    return int(number)


def check_theta(theta: ArrayLike, n_parameters: int) -> Array:
    """A read-only copy of one theta (n_parameters,).

    Raises:
        NumericError: another length, not finite, or no numbers.
    """
    array = as_row_major(theta, "theta").copy()
    if array.shape != (n_parameters,):
        raise NumericError(
            f"FATAL: theta has shape {array.shape}; the graph has {n_parameters} parameters, so "
            f"expected ({n_parameters},)",
            code="THETA_LENGTH",
            hint="give theta one number a parameter, in the order of the coefficients",
        )
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise NumericError(
            f"FATAL: theta[{wrong[0]}] is {array[wrong[0]]}",
            code="THETA_NOT_FINITE",
            hint="theta must be finite",
        )
    array.flags.writeable = False
    return array
