"""The posterior as a mixture of normals: one at each mode, by the Laplace approximation.

A mode at u with the inverse curvature C has about the probability p(u) sqrt(det(2 pi C)). Modes are
looked for by Newton's method from the best of some thetas and from draws of the prior. Particles
that begin in the right proportions need not pass from mode to mode, which they would not do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..errors import NumericError
from .estimates import inverse_curvature
from .maximise import Climber
from .posterior_density import LogPosterior
from .refusals import REFUSALS
from .starts import draws

Values = NDArray[np.float64]

_SEARCHES = 12
# Ends of two searches so near, in standard deviations, are one mode.
_SAME = 0.1


class Mode(NamedTuple):
    """A maximum of the log posterior density in u.

    Attributes:
        point: (d,).
        covariance: (d, d), the inverse of minus the Hessian.
        log_mass: logarithm of its Laplace approximation of the evidence.
    """

    point: Values
    covariance: Values
    log_mass: float


def find_modes(target: LogPosterior, seed: int) -> list[Mode]:
    """The modes that the searches end in, the heaviest first.

    Raises:
        NumericError: the data are impossible, or no search ends in a maximum.
    """
    start = target.start(seed)
    climber = Climber(target)
    found = [_as_mode(climber, start, target)]
    for u in draws(target.parameters, seed + 1, _SEARCHES):
        try:
            mode = _as_mode(climber, jnp.asarray(u), target)
        except (NumericError, *REFUSALS):
            continue  # a place from which there is no way; the first search has ended well
        if not any(_same(mode, known) for known in found):
            found.append(mode)
    return sorted(found, key=lambda mode: -mode.log_mass)


def draw_mixture(modes: Sequence[Mode], number: int, seed: int) -> Values:
    """(number, d): u from the mixture, with each mode's share of it to within one."""
    logs = np.array([mode.log_mass for mode in modes])
    share = np.exp(logs - logs.max())
    ends = np.rint(number * np.cumsum(share) / share.sum()).astype(int)
    z = np.random.default_rng(seed).standard_normal((number, len(modes[0].point)))
    u = np.empty_like(z)
    for mode, begin, end in zip(modes, [0, *ends[:-1]], ends, strict=True):
        u[begin:end] = mode.point + z[begin:end] @ np.linalg.cholesky(mode.covariance).T
    return u


def _as_mode(climber: Climber, start: jax.Array, target: LogPosterior) -> Mode:
    found = climber.climb(start)
    theta = np.asarray(target.constrain(jnp.asarray(found.point)))
    if not found.converged:
        raise NumericError(
            f"FATAL: no posterior mode after {found.iterations} steps, at theta = {theta.tolist()}",
            code="NOT_CONVERGED",
            hint='give a prior that keeps theta in bounds; start="prior" looks for no mode',
        )
    covariance = inverse_curvature(-found.hessian, theta)
    logdet = np.linalg.slogdet(2 * np.pi * covariance).logabsdet
    return Mode(found.point, covariance, found.value + 0.5 * float(logdet))


def _same(one: Mode, other: Mode) -> bool:
    apart = one.point - other.point
    return float(apart @ np.linalg.solve(other.covariance, apart)) < _SAME**2
