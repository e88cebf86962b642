"""Maximum a posteriori: the theta at which the posterior density, in theta, is highest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
from numpy.typing import ArrayLike

from .estimates import PointEstimate, estimate
from .parameters import PriorArgument, TransformArgument
from .posterior_density import log_posterior
from .starts import SEARCHES, best_starts


def maximum_a_posteriori(
    model: Any,
    observed_data: Any,
    theta_dim: int | None = None,
    *,
    prior: PriorArgument = None,
    transform: TransformArgument = None,
    fixed: Mapping[int, float] | None = None,
    rewards: ArrayLike | None = None,
    start: ArrayLike | None = None,
    seed: int = 0,
) -> PointEstimate:
    """The mode of the posterior density of theta, with standard errors from its curvature.

    The mode depends on the coordinates: this is the one in theta, without a Jacobian.

    Args:
        model, observed_data, theta_dim, prior, transform, fixed, rewards: see `log_posterior`.
        start: theta to begin at; None: the best of some draws from the prior.
        seed: of those.

    Raises:
        NumericError: the data are impossible, or the posterior has no mode.
        ConfigError: what is given does not go together.

    Example:
        >>> import jax
        >>> jax.config.update("jax_enable_x64", True)
        >>> from phasic.inference import Gamma, maximum_a_posteriori
        >>> from phasic.models import coalescent
        >>> model = coalescent.kingman(2)
        >>> found = maximum_a_posteriori(model, [1.0, 3.0], prior=Gamma(3, 2))
        >>> round(float(found.theta[0]), 12)  # (2 + 3 - 1) / (4 + 2)
        0.666666666667
    """
    target = log_posterior(
        model,
        observed_data,
        theta_dim,
        prior=prior,
        transform=transform,
        fixed=fixed,
        rewards=rewards,
    )

    def objective(theta: jax.Array) -> jax.Array:
        return target.likelihood(theta) + target.parameters.log_prior(theta)

    typical = target.likelihood.data[0].typical
    begin = best_starts(
        objective, target.likelihood, target.parameters, start, seed, SEARCHES, typical
    )
    return estimate(objective, target.parameters, begin, "map")
