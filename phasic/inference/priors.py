"""Priors of parameters: log densities, draws, and the bijection that fits their range.

All are proper and normalised. `Flat` is none: it only says which values are possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import gammaln
from numpy.typing import NDArray

from ..errors import ConfigError
from .bijectors import Bijector, Interval, Positive, Real, Simplex

Values = NDArray[np.float64]


class Prior(Protocol):
    """A distribution of `bijector.size` parameters that stand side by side in theta."""

    @property
    def bijector(self) -> Bijector: ...
    def log_density(self, x: jax.Array) -> jax.Array:
        """A scalar, of values (size,)."""
        ...

    def sample(self, rng: np.random.Generator) -> Values:
        """One draw, (size,)."""
        ...


@dataclass(frozen=True)
class Gamma:
    """Gamma with density proportional to x^(shape-1) exp(-rate x).

    Example:
        >>> from phasic.inference import Gamma
        >>> float(Gamma(1, 2).log_density(0.0).round(6))
        0.693147
    """

    shape: float
    rate: float
    bijector = Positive()

    def __post_init__(self) -> None:
        _positive(self, shape=self.shape, rate=self.rate)

    def log_density(self, x: jax.Array) -> jax.Array:
        a, b = float(self.shape), float(self.rate)
        # At 0 an exponential has a density, which 0 * log(0) would lose.
        power = jax.scipy.special.xlogy(a - 1, x)
        return jnp.sum(a * jnp.log(b) - gammaln(a) + power - b * x)

    def sample(self, rng: np.random.Generator) -> Values:
        return rng.gamma(self.shape, 1 / self.rate, 1)


@dataclass(frozen=True)
class LogNormal:
    """exp of a normal variable with this mean and standard deviation."""

    mean: float
    sd: float
    bijector = Positive()

    def __post_init__(self) -> None:
        _finite(self, mean=self.mean)
        _positive(self, sd=self.sd)

    def log_density(self, x: jax.Array) -> jax.Array:
        return _normal(jnp.log(x), self.mean, self.sd) - jnp.sum(jnp.log(x))

    def sample(self, rng: np.random.Generator) -> Values:
        return rng.lognormal(self.mean, self.sd, 1)


@dataclass(frozen=True)
class Beta:
    """Beta with density proportional to x^(a-1) (1-x)^(b-1)."""

    a: float
    b: float
    bijector = Interval(0.0, 1.0)

    def __post_init__(self) -> None:
        _positive(self, a=self.a, b=self.b)

    def log_density(self, x: jax.Array) -> jax.Array:
        a, b = float(self.a), float(self.b)
        powers = jax.scipy.special.xlogy(a - 1, x) + jax.scipy.special.xlog1py(b - 1, -x)
        return jnp.sum(gammaln(a + b) - gammaln(a) - gammaln(b) + powers)

    def sample(self, rng: np.random.Generator) -> Values:
        return rng.beta(self.a, self.b, 1)


@dataclass(frozen=True)
class Normal:
    """Normal with this mean and standard deviation."""

    mean: float
    sd: float
    bijector = Real()

    def __post_init__(self) -> None:
        _finite(self, mean=self.mean)
        _positive(self, sd=self.sd)

    def log_density(self, x: jax.Array) -> jax.Array:
        return _normal(x, self.mean, self.sd)

    def sample(self, rng: np.random.Generator) -> Values:
        return rng.normal(self.mean, self.sd, 1)


@dataclass(frozen=True)
class Uniform:
    """Uniform between `low` and `high`."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _finite(self, low=self.low, high=self.high)
        _positive(self, **{"high - low": self.high - self.low})

    @property
    def bijector(self) -> Bijector:
        return Interval(float(self.low), float(self.high))

    def log_density(self, x: jax.Array) -> jax.Array:
        return jnp.sum(0.0 * x - jnp.log(self.high - self.low))

    def sample(self, rng: np.random.Generator) -> Values:
        return rng.uniform(self.low, self.high, 1)


@dataclass(frozen=True, init=False)
class Dirichlet:
    """Dirichlet on the simplex: of as many parameters, side by side, as there are numbers.

    Example:
        >>> from phasic.inference import Dirichlet
        >>> Dirichlet(1, 1, 1).bijector.size
        3
    """

    concentration: tuple[float, ...]

    def __init__(self, *concentration: float) -> None:
        object.__setattr__(self, "concentration", tuple(concentration))
        if len(concentration) < 2:
            raise ConfigError(
                f"a Dirichlet prior of {len(concentration)} parameters; expected 2 or more",
                code="PRIOR_INVALID",
                hint="as in Dirichlet(1, 1, 1), a number for each parameter",
            )
        _positive(self, **{f"concentration {k}": a for k, a in enumerate(concentration)})

    @property
    def bijector(self) -> Bijector:
        return Simplex(len(self.concentration))

    def log_density(self, x: jax.Array) -> jax.Array:
        a = jnp.array(self.concentration, dtype=float)
        powers = jax.scipy.special.xlogy(a - 1, x)
        return gammaln(jnp.sum(a)) - jnp.sum(gammaln(a)) + jnp.sum(powers)

    def sample(self, rng: np.random.Generator) -> Values:
        return rng.dirichlet(self.concentration)


@dataclass(frozen=True)
class Flat:
    """No prior: a density of 1, in theta, over the range of a bijection."""

    bijector: Bijector

    def log_density(self, x: jax.Array) -> jax.Array:
        return jnp.sum(0.0 * x)

    def sample(self, rng: np.random.Generator) -> Values:
        """Not a draw of it, as there are none: standard normal before the bijection."""
        u = rng.standard_normal(self.bijector.free)
        return np.asarray(self.bijector.forward(jnp.asarray(u)))


def _normal(x: jax.Array, mean: float, sd: float) -> jax.Array:
    return jnp.sum(-0.5 * jnp.square((x - mean) / sd) - jnp.log(sd * jnp.sqrt(2 * jnp.pi)))


def _positive(prior: object, **values: float) -> None:
    for name, value in values.items():
        if not 0 < value < float("inf"):
            raise ConfigError(
                f"{type(prior).__name__}: {name} is {value}, expected a finite number above 0",
                code="PRIOR_INVALID",
                hint="Gamma(shape, rate), LogNormal(mean, sd), Beta(a, b), Normal(mean, sd), "
                "Uniform(low, high), Dirichlet(a1, a2, …)",
            )


def _finite(prior: object, **values: float) -> None:
    for name, value in values.items():
        if not abs(value) < float("inf"):
            raise ConfigError(
                f"{type(prior).__name__}: {name} is {value}, expected a finite number",
                code="PRIOR_INVALID",
                hint="a wide prior has a large sd or wide bounds, and finite ones",
            )
