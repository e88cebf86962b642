"""What JAX raises where a model refuses a theta: NaN, a negative rate, a tolerance not met.

Which exception that is depends on the status that the custom call returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
from numpy.typing import ArrayLike

from ..errors import NumericError, PhasicError

REFUSALS = (jax.errors.JaxRuntimeError, ValueError)


def value_or_nan(function: Callable[[jax.Array], jax.Array], theta: ArrayLike) -> float:
    """A function at a theta that is only tried: NaN where the model refuses it."""
    try:
        return float(function(jnp.asarray(theta)))
    except REFUSALS:
        return float("nan")


@contextmanager
def refusals_told(doing: str) -> Iterator[None]:
    """Makes a refusal within the block an error of ours.

    Raises:
        NumericError: the model refused a theta.
    """
    try:
        yield
    except REFUSALS as error:
        if isinstance(error, PhasicError):
            raise
        said = str(error).splitlines()[0]
        raise NumericError(
            f"FATAL: the model refused a theta {doing}: {said}",
            code="MODEL_REFUSED",
            hint="look whether the data have the model's unit of time; give a start, or a prior "
            "that keeps theta away from there",
        ) from error
