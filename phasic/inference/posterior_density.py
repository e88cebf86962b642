"""The log posterior density in unconstrained coordinates: what every algorithm here climbs.

    log p(u) = log-likelihood(theta) + log prior(theta) + log |dtheta/du|,   theta = theta(u)

It is a plain JAX function, so that other people's samplers run on it. With blackjax
(`pip install 'phasic[inference]'`):

    target = log_posterior(graph, data, prior=[Gamma(2, 1)])
    warmup = blackjax.window_adaptation(blackjax.nuts, target)
    (state, parameters), _ = warmup.run(key, target.start(), num_steps=500)
    kernel = blackjax.nuts(target, **parameters)
    def step(state, key):
        state, _ = kernel.step(key, state)
        return state, state.position
    _, us = jax.lax.scan(step, state, jax.random.split(key, 1000))
    thetas = jax.vmap(target.constrain)(us)

`tests/test_inference_others.py` runs this recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax
from numpy.typing import ArrayLike

from ..errors import ConfigError
from .arguments import check_count
from .likelihood import DataLikelihood
from .observations import as_data_sets
from .parameters import Parameters, PriorArgument, TransformArgument, make_parameters, size_of
from .precision import say_precision
from .starts import best_starts


class LogPosterior:
    """Callable: `log_posterior(u, key=None)`, a scalar; see `log_posterior`.

    Attributes:
        likelihood: of the data, a function of theta.
        parameters: theta and its unconstrained coordinates.
    """

    def __init__(
        self,
        likelihood: DataLikelihood,
        parameters: Parameters,
        penalty: Callable[[jax.Array], jax.Array] | None = None,
        *,
        jacobian: bool = True,
    ) -> None:
        self.likelihood = likelihood
        self.parameters = parameters
        self.penalty = penalty
        self._jacobian = jacobian

    def __call__(self, u: jax.Array, key: jax.Array | None = None) -> jax.Array:
        theta = self.constrain(u)
        value = self.likelihood(theta, key) + self.parameters.log_prior(theta)
        if self._jacobian:
            value = value + self.parameters.log_jacobian(u)
        return value if self.penalty is None else value - self.penalty(theta)

    def constrain(self, u: jax.Array) -> jax.Array:
        """theta of u."""
        return self.parameters.constrain(u)

    def start(self, seed: int = 0) -> jax.Array:
        """(n_free,): the most likely of some draws from the prior, a place to begin.

        Where the data are impossible at all of them, thetas are tried whose unit of time is theirs.

        Raises:
            NumericError: some observation is impossible at all of them.
        """
        typical = self.likelihood.data[0].typical
        return best_starts(
            self._in_theta, self.likelihood, self.parameters, None, seed, typical=typical
        )[0]

    def _in_theta(self, theta: jax.Array) -> jax.Array:
        return self.likelihood(theta) + self.parameters.log_prior(theta)


def log_posterior(
    model: Any,
    observed_data: Any,
    theta_dim: int | None = None,
    *,
    prior: PriorArgument = None,
    transform: TransformArgument = None,
    fixed: Mapping[int, float] | None = None,
    rewards: ArrayLike | None = None,
    minibatch: int | None = None,
    penalty: Callable[[jax.Array], jax.Array] | None = None,
) -> LogPosterior:
    """The log posterior density of a model's parameters as a function of u (n_free,).

    Args:
        model: a Graph, a model with `logpdf`, a function of theta and times that returns
            densities; or a list of them, one a data set.
        observed_data: times (n,), `Observations`, or a list of these.
        theta_dim: length of theta, where the model does not say it.
        prior, transform, fixed: see `make_parameters`.
        rewards: see `Observations`.
        minibatch: see `DataLikelihood`.
        penalty: a function of theta that is subtracted.

    Raises:
        ConfigError, NumericError: what is given does not go together.

    Example:
        >>> import jax.numpy as jnp
        >>> from phasic.inference import Gamma, log_posterior
        >>> def exponential(theta, times):
        ...     return theta[0] * jnp.exp(-theta[0] * times)
        >>> target = log_posterior(exponential, [1.0, 2.0], 1, prior=Gamma(1, 1))
        >>> float(target(jnp.zeros(1)))
        -4.0
    """
    say_precision()
    likelihood, dim = make_likelihood(model, observed_data, theta_dim, prior, rewards, minibatch)
    parameters = make_parameters(dim, prior, transform, fixed, discrete=likelihood.discrete)
    return LogPosterior(likelihood, parameters, penalty)


def make_likelihood(
    model: Any,
    observed_data: Any,
    theta_dim: int | None,
    prior: PriorArgument = None,
    rewards: ArrayLike | None = None,
    minibatch: int | None = None,
) -> tuple[DataLikelihood, int]:
    """The likelihood, and the length of theta from the model, the argument or the prior."""
    if minibatch is not None:
        check_count("minibatch", minibatch, 1)
    likelihood = DataLikelihood(model, as_data_sets(observed_data, rewards), minibatch)
    said = likelihood.n_parameters()
    if said is not None and theta_dim is not None and said != theta_dim:
        raise ConfigError(
            f"theta_dim is {theta_dim}, and the model has {said} parameters",
            code="THETA_LENGTH",
            hint="leave theta_dim out where the model knows it",
        )
    dim = theta_dim if said is None else said
    if dim is None and isinstance(prior, (list, tuple)):
        dim = size_of(prior)
    if dim is None:
        raise ConfigError(
            "the model does not say how many parameters it has",
            code="THETA_LENGTH",
            hint="give theta_dim",
        )
    return likelihood, dim
