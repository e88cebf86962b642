"""The log-likelihood of data sets as one JAX function of theta.

A model is a `Graph`; an object with `logpdf(theta, times)`; or a function `(theta, times)` that
returns densities. Rewards, where data have them, are a third argument. Several data sets have one
model in common or one each, and are independent given theta.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..errors import ConfigError, NumericError
from .observations import Observations
from .refusals import refusals_told

LogDensity = Callable[[jax.Array, jax.Array], jax.Array]


class DataLikelihood:
    """`loglik(theta, key)`: a scalar; the key draws minibatches, without one all data are used.

    Args:
        model: one for all data sets, or a list of one each.
        data: the data sets.
        minibatch: observations of each data set that are looked at each time, drawn anew with
            replacement and scaled up so that the expectation is the log-likelihood; None: all.

    Attributes:
        discrete: whether a model says that its times are steps.
    """

    def __init__(
        self, model: Any, data: Sequence[Observations], minibatch: int | None = None
    ) -> None:
        models = list(model) if isinstance(model, (list, tuple)) else [model] * len(data)
        if len(models) != len(data):
            raise ConfigError(
                f"{len(models)} models for {len(data)} data sets",
                code="MODELS_LENGTH",
                hint="give one model for all, or one for each data set",
            )
        self.data = tuple(data)
        self.discrete = any(bool(getattr(model, "discrete", False)) for model in models)
        self.minibatch = minibatch
        self._densities = [
            _log_density(model, part) for model, part in zip(models, data, strict=True)
        ]
        self._whole = [
            _whole(model, density, part)
            for model, density, part in zip(models, self._densities, data, strict=True)
        ]
        self._batches = [
            _minibatch(density, part, minibatch)
            for density, part in zip(self._densities, data, strict=True)
            if minibatch
        ]
        self._models = models

    def __call__(self, theta: jax.Array, key: jax.Array | None = None) -> jax.Array:
        total = jnp.zeros((), theta.dtype)
        if key is None or self.minibatch is None:
            for whole in self._whole:
                total = total + whole(theta)
        else:
            for number, batch in enumerate(self._batches):
                total = total + batch(theta, jax.random.fold_in(key, number))
        return total

    def n_parameters(self) -> int | None:
        """What the models say of the length of theta.

        Raises:
            ConfigError: they say different things.
        """
        said = {int(model.n_parameters) for model in self._models if hasattr(model, "n_parameters")}
        if len(said) > 1:
            raise ConfigError(
                f"the models have {sorted(said)} parameters",
                code="MODELS_LENGTH",
                hint="models of several data sets have one theta in common",
            )
        return said.pop() if said else None

    def check_support(self, thetas: np.ndarray) -> None:
        """Refuses data that are impossible under each of the thetas (k, theta_dim).

        Raises:
            NumericError: an observation has density 0 at all of them; or nothing has one.
        """
        for density, part in zip(self._densities, self.data, strict=True):
            times, counts = _flat(part)
            with refusals_told("when the data were looked at"):
                logs = np.asarray(jax.vmap(density, (0, None))(jnp.asarray(thetas), times))
            nowhere = (~np.isfinite(logs)).all(axis=0) & (np.asarray(counts) > 0)
            if nowhere.any():
                place = tuple(int(axis) for axis in np.argwhere(nowhere)[0])
                at = place[0] if len(place) == 1 else place
                count = int(nowhere.sum())
                raise NumericError(
                    f"FATAL: {part.name} is outside the support of the model: times[{at}] = "
                    f"{part.times[place]} has log density {logs[(0, *place)]} at each of "
                    f"{len(thetas)} thetas tried ({count} observation{'s' * (count > 1)} so)",
                    code="DATA_OUTSIDE_SUPPORT",
                    hint="discrete models have whole times; an atom at 0 has no density; look "
                    "whether data and model have the same unit of time, and the prior covers it",
                )


def _log_density(model: Any, data: Observations) -> LogDensity:
    """log f(theta, times) of one model, of the shape of times."""
    rewards = () if data.rewards is None else (jnp.asarray(data.rewards),)
    if hasattr(model, "logpdf_from_graph"):
        model = model.pmf_from_graph()
    if hasattr(model, "logpdf"):
        return lambda theta, times: model.logpdf(theta, times, *rewards)
    if not callable(model):
        raise ConfigError(
            f"the model is a {type(model).__name__}; expected a Graph, a model with logpdf, or a "
            "function of theta and times",
            code="MODEL_INVALID",
            hint="graph.pmf_from_graph() makes a model of a graph",
        )
    return lambda theta, times: jnp.log(model(theta, times, *rewards))


def _whole(model: Any, density: LogDensity, data: Observations) -> Callable[[jax.Array], jax.Array]:
    if hasattr(model, "loglik_from_graph") and not data.multivariate:
        whole = model.loglik_from_graph(
            data.times,
            data.weights,
            right_censored=data.right_censored,
            intervals=data.intervals,
            rewards=data.rewards,
        )
        return whole
    _refuse_censored(data, "a model that is no Graph")
    times, counts = _flat(data)
    return lambda theta: _weighted(density(theta, times), counts)


def _minibatch(
    density: LogDensity, data: Observations, size: int
) -> Callable[[jax.Array, jax.Array], jax.Array]:
    _refuse_censored(data, "minibatches")
    times, counts = _flat(data)
    n = len(data.times)

    def part(theta: jax.Array, key: jax.Array) -> jax.Array:
        rows = jax.random.randint(key, (size,), 0, n)
        return n / size * _weighted(density(theta, times[rows]), counts[rows])

    return part


def _flat(data: Observations) -> tuple[jax.Array, jax.Array]:
    """Times, and counts of the same shape. What counts 0 has a time that was seen: there a function
    has a slope, which 0 times the slope of log(0) would lose.
    """
    counts = np.ones(len(data.times)) if data.weights is None else data.weights
    if data.multivariate:
        counts = np.where(np.isnan(data.times), 0.0, counts[:, np.newaxis])
    times = data.times.copy()
    for column, count in zip(np.atleast_2d(times.T), np.atleast_2d(counts.T), strict=True):
        seen = column[count > 0]
        column[count == 0] = seen[0] if len(seen) else data.typical
    return jnp.asarray(times), jnp.asarray(counts)


def _weighted(logs: jax.Array, counts: jax.Array) -> jax.Array:
    # What was observed no time contributes nothing, however impossible it is.
    return jnp.sum(counts * jnp.where(counts > 0, logs, 0.0))


def _refuse_censored(data: Observations, where: str) -> None:
    if data.right_censored is not None or data.intervals is not None:
        raise ConfigError(
            f"{data.name} has censored observations, with {where}",
            code="CENSORED_UNSUPPORTED",
            hint="censored observations go with a Graph and all data at once",
        )
