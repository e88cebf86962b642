"""Theta and its unconstrained coordinates: priors side by side, some entries fixed.

theta (theta_dim,) is cut into blocks: one a prior, one a fixed entry. u (n_free,) has the free
coordinates of the blocks one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from .bijectors import Bijector, Interval, Positive, Real
from .priors import Flat, LogNormal, Prior, Uniform

PriorArgument = Prior | Sequence[Prior | None] | Callable[[jax.Array], jax.Array] | None
TransformArgument = str | Bijector | Sequence[str | Bijector] | None

_RANGES: Mapping[str, Bijector] = {"real": Real(), "positive": Positive(), "unit": Interval()}


class Parameters:
    """How theta is made of u.

    Attributes:
        theta_dim: length of theta.
        n_free: length of u.
        fixed: entries of theta that do not move, by index.
    """

    def __init__(
        self,
        blocks: Sequence[Prior | float],
        log_prior: Callable[[jax.Array], jax.Array] | None = None,
    ) -> None:
        self.blocks = tuple(blocks)
        self._log_prior = log_prior
        self.theta_dim = sum(_size(block) for block in self.blocks)
        self.n_free = sum(_free(block) for block in self.blocks)
        self._places = _places(self.blocks)
        self.fixed = {
            theta.start: block for block, theta, _ in self._places if isinstance(block, float)
        }

    def constrain(self, u: jax.Array) -> jax.Array:
        """theta of u."""
        parts = [
            jnp.full(1, block, u.dtype)
            if isinstance(block, float)
            else block.bijector.forward(u[free])
            for block, _, free in self._places
        ]
        return jnp.concatenate(parts)

    def unconstrain(self, theta: jax.Array) -> jax.Array:
        """u of theta; its fixed entries are not looked at."""
        parts = [
            block.bijector.inverse(theta[place])
            for block, place, _ in self._places
            if not isinstance(block, float)
        ]
        return jnp.concatenate(parts)

    def unconstrain_all(self, thetas: NDArray[np.float64]) -> NDArray[np.float64]:
        """u (n, n_free) of thetas (n, theta_dim) to begin at.

        Raises:
            ConfigError: one is not inside of what theta may be.
        """
        us = np.asarray(jax.vmap(self.unconstrain)(jnp.asarray(thetas)))
        outside = ~np.isfinite(us).all(axis=1)
        if outside.any():
            raise ConfigError(
                f"start {thetas[outside][0].tolist()} is at or outside a bound of what theta may "
                "be",
                code="START_INVALID",
                hint="begin inside",
            )
        return us

    def log_prior(self, theta: jax.Array) -> jax.Array:
        """Log density of the priors, in theta."""
        total = sum(
            (
                block.log_density(theta[place])
                for block, place, _ in self._places
                if not isinstance(block, float)
            ),
            start=jnp.zeros((), theta.dtype),
        )
        return total if self._log_prior is None else total + self._log_prior(theta)

    def log_jacobian(self, u: jax.Array) -> jax.Array:
        """log |det| of the free entries of theta by u."""
        return sum(
            (
                block.bijector.log_jacobian(u[free])
                for block, _, free in self._places
                if not isinstance(block, float)
            ),
            start=jnp.zeros((), u.dtype),
        )

    def sample(self, rng: np.random.Generator) -> NDArray[np.float64]:
        """theta drawn from the priors; where they are flat, around the middle of the range."""
        parts = [
            np.full(1, block) if isinstance(block, float) else block.sample(rng)
            for block in self.blocks
        ]
        return np.concatenate(parts)

    @property
    def scale_free(self) -> bool:
        """Whether nothing says how large theta may be."""
        return self._log_prior is None and any(isinstance(block, Flat) for block in self.blocks)

    def near_bound(self, u: np.ndarray, far: float) -> dict[int, float]:
        """Entries of theta whose u is beyond ±far, with the finite bound that they are near to."""
        found = {}
        for block, place, free in self._places:
            if isinstance(block, float) or block.bijector.size > 1:
                continue
            low, high = block.bijector.bounds()
            bound = low if u[free][0] < -far else high if u[free][0] > far else np.inf
            if np.isfinite(bound):
                found[place.start] = bound
        return found

    def with_fixed(self, index: int, value: float) -> Parameters:
        """The same with one more entry fixed."""
        blocks = [
            float(value) if place.start == index else block for block, place, _ in self._places
        ]
        return Parameters(blocks, self._log_prior)

    def describe(self) -> list[str]:
        """A text for each block, for the eyes of people and the keys of checkpoints."""
        own = [] if self._log_prior is None else [getattr(self._log_prior, "__qualname__", "")]
        return [repr(block) for block in self.blocks] + own


def make_parameters(
    theta_dim: int,
    prior: PriorArgument,
    transform: TransformArgument = None,
    fixed: Mapping[int, float] | None = None,
    *,
    discrete: bool = False,
    flat: bool = False,
) -> Parameters:
    """The parameters that a user's arguments describe.

    Args:
        theta_dim: length of theta.
        prior: one for all entries, a list of them (None for fixed entries; a Dirichlet stands for
            as many entries as it has), a function of theta that returns a log density, or None.
        transform: "positive", "unit" or "real", one or a list, or bijectors; what theta may be
            where no prior says it. None: positive, of discrete models unit.
        fixed: entries that do not move, {index: value}.
        flat: without a prior there is none; otherwise it is lognormal(0, 3), of discrete models
            uniform(0, 1), and of real parameters an error.

    Raises:
        ConfigError: numbers of entries do not fit, or there is nothing to find.
    """
    held = _check_fixed(theta_dim, fixed)
    log_prior = None
    if callable(prior) and not isinstance(prior, type):
        log_prior, entries = prior, _flats(theta_dim, transform, discrete)
    elif prior is None:
        entries = _flats(theta_dim, transform, discrete)
        if not flat:
            entries = [_default(entry) for entry in entries]
    elif transform is not None:
        raise ConfigError(
            "prior and transform are both given, and priors have their own range",
            code="TRANSFORM_UNUSED",
            hint="leave transform out; it is for priors that are functions, and for no prior",
        )
    else:
        entries = _listed(prior, theta_dim)
    blocks = _insert_fixed(entries, theta_dim, held)
    made = Parameters(blocks, log_prior)
    if made.n_free == 0:
        raise ConfigError(
            f"all {theta_dim} parameters are fixed: nothing is left to be found",
            code="PARAMETERS_FIXED",
            hint="leave one out of `fixed`",
        )
    return made


def _check_fixed(theta_dim: int, fixed: Mapping[int, float] | None) -> dict[int, float]:
    for index, value in (fixed or {}).items():
        whole = isinstance(index, (int, np.integer)) and not isinstance(index, bool)
        if not whole or not 0 <= index < theta_dim or not np.isfinite(value):
            raise ConfigError(
                f"fixed has {index}: {value}; expected indices from 0 to {theta_dim - 1} and "
                "finite values",
                code="FIXED_INVALID",
                hint="fixed={0: 1.0} holds the first entry of theta at 1",
            )
    return {int(index): float(value) for index, value in (fixed or {}).items()}


def _flats(theta_dim: int, transform: TransformArgument, discrete: bool) -> list[Prior | None]:
    if transform is None:
        transform = "unit" if discrete else "positive"
    listed = list(transform) if isinstance(transform, (list, tuple)) else [transform] * theta_dim
    entries: list[Prior | None] = [Flat(_range(entry)) for entry in listed]
    _check_length(sum(_size(entry) for entry in entries), theta_dim, "transform")
    return entries


def _range(transform: Any) -> Bijector:
    if isinstance(transform, str):
        if transform not in _RANGES:
            raise ConfigError(
                f"there is no transform {transform!r}",
                code="TRANSFORM_UNKNOWN",
                hint=f"one of {', '.join(_RANGES)}, or a bijector",
            )
        return _RANGES[transform]
    if not hasattr(transform, "log_jacobian"):
        raise ConfigError(
            f"{transform!r} is no transform",
            code="TRANSFORM_UNKNOWN",
            hint=f"one of {', '.join(_RANGES)}, or a bijector",
        )
    return cast(Bijector, transform)


def _default(entry: Prior | None) -> Prior:
    bijector = entry.bijector if entry is not None else Positive()
    if isinstance(bijector, Positive):
        return LogNormal(0.0, 3.0)
    if isinstance(bijector, Interval):
        return Uniform(bijector.low, bijector.high)
    raise ConfigError(
        "a parameter that may be any number has no prior",
        code="PRIOR_MISSING",
        hint="give one, as in prior=Normal(0, 10)",
    )


def _listed(prior: Any, theta_dim: int) -> list[Prior | None]:
    if not isinstance(prior, (list, tuple)):
        entries = [prior] * (theta_dim if size_of([prior]) == 1 else 1)
    else:
        entries = list(prior)
    _check_length(size_of(entries), theta_dim, "prior")
    return entries


def size_of(priors: Sequence[Prior | None]) -> int:
    """Length of the theta that priors stand for side by side, None for one entry.

    Raises:
        ConfigError: one of them is no prior.
    """
    for prior in priors:
        if isinstance(prior, type) or not (prior is None or hasattr(prior, "log_density")):
            raise ConfigError(
                f"{prior!r} is no prior",
                code="PRIOR_INVALID",
                hint="as in Gamma(2, 1), or parse_prior('gamma(2,1)')",
            )
    return sum(_size(prior) for prior in priors)


def _check_length(found: int, theta_dim: int, what: str) -> None:
    if found != theta_dim:
        raise ConfigError(
            f"{what} is for {found} parameters, and theta has {theta_dim}",
            code="PRIOR_LENGTH" if what == "prior" else "TRANSFORM_LENGTH",
            hint="one entry a parameter, None for a fixed one; a Dirichlet stands for several",
        )


def _insert_fixed(
    entries: Sequence[Prior | None], theta_dim: int, held: Mapping[int, float]
) -> list[Prior | float]:
    blocks: list[Prior | float] = []
    index = 0
    for entry in entries:
        size = _size(entry)
        inside = [place for place in range(index, index + size) if place in held]
        if inside and size > 1:
            raise ConfigError(
                f"entry {inside[0]} of theta is fixed and part of a simplex",
                code="FIXED_INVALID",
                hint="a simplex moves as a whole: fix none of it, or give the rest other priors",
            )
        if entry is None and not inside:
            raise ConfigError(
                f"entry {index} of theta has no prior and is not fixed",
                code="PRIOR_MISSING",
                hint=f"give it a prior, or fixed={{{index}: value}}",
            )
        if inside:
            blocks.append(held[index])
        elif entry is not None:
            blocks.append(entry)
        index += size
    return blocks


def _size(block: Prior | float | None) -> int:
    return 1 if block is None or isinstance(block, float) else block.bijector.size


def _free(block: Prior | float) -> int:
    return 0 if isinstance(block, float) else block.bijector.free


def _places(blocks: Sequence[Prior | float]) -> list[tuple[Prior | float, slice, slice]]:
    """Each block with where it is in theta and in u."""
    places, at, free = [], 0, 0
    for block in blocks:
        ends = at + _size(block), free + _free(block)
        places.append((block, slice(at, ends[0]), slice(free, ends[1])))
        at, free = ends
    return places
