"""Maximum likelihood: the theta under which the data are most likely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from numpy.typing import ArrayLike

from ..errors import NumericError
from .estimates import PointEstimate, estimate
from .parameters import TransformArgument, make_parameters
from .posterior_density import make_likelihood
from .precision import say_precision
from .refusals import REFUSALS
from .starts import SEARCHES, best_starts


def maximum_likelihood(
    model: Any,
    observed_data: Any,
    theta_dim: int | None = None,
    *,
    transform: TransformArgument = None,
    fixed: Mapping[int, float] | None = None,
    rewards: ArrayLike | None = None,
    start: ArrayLike | None = None,
    seed: int = 0,
) -> PointEstimate:
    """The maximum-likelihood estimate, with standard errors from the observed information.

    Args:
        model, observed_data, theta_dim, rewards: see `log_posterior`.
        transform: "positive", "unit" or "real", what theta may be; None: positive, of discrete
            models unit.
        fixed: entries of theta that do not move, {index: value}.
        start: theta to begin at; None: the best of several tried.
        seed: of those.

    Raises:
        NumericError: the data are impossible, or the likelihood has no maximum.
        ConfigError: what is given does not go together.

    Example:
        >>> import jax
        >>> jax.config.update("jax_enable_x64", True)
        >>> from phasic.inference import maximum_likelihood
        >>> from phasic.models import coalescent
        >>> found = maximum_likelihood(coalescent.kingman(2), [1.0, 3.0])
        >>> round(float(found.theta[0]), 12), round(float(found.standard_errors[0]), 12)
        (0.5, 0.353553390593)
    """
    say_precision()
    likelihood, dim = make_likelihood(model, observed_data, theta_dim, rewards=rewards)
    parameters = make_parameters(
        dim, None, transform, fixed, discrete=likelihood.discrete, flat=True
    )
    typical = likelihood.data[0].typical
    begin = best_starts(likelihood, likelihood, parameters, start, seed, SEARCHES, typical)
    try:
        return estimate(likelihood, parameters, begin, "mle")
    except (NumericError, *REFUSALS) as failure:
        if not all(data.all_censored for data in likelihood.data):
            raise
        count = sum(data.count for data in likelihood.data)
        raise NumericError(
            f"FATAL: all {count:g} observations are right-censored, and no maximum is found: with "
            "no end among them, the likelihood rises for as long as ends move further away",
            code="DATA_ALL_CENSORED",
            hint="add observations whose end is known, exactly or in an interval, or give a prior "
            "(map, svgd: `--method map` and `--prior`)",
        ) from failure
