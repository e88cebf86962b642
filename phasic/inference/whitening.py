"""Coordinates in which the target has a spread of about 1: u = centre + scale z.

laplace   centre and scale of the mixture of normals that `modes.py` finds: near the posterior
          from the first step, and the natural choice
prior     centre and spread of draws from the prior, uncorrelated: for posteriors without second
          derivatives; takes more steps
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from .modes import Mode
from .posterior_density import LogPosterior
from .starts import draws

_PRIOR_DRAWS = 1000


class Whitening(NamedTuple):
    """Attributes: centre (d,) and scale (d, d), lower triangular."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]

    def coordinates(self, z: jax.Array) -> jax.Array:
        """u of z."""
        return jnp.asarray(self.centre) + jnp.asarray(self.scale) @ z

    def whiten(self, u: NDArray[np.float64]) -> NDArray[np.float64]:
        """z (n, d) of u (n, d)."""
        return np.asarray(np.linalg.solve(self.scale, (u - self.centre).T).T, dtype=float)


def by_mode(mode: Mode) -> Whitening:
    """Around a mode."""
    return Whitening(mode.point, np.asarray(np.linalg.cholesky(mode.covariance), dtype=float))


def by_prior(target: LogPosterior, seed: int) -> Whitening:
    """By draws from the prior."""
    us = draws(target.parameters, seed, _PRIOR_DRAWS)
    return Whitening(us.mean(axis=0), np.diag(us.std(axis=0)))
