"""Bijections from unconstrained coordinates u to the range of a parameter, with log-Jacobians.

    real        x = u
    positive    x = exp(u)
    interval    x = low + (high - low) / (1 + exp(-u))
    simplex     stick-breaking (Stan Reference Manual, "Unit simplex"): the k-th of K pieces is the
                fraction 1 / (1 + exp(log(K - k) - u_k)) of what is left; u = 0 is the centre

The log-Jacobian is log |det dx/du|; on the simplex of the first K - 1 coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np


class Bijector(Protocol):
    """A bijection from (free,) unconstrained numbers to (size,) values."""

    @property
    def size(self) -> int: ...
    @property
    def free(self) -> int: ...
    def forward(self, u: jax.Array) -> jax.Array: ...
    def inverse(self, x: jax.Array) -> jax.Array: ...
    def log_jacobian(self, u: jax.Array) -> jax.Array: ...
    def bounds(self) -> tuple[float, float]: ...


@dataclass(frozen=True)
class Real:
    """All numbers."""

    size = 1
    free = 1

    def forward(self, u: jax.Array) -> jax.Array:
        return u

    def inverse(self, x: jax.Array) -> jax.Array:
        return x

    def log_jacobian(self, u: jax.Array) -> jax.Array:
        return jnp.zeros((), u.dtype)

    def bounds(self) -> tuple[float, float]:
        return -np.inf, np.inf


@dataclass(frozen=True)
class Positive:
    """Numbers above 0."""

    size = 1
    free = 1

    def forward(self, u: jax.Array) -> jax.Array:
        return jnp.exp(u)

    def inverse(self, x: jax.Array) -> jax.Array:
        return jnp.log(x)

    def log_jacobian(self, u: jax.Array) -> jax.Array:
        return jnp.sum(u)

    def bounds(self) -> tuple[float, float]:
        return 0.0, np.inf


@dataclass(frozen=True)
class Interval:
    """Numbers between `low` and `high`."""

    low: float = 0.0
    high: float = 1.0
    size = 1
    free = 1

    def forward(self, u: jax.Array) -> jax.Array:
        return self.low + (self.high - self.low) * jax.nn.sigmoid(u)

    def inverse(self, x: jax.Array) -> jax.Array:
        return jnp.log(x - self.low) - jnp.log(self.high - x)

    def log_jacobian(self, u: jax.Array) -> jax.Array:
        width = jnp.log(self.high - self.low)
        return jnp.sum(width + jax.nn.log_sigmoid(u) + jax.nn.log_sigmoid(-u))

    def bounds(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True)
class Simplex:
    """`size` numbers above 0 that add up to 1."""

    size: int

    @property
    def free(self) -> int:
        return self.size - 1

    def forward(self, u: jax.Array) -> jax.Array:
        piece, left = self._logs(u)
        return jnp.exp(jnp.append(piece + left[:-1], left[-1]))

    def inverse(self, x: jax.Array) -> jax.Array:
        after = jnp.cumsum(x[::-1])[::-1][1:]
        return jnp.log(x[:-1]) - jnp.log(after) + self._offset()

    def log_jacobian(self, u: jax.Array) -> jax.Array:
        piece, left = self._logs(u)
        return jnp.sum(piece + (left[1:] - left[:-1]) + left[:-1])

    def bounds(self) -> tuple[float, float]:
        return 0.0, 1.0

    def _offset(self) -> jax.Array:
        return jnp.log(jnp.arange(self.size - 1, 0, -1))

    def _logs(self, u: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Logarithms of each piece as a fraction of what is left, and of what is left before it."""
        shifted = u - self._offset()
        gone = jax.nn.log_sigmoid(-shifted)
        return jax.nn.log_sigmoid(shifted), jnp.concatenate([jnp.zeros(1), jnp.cumsum(gone)])
