"""A penalty on parameters whose moments differ from those of the data.

    weight / 2 * sum_k ((m_k(theta) - m̂_k) / s_k)^2,   k = 1 .. nr_moments

with the data's raw moments m̂_k and their standard errors s_k. A weight of 1 counts each moment like
one more observation of it with this error: data are used twice, so posteriors get narrower than the
data justify. It helps where the likelihood alone leads astray from a bad start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..errors import ConfigError
from .moment_matching import one_data_set, sample_moments
from .observations import Observations


def moment_penalty(
    model: Any, data: Sequence[Observations], weight: float, nr_moments: int = 2
) -> Callable[[jax.Array], jax.Array]:
    """The penalty as a function of theta.

    Args:
        model: a Graph.
        data: one data set of times.
        weight: of the penalty.
        nr_moments: how many moments.

    Raises:
        ConfigError: the model has no moments, or the data are of another kind.
    """
    if not hasattr(model, "moments_from_graph") or not weight > 0:
        raise ConfigError(
            f"regularization is {weight} and the model a {type(model).__name__}; expected a weight "
            "above 0 and a Graph",
            code="REGULARIZATION_INVALID",
            hint="leave regularization out",
        )
    moments = model.moments_from_graph(nr_moments)
    mean, covariance = sample_moments(one_data_set(data), nr_moments)
    error = np.sqrt(np.diag(covariance))

    def penalty(theta: jax.Array) -> jax.Array:
        return 0.5 * weight * jnp.sum(jnp.square((moments(theta) - mean) / error))

    return penalty
