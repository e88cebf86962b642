"""What JAX raises where a model refuses a theta: NaN, a negative rate, a tolerance not met.

Which exception that is depends on the status that the custom call returned.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from numpy.typing import ArrayLike

REFUSALS = (jax.errors.JaxRuntimeError, ValueError)


def value_or_nan(function: Callable[[jax.Array], jax.Array], theta: ArrayLike) -> float:
    """A function at a theta that is only tried: NaN where the model refuses it."""
    try:
        return float(function(jnp.asarray(theta)))
    except REFUSALS:
        return float("nan")
