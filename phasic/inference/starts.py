"""Where a search begins: at what the user says, or at the best of some thetas tried.

Tried are draws from the priors. Without priors the scale of theta is not known: thetas around the
inverse of a typical time are tried, and powers of ten of it. So they are, too, where the data are
impossible or beyond the engine's range at all draws: the data may be in another unit of time than
the prior supposes, and the posterior lies where the data are possible.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from ..errors import ConfigError, NumericError
from .compiled import compiled
from .likelihood import DataLikelihood
from .parameters import Parameters
from .refusals import value_or_nan

_DRAWS = 16
SEARCHES = 6
"""Searches for the highest maximum where there may be several."""
_POWERS = np.log(10.0) * np.arange(-4, 5)


def best_starts(
    objective: Callable[[jax.Array], jax.Array],
    likelihood: DataLikelihood | None,
    parameters: Parameters,
    start: ArrayLike | None,
    seed: int,
    number: int = 1,
    typical: float = 1.0,
) -> list[jax.Array]:
    """u (n_free,) of the best thetas tried, the best first.

    Args:
        objective: a function of theta, the higher the better.
        likelihood: whose data must be possible at one of the thetas.
        number: how many at most.
        typical: a time as the data have them; rates of its inverse are tried where no prior says
            how large they are, or nothing is finite where it does.

    Raises:
        NumericError: some observation has density 0 at all of them.
        ConfigError: `start` does not fit.
    """
    if start is not None:
        us = _given(start, parameters)
    else:
        us = draws(parameters, seed, _DRAWS)
        if parameters.scale_free:
            us = np.concatenate([us, _even(parameters)]) - np.log(typical)
    constrain, evaluate = compiled(jax.vmap(parameters.constrain)), compiled(objective)
    thetas = np.asarray(constrain(us))
    values = np.array([value_or_nan(evaluate, theta) for theta in thetas])
    if start is None and not parameters.scale_free and not np.isfinite(values).any():
        more = _even(parameters) - np.log(typical)
        us, thetas = np.concatenate([us, more]), np.concatenate([thetas, constrain(more)])
        values = np.array([value_or_nan(evaluate, theta) for theta in thetas])
    order = np.argsort(np.where(np.isfinite(values), -values, np.inf), kind="stable")
    best = [index for index in order if np.isfinite(values[index])]
    if not best:
        if likelihood is not None:
            likelihood.check_support(thetas[:_DRAWS])
        raise NumericError(
            f"FATAL: nothing is finite at any of the {len(thetas)} thetas tried, "
            f"{thetas[0].tolist()} the first of them",
            code="START_NOT_FOUND",
            hint="give a start at which the data are possible",
        )
    return [jnp.asarray(us[index]) for index in best[:number]]


def draws(parameters: Parameters, seed: int, number: int) -> np.ndarray:
    """(number, n_free): u of draws from the priors."""
    rng = np.random.default_rng(seed)
    thetas = np.stack([parameters.sample(rng) for _ in range(number)])
    return np.asarray(compiled(jax.vmap(parameters.unconstrain))(thetas))


def _even(parameters: Parameters) -> np.ndarray:
    """u of thetas of equal entries that are powers of ten, as far as the entries are rates."""
    return np.zeros((1, parameters.n_free)) + _POWERS[:, np.newaxis]


def _given(start: ArrayLike, parameters: Parameters) -> np.ndarray:
    theta = np.asarray(start, dtype=float)
    if theta.shape != (parameters.theta_dim,):
        raise ConfigError(
            f"start has shape {theta.shape}, expected ({parameters.theta_dim},)",
            code="THETA_LENGTH",
            hint="start is a theta, fixed entries included",
        )
    return parameters.unconstrain_all(theta[np.newaxis])
