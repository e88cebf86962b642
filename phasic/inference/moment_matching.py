"""Method of moments: the theta whose moments are nearest to those of the data.

Minimises (m(theta) - m̂)' S^-1 (m(theta) - m̂) over theta, where m̂ are the data's raw moments of
order 1 to K and S is the covariance of these estimates (Hansen 1982, with the efficient weights).
With as many moments as free parameters they are matched exactly, where the model can. The
covariance of theta is (G' S^-1 G)^-1, G = dm/dtheta.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, NumericError, warn
from .arguments import check_count
from .estimates import PointEstimate, estimate
from .observations import Observations, as_data_sets
from .parameters import TransformArgument, make_parameters
from .precision import say_precision
from .starts import SEARCHES, best_starts

Values = NDArray[np.float64]


def method_of_moments(
    model: Any,
    observed_data: Any,
    theta_dim: int | None = None,
    *,
    nr_moments: int | None = None,
    transform: TransformArgument = None,
    fixed: Mapping[int, float] | None = None,
    start: ArrayLike | None = None,
    seed: int = 0,
) -> PointEstimate:
    """The estimate by moments, with standard errors from the spread of the data's moments.

    Args:
        model: a Graph, or a function of theta that returns (nr_moments + 2,) raw moments.
        observed_data: times (n,), or one data set of `Observations` without censoring.
        theta_dim: length of theta, where the model does not say it.
        nr_moments: moments to match; None: as many as there are free parameters.
        transform, fixed, start, seed: see `maximum_likelihood`.

    Raises:
        NumericError: the data have no spread, or no theta is found.
        ConfigError: what is given does not go together.

    Example:
        >>> import jax
        >>> jax.config.update("jax_enable_x64", True)
        >>> from phasic.inference import method_of_moments
        >>> from phasic.models import coalescent
        >>> found = method_of_moments(coalescent.kingman(2), [1.0, 3.0])
        >>> round(float(found.theta[0]), 12)
        0.5
    """
    say_precision()
    data = one_data_set(as_data_sets(observed_data))
    discrete = bool(getattr(model, "discrete", False))
    dim = _length(model, theta_dim)
    parameters = make_parameters(dim, None, transform, fixed, discrete=discrete, flat=True)
    order = parameters.n_free if nr_moments is None else nr_moments
    check_count("nr_moments", order, 0)
    if order < parameters.n_free:
        raise ConfigError(
            f"{order} moments for {parameters.n_free} free parameters",
            code="MOMENTS_TOO_FEW",
            hint="as many moments as parameters, or fix some",
        )
    # The first moments of several thetas may be the same: where to begin, two more say.
    if hasattr(model, "moments_from_graph"):
        model = model.moments_from_graph(order + 2)
    wide = _distance(model, data, min(order + 2, _n_different(data) - 1))
    objective = _distance(model, data, order)
    begin = best_starts(wide, None, parameters, start, seed, SEARCHES, data.typical)
    found = estimate(objective, parameters, begin, "moments", rank=wide)
    if order == parameters.n_free and found.value < -1e-12 and not found.at_bound:
        warn(
            "MOMENTS_NOT_MATCHED",
            f"no theta has the data's {order} moments: the nearest is "
            f"{np.sqrt(-2 * found.value):.3g} standard errors away",
        )
    return found


def _distance(
    model: Callable[[jax.Array], jax.Array], data: Observations, order: int
) -> Callable[[jax.Array], jax.Array]:
    """Minus half the squared distance from the data's moments, in their standard errors."""
    mean, covariance = sample_moments(data, order)
    # Moments of different orders differ by powers of the unit of time.
    scale = np.sqrt(np.diag(covariance))
    try:
        root = np.linalg.cholesky(covariance / np.outer(scale, scale))
    except np.linalg.LinAlgError as error:
        raise NumericError(
            f"FATAL: the data's moments of order 1 to {order} are the same to rounding, each a "
            "multiple of another: a few observations are far larger than all others",
            code="MOMENTS_DEPENDENT",
            hint="use maximum_likelihood, or look at the largest observations",
        ) from error

    def objective(theta: jax.Array) -> jax.Array:
        apart = (model(theta)[:order] - mean) / scale
        residual = jax.scipy.linalg.solve_triangular(jnp.asarray(root), apart, lower=True)
        return -0.5 * jnp.sum(residual**2)

    return objective


def sample_moments(data: Observations, order: int) -> tuple[Values, Values]:
    """Raw moments (order,) of the data, and the covariance of these estimates.

    Raises:
        NumericError: there are too few different observations, or moments are beyond the range of
            floats.
    """
    weights = np.ones(len(data.times)) if data.weights is None else data.weights
    total = weights.sum()
    with np.errstate(all="ignore"):  # what leaves the range of floats is told below
        powers = data.times[:, np.newaxis] ** np.arange(1, order + 1)
        mean = weights @ powers / total
        centred = powers - mean
        covariance = (weights[:, np.newaxis] * centred).T @ centred / total**2
    if _n_different(data) <= order:
        raise NumericError(
            f"FATAL: {_n_different(data)} different observations say too little of {order} moments",
            code="DATA_TOO_FEW",
            hint="match fewer moments, or fix parameters",
        )
    variances = np.diag(covariance)
    if not (np.isfinite(covariance).all() and (variances > np.finfo(float).tiny).all()):
        raise NumericError(
            f"FATAL: {data.name} has times from {data.times.min():g} to {data.times.max():g}: "
            f"moments of order {order}, or the spread of their estimates, are beyond the range of "
            "floats",
            code="MOMENTS_OUT_OF_RANGE",
            hint=f"measure time in another unit (divide by {data.typical:g}), or use "
            "maximum_likelihood",
        )
    return mean, covariance


def _n_different(data: Observations) -> int:
    """Different times that were observed at all."""
    seen = data.times if data.weights is None else data.times[data.weights > 0]
    return len(np.unique(seen))


def one_data_set(sets: Sequence[Observations]) -> Observations:
    """The data set, where there is one and moments say all of it.

    Raises:
        ConfigError: there are several, or it has rewards, features or censored observations.
    """
    data = sets[0]
    if len(sets) > 1 or data.multivariate or data.rewards is not None:
        raise ConfigError(
            "the method of moments takes one data set of times",
            code="DATA_SHAPE",
            hint="use maximum_likelihood for several, for rewards and for features",
        )
    if data.right_censored is not None or data.intervals is not None:
        raise ConfigError(
            "censored observations have no moments",
            code="CENSORED_UNSUPPORTED",
            hint="use maximum_likelihood",
        )
    return data


def _length(model: Any, theta_dim: int | None) -> int:
    said = getattr(model, "n_parameters", theta_dim)
    if said is None or (theta_dim is not None and said != theta_dim):
        raise ConfigError(
            f"theta_dim is {theta_dim}, and the model says {said} parameters",
            code="THETA_LENGTH",
            hint="give theta_dim where the model does not know it, and only there",
        )
    return int(said)
